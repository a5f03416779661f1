r"""Other programs that denoise without a clean image, on the same images, in one run.

    python benchmarks/peers.py DATA --sets confocal --crop 256 \
        --careamics VENV/bin/python --aydin VENV/bin/python --noise2fast VENV/bin/python N2F.py

Each runs as a command of its own, ours included, so that seconds are of all that a user waits for.
The others need environments of their own, as their requirements exclude each other; those whose
interpreter is not given are left out. `benchmarks/peers/` says how each is called: with its
defaults, but for 100 epochs of CAREamics instead of 30.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import data
import tifffile
from quality import Score, mean, score

from napari_noise2self.cli.benchmark import Pair
from napari_noise2self.images import read_image

COMMAND = str(Path(sys.executable).with_name("napari-noise2self"))
SCRIPTS = Path(__file__).parent / "peers"
NOISY, RESULT = "noisy.tif", "result.tif"


def main() -> None:
    options = _options()
    commands, window = _commands(options), (slice(options.crop),) * 2
    for name in options.sets.split(","):
        scores = []
        for pair in islice(data.load(options.data, name), options.count):
            pair = replace(pair, noisy=pair.noisy[window], clean=pair.clean[window])
            for method, command in commands.items():
                scores.append(_measure(name, pair, method, command))
                print(f"{name:<14}", scores[-1].line(), flush=True)
        for method in commands:
            print(f"{name:<14}", mean([s for s in scores if s.method == method]).line())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default="confocal")
    parser.add_argument("--crop", type=int, help="use only the first rows and columns")
    parser.add_argument("--count", type=int, help="use only the first images of each set")
    parser.add_argument("--presets", default="fast,balanced", help="of ours")
    parser.add_argument("--careamics", help="interpreter of an environment with careamics")
    parser.add_argument("--aydin", help="interpreter of an environment with aydin")
    parser.add_argument("--noise2fast", nargs=2, metavar=("PYTHON", "N2F.py"))
    return parser.parse_args()


def _commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """Return the commands that make RESULT of NOISY in the folder where they run."""
    denoise = [COMMAND, "denoise", NOISY, "--output", "out", "--dtype", "float32"]
    commands = {f"ours {each}": [*denoise, "--preset", each] for each in options.presets.split(",")}
    if options.careamics:
        script = str(SCRIPTS / "careamics_n2v.py")
        commands["careamics n2v2"] = [options.careamics, script, NOISY, RESULT]
    if options.aydin:
        commands["aydin lgbm"] = [options.aydin, str(SCRIPTS / "aydin_fgr.py"), NOISY, RESULT]
    if options.noise2fast:
        python, program = options.noise2fast
        script = str(SCRIPTS / "noise2fast.py")
        program = str(Path(program).resolve())
        commands["noise2fast"] = [python, script, NOISY, RESULT, program]
    return commands


def _measure(name: str, pair: Pair, method: str, command: list[str]) -> Score:
    with tempfile.TemporaryDirectory() as folder:
        tifffile.imwrite(Path(folder, NOISY), pair.noisy)
        started = time.monotonic()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        (path,) = [*Path(folder).glob(RESULT), *Path(folder).glob("out/*.tif")]
        return score(name, pair, method, read_image(path).data, seconds)


if __name__ == "__main__":
    main()
