r"""Other programs that denoise without a clean image, on the same images, in one run.

    python benchmarks/peers.py DATA --sets confocal --crop 256 \
        --careamics VENV/bin/python --aydin VENV/bin/python --noise2fast VENV/bin/python N2F.py

Each runs as a command of its own, ours included, so that seconds are of all that a user waits for.
The others need environments of their own, as their requirements exclude each other; those whose
interpreter is not given are left out. `benchmarks/peers/` says how each is called: with its
defaults.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean

import data
import numpy as np
import tifffile

from napari_noise2self.benchmark import Pair
from napari_noise2self.images import read_image
from napari_noise2self.metrics import data_range, psnr, ssim

COMMAND = str(Path(sys.executable).with_name("napari-noise2self"))
SCRIPTS = Path(__file__).parent / "peers"
NOISY, RESULT = "noisy.tif", "result.tif"


def main() -> None:
    options = _options()
    commands = _commands(options)
    for name in options.sets.split(","):
        rows: dict[str, list[tuple[float, ...]]] = {method: [] for method in commands}
        for pair in islice(data.load(options.data, name), options.count):
            for method, command in commands.items():
                rows[method].append(_score(name, pair, command, options.crop))
                print(f"{name:<14} {pair.name:<20} {_line(method, rows[method][-1])}", flush=True)
        for method, scores in rows.items():
            mean = tuple(fmean(column) for column in zip(*scores, strict=True))
            print(f"{name:<14} {'mean':<20} {_line(method, mean)}")


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
    denoise = [COMMAND, "denoise", NOISY, "--output", "out"]
    denoise += ["--dtype", "float32"]
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


def _score(name: str, pair: Pair, command: list[str], crop: int | None) -> tuple[float, ...]:
    """Return PSNR, aligned PSNR, SSIM and seconds."""
    window = (slice(crop),) * 2
    aligned = data.aligned(pair)[window]
    pair = replace(pair, noisy=pair.noisy[window], clean=pair.clean[window])
    with tempfile.TemporaryDirectory() as folder:
        tifffile.imwrite(Path(folder, NOISY), pair.noisy)
        started = time.monotonic()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        (path,) = [*Path(folder).glob(RESULT), *Path(folder).glob("out/*.tif")]
        image = data.comparable(name, pair.clean, read_image(path).data)
    error = float(np.mean((aligned - image) ** 2))
    to_aligned = 10 * math.log10(data_range(pair.clean) ** 2 / error)
    return psnr(pair.clean, image), to_aligned, ssim(pair.clean, image), seconds


def _line(method: str, score: tuple[float, ...]) -> str:
    plain, aligned, similarity, seconds = score
    quality = f"{plain:6.2f} dB  aligned {aligned:6.2f}  SSIM {similarity:.4f}"
    return f"{method:<16} {quality}  {seconds:7.1f} s"


if __name__ == "__main__":
    main()
