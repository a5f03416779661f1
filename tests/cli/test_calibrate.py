"""``napari-noise2self calibrate``: the rules of ``denoise``, with classic filters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_noise2self import cli
from napari_noise2self.calibration import CLASSICS
from napari_noise2self.cli import _commands
from napari_noise2self.images import read_image, read_provenance
from simulate import camera, smooth_scene


def _calibrate(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["calibrate", *map(str, arguments)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An ImageJ stack of two noisy planes, with its pixel size."""
    path = tmp_path / "cells.tif"
    planes = np.stack([camera(10 + 50 * smooth_scene((24, 20), seed)) for seed in range(2)])
    meta = {"axes": "TYX", "unit": "um"}
    tifffile.imwrite(path, planes.astype(np.uint16), imagej=True, resolution=(5, 5), metadata=meta)
    return path


def test_writes_result_with_metadata_and_how_it_was_made(source: Path, tmp_path: Path) -> None:
    done = _calibrate(source, "--output", tmp_path / "out", "--method", "tv")
    assert done.exit_code == 0, done.output
    assert "tv at" in done.output
    noisy, result = read_image(source), read_image(tmp_path / "out" / "cells.tif")
    assert (result.axes, result.data.dtype) == (noisy.axes, noisy.data.dtype)
    assert result.pixel_size == noisy.pixel_size
    assert result.data.std() < noisy.data.std()
    made_by = read_provenance(tmp_path / "out" / "cells.tif")
    assert made_by is not None
    assert made_by["figures"]["method"] == "tv"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cells.tif"]


def test_json_tells_method_parameter_and_curves(source: Path, tmp_path: Path) -> None:
    done = _calibrate(source, "--output", tmp_path / "out", "--json", "--dtype", "float32")
    outcome = json.loads(done.stdout)
    assert outcome["input"] == str(source)
    assert outcome["output"] == str(tmp_path / "out" / "cells.tif")
    assert outcome["error"] is None
    assert outcome["seconds"] > 0
    assert outcome["held_out_loss"] > 0
    curves = {curve["method"]: curve for curve in outcome["curves"]}
    assert list(curves) == list(CLASSICS)
    assert outcome["parameter"] == curves[outcome["method"]]["best"]
    assert read_image(tmp_path / "out" / "cells.tif").data.dtype == np.float32


def test_one_bad_file_does_not_stop_the_others(source: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tif"
    bad.write_text("no image")
    arguments = (bad, source, "--output", tmp_path / "out", "--method", "gaussian")
    done = _calibrate(*arguments)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "out" / "cells.tif").exists()


def test_never_replaces_a_file_unasked(source: Path, tmp_path: Path) -> None:
    arguments = (source, "--output", tmp_path / "out", "--method", "gaussian")
    result = tmp_path / "out" / "cells.tif"
    assert _calibrate(*arguments).exit_code == 0
    result.write_bytes(b"mine")
    done = _calibrate(*arguments)
    assert done.exit_code == 1
    assert "--overwrite" in done.stderr
    assert result.read_bytes() == b"mine"
    assert _calibrate(*arguments, "--overwrite").exit_code == 0
    assert result.read_bytes() != b"mine"


def test_wrong_usage(source: Path, tmp_path: Path) -> None:
    assert _calibrate(source, "--output", tmp_path / "out", "--method", "bm3d").exit_code == 2
    assert _calibrate(source, "--output", tmp_path).exit_code == 2  # would replace its input
    assert _calibrate(source, "--output", source).exit_code == 2


def test_methods_are_the_classics() -> None:
    assert get_args(get_type_hints(_commands.calibrate)["method"]) == ("auto", *CLASSICS)
