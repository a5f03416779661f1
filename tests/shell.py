"""The command line as the shell meets it: real processes, and images for them to work on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from simulate import camera, smooth_scene

COMMAND = shutil.which("napari-noise2self", path=Path(sys.executable).parent) or "missing"
QUICK = ("--preset", "fast", "--max-steps", "5", "--partition-size", "2", "--device", "cpu")
"""Options of the shortest training."""

# Processes that share few cores must not have more threads, which would wait for each other; and
# what CI sets to colour its logs must not decide what a test reads.
_COLOURS = ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _COLOURS}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONWARNINGS": "default"}

SLOW_DISK = """
import time, tifffile
fast = tifffile.TiffWriter.write
def write(self, *arguments, **options):
    fast(self, *arguments, **options)
    print("writing", flush=True)
    time.sleep(60)
tifffile.TiffWriter.write = write
from napari_noise2self.cli import main
main()
"""
"""Python code of a command line that stays in the middle of writing a result."""

TALKATIVE = """
from napari_noise2self import cli
from napari_noise2self.cli import console
report = console.FilesProgress.report
def talk(self, progress):
    report(self, progress)
    print(progress.stage, flush=True)
console.FilesProgress.report = talk
cli.main()
"""
"""Python code of a command line that prints each stage that it reports."""

INTERRUPTED = """
import os, signal
from napari_noise2self import cli
from napari_noise2self.cli import console
report = console.FilesProgress.report
def interrupt(self, progress):
    report(self, progress)
    os.kill(os.getpid(), signal.SIGINT)
console.FilesProgress.report = interrupt
cli.main()
"""
"""Python code of a command line whose user presses Ctrl-C at the first report."""


def start(*arguments: Any, code: str = "", **options: Any) -> subprocess.Popen[str]:
    """Start the command, or Python code with the arguments of the command."""
    program = [sys.executable, "-c", code] if code else [COMMAND]
    settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    settings |= {"env": ENVIRONMENT, "stdin": subprocess.DEVNULL} | options
    return subprocess.Popen([*program, *map(os.fspath, arguments)], **settings)


def run(*arguments: Any, code: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    with start(*arguments, code=code, **options) as process:
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def rows(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects on the lines of a standard output that holds nothing else."""
    return [json.loads(line, parse_constant=_refuse) for line in text.splitlines()]


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def noisy(shape: tuple[int, ...] = (64, 64), seed: int = 0) -> NDArray[np.uint16]:
    """A noisy image such as a camera writes."""
    photons = 50 * smooth_scene(shape[-2:], seed) + 5
    images = camera(np.broadcast_to(photons, shape), 2, 3, 100, seed)
    return np.clip(np.rint(images), 0, 65535).astype(np.uint16)


def write(path: Path, data: NDArray[Any] | None = None, **options: Any) -> Path:
    """Write a TIFF, by default a noisy image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, noisy() if data is None else data, **options)
    return path
