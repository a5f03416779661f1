"""Noise2Fast (Apache-2.0) on one image: ``NOISY.tif RESULT.tif N2F.py``, of a clone of its own."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

noisy, result, program = sys.argv[1:]
with tempfile.TemporaryDirectory() as parent:
    folder = Path(parent) / "noisy"
    folder.mkdir()
    shutil.copy(noisy, folder / "image.tif")
    subprocess.run([sys.executable, Path(program).resolve(), "noisy"], cwd=parent, check=True)
    shutil.move(f"{folder}_N2F/image.tif", result)
