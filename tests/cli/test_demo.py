"""The demo: a sample whose clean image is known, denoised for real."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from napari_noise2self import Denoiser, Settings
from napari_noise2self.cli.demo import run_demo
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.images import ImageError, read_provenance
from shell import run, write
from simulate import TINY

QUICK = Settings(**TINY, max_steps=2, partition_size=2)
NAMES = ["clean.tif", "demo.png", "denoised.tif", "noisy.tif"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_real_command_makes_the_sample_better(tmp_path: Path):
    done = run("demo", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.findall(r"(?m)^(PSNR before|PSNR after|Estimated) +([\d.]+) dB", done.stdout)
    assert [name for name, _ in found] == ["PSNR before", "PSNR after", "Estimated"]
    before, after, estimated = (float(number) for _, number in found)
    assert after > before + 5
    assert estimated == pytest.approx(after, abs=4)
    folder = tmp_path / "demo"
    assert names(folder) == NAMES
    clean, noisy = (tifffile.imread(folder / f"{name}.tif") for name in ("clean", "noisy"))
    denoised = tifffile.imread(folder / "denoised.tif")
    assert f"{psnr(clean, noisy):.1f} {psnr(clean, denoised):.1f}" == f"{before} {after}"
    assert np.mean(np.abs(np.diff(denoised))) < np.mean(np.abs(np.diff(noisy.astype(float))))


def test_picture_shows_noisy_denoised_and_clean_side_by_side(tmp_path: Path):
    run_demo(tmp_path, QUICK)
    with Picture.open(tmp_path / "demo.png") as picture:
        pixels = np.asarray(picture).astype(float)
    clean = tifffile.imread(tmp_path / "clean.tif")
    low, high = np.percentile(clean, (0.1, 99.8))
    side = clean.shape[0]
    assert pixels.shape == (side, 3 * side + 16)
    for name, start in (("noisy", 0), ("denoised", side + 8), ("clean", 2 * side + 16)):
        panel, image = pixels[:, start : start + side], tifffile.imread(tmp_path / f"{name}.tif")
        expected = 255 * np.clip((image - low) / (high - low), 0, 1)
        np.testing.assert_allclose(panel, expected, atol=1)


def test_result_says_how_it_was_made(tmp_path: Path):
    run_demo(tmp_path, QUICK)
    made_by = read_provenance(tmp_path / "denoised.tif")
    assert made_by is not None
    assert made_by["settings"] == QUICK.to_dict()
    assert read_provenance(tmp_path / "noisy.tif") is None


def test_earlier_demo_is_replaced(tmp_path: Path):
    run_demo(tmp_path / "demo", QUICK)
    (tmp_path / "demo" / "clean.tif").unlink()
    run_demo(tmp_path / "demo", QUICK)
    assert names(tmp_path / "demo") == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_user_are_kept(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Denoiser, "fit", lambda *_, **__: pytest.fail("worked in vain"))
    before = write(tmp_path / name).read_bytes()
    with pytest.raises(ImageError, match=f"{name} exists already"):
        run_demo(tmp_path, QUICK)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == before


def test_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").touch()
    for folder, code in (("file/demo", 1), ("file", 2)):
        done = run("demo", "--output", folder, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.count("\n") == 1
        assert folder in done.stderr
