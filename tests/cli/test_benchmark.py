"""The network against plain references."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_noise2self import Settings
from napari_noise2self.cli.benchmark import Pair, Row, compare, pairs, table
from napari_noise2self.images import ImageError
from shell import noisy, rows, run, write
from simulate import TINY, smooth_scene

QUICK = Settings(**TINY, max_steps=5, partition_size=2)
METHODS = ["noisy", "gaussian", "nlm", "tv", "noise2self"]
CLEAN = (100 * smooth_scene() + 110).astype(np.float32)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two noisy images and their clean counterparts, and a file that is no image."""
    for name, seed in (("a.tif", 0), ("b.tif", 1)):
        write(tmp_path / "noisy" / name, noisy(seed=seed))
        write(tmp_path / "clean" / name, (100 * smooth_scene(seed=seed) + 110).astype(np.float32))
    (tmp_path / "noisy" / "notes.txt").touch()
    return tmp_path / "noisy", tmp_path / "clean"


def test_pairs_by_name(folders: tuple[Path, Path]):
    found = list(pairs(*folders))
    assert [pair.name for pair in found] == ["a.tif", "b.tif"]
    for pair in found:
        np.testing.assert_array_equal(pair.noisy, tifffile.imread(folders[0] / pair.name))
        np.testing.assert_array_equal(pair.clean, tifffile.imread(folders[1] / pair.name))


def test_missing_counterpart_is_noticed_before_the_work(folders: tuple[Path, Path]):
    (folders[1] / "b.tif").unlink()
    with pytest.raises(ImageError, match=r"clean/b\.tif is missing"):
        next(pairs(*folders))


@pytest.mark.parametrize("shape", [(64, 32), (2, 64, 64)])
def test_sizes_must_agree(folders: tuple[Path, Path], shape: tuple[int, ...]):
    write(folders[1] / "a.tif", np.zeros(shape, np.float32))
    with pytest.raises(ImageError, match="same size"):
        next(pairs(*folders))


@pytest.mark.parametrize("make", [Path.mkdir, lambda folder: None])
def test_folder_without_images(tmp_path: Path, make):
    make(tmp_path / "noisy")
    with pytest.raises(ImageError, match="noisy"):
        next(pairs(tmp_path / "noisy", tmp_path))


def test_every_method_is_scored_against_the_clean_image():
    pair = Pair("a.tif", noisy(), CLEAN)
    found = {row.method: row for row in compare(pair, QUICK)}
    assert list(found) == METHODS
    before = found["noisy"]
    assert before.psnr == pytest.approx(
        10 * math.log10(np.ptp(CLEAN) ** 2 / np.mean((CLEAN - pair.noisy) ** 2.0)), abs=1e-3
    )
    for method in ("gaussian", "nlm", "tv"):
        assert found[method].psnr > before.psnr + 2
        assert found[method].ssim > before.ssim
        assert found[method].seconds > 0


def test_mean_of_each_method():
    some = [Row("a", "tv", 20, 0.5, 1), Row("b", "tv", 30, 0.7, 3), Row("a", "nlm", 25, 0.1, 2)]
    expected = [("mean", "tv", 25, 0.6, 2), ("mean", "nlm", 25, 0.1, 2)]
    for row, (file, method, *values) in zip(table(some), expected, strict=True):
        assert (row.file, row.method) == (file, method)
        assert [row.psnr, row.ssim, row.seconds] == pytest.approx(values)


def test_figures_without_a_value_are_null_in_json():
    row = Row("a.tif", "noisy", math.inf, math.nan, 0.5)
    assert json.loads(json.dumps(row.to_dict(), allow_nan=False))["psnr"] is None


def test_real_command_prints_json(folders: tuple[Path, Path]):
    for folder in folders:
        (folder / "b.tif").unlink()
        write(folder / "a.tif", tifffile.imread(folder / "a.tif")[:32, :32])
    done = run("benchmark", *folders, "--preset", "fast", "--device", "cpu", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = rows(done.stdout)
    assert [row["method"] for row in found] == METHODS * 2
    assert [row["file"] for row in found] == ["a.tif"] * 5 + ["mean"] * 5
    for row, mean in zip(found[:5], found[5:], strict=True):
        assert {**row, "file": "mean"} == mean
    by_method = {row["method"]: row["psnr"] for row in found[:5]}
    assert by_method["noise2self"] > by_method["noisy"] + 2


def test_real_command_fails_in_one_line(folders: tuple[Path, Path]):
    (folders[0] / "a.tif").write_text("hello")
    done = run("benchmark", *folders)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{folders[0] / 'a.tif'} is not a TIFF file")
    assert done.stderr.count("\n") == 1
