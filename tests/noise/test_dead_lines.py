"""Rows and columns of a camera that tell nothing: found, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings, denoise
from napari_noise2self.noise.dead_lines import dead_lines, without_dead_lines
from simulate import psnr, smooth_scene

SHAPE = (96, 128)
CLEAN = 100 + 40 * smooth_scene(SHAPE)


def _noisy(seed: int = 0) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).poisson(CLEAN).astype(np.uint16)


def _found(plane: NDArray[np.generic]) -> tuple[list[int], list[int]]:
    """Return the dead rows and columns of a plane (H, W)."""
    (dead,) = dead_lines(plane[None])
    rows, columns = np.flatnonzero(dead.all(axis=1)), np.flatnonzero(dead.all(axis=0))
    assert dead.sum() == np.count_nonzero(
        np.isin(np.arange(SHAPE[0]), rows)[:, None] | np.isin(np.arange(plane.shape[1]), columns)
    )
    return rows.tolist(), columns.tolist()


@pytest.mark.parametrize("level", [0, 4000])
@pytest.mark.parametrize("columns", [[1], [126], [40], [40, 41], [3, 60, 61, 100]])
def test_dead_and_bright_columns(level: int, columns: list[int]) -> None:
    noisy = _noisy()
    noisy[:, columns] = level
    assert _found(noisy) == ([], columns)
    assert _found(noisy.T.copy()[: SHAPE[0]])[0] == [c for c in columns if c < SHAPE[0]]


@pytest.mark.parametrize("dtype", [np.uint16, np.float16, np.float32, np.float64])
def test_a_bright_row_may_be_noisy_and_lack_some_pixels(dtype: type) -> None:
    noisy = _noisy().astype(dtype)
    noisy[30] += np.random.default_rng(1).poisson(900, SHAPE[1]).astype(dtype)
    noisy[30, ::20] = 100
    if noisy.dtype.kind == "f":
        noisy[:, 64] = np.nan
    assert _found(noisy) == ([30], [])


def _line(width: float) -> NDArray[np.float64]:
    """A bright line across the image, as wide as optics make it (standard deviation)."""
    return CLEAN + 2000 * np.exp(-0.5 * ((np.arange(SHAPE[1]) - 50.5) / width) ** 2)


@pytest.mark.parametrize(
    "plane",
    [
        CLEAN,
        _line(0.7),
        _line(1.5),
        np.where(np.arange(SHAPE[1]) == 50, 4000, CLEAN) * (np.arange(SHAPE[0]) < 48)[:, None],
        np.where(np.arange(SHAPE[1]) % 8 == 0, 4000.0, CLEAN),
        np.where(np.abs(np.arange(SHAPE[1]) - 50) < 2, 4000.0, CLEAN),
        np.where(np.arange(SHAPE[1]) < 64, 10.0, 4000.0) + 0 * CLEAN,
        np.where(np.arange(SHAPE[1]) == 0, 4000.0, CLEAN),
        np.full(SHAPE, 7.0),
        np.full(SHAPE, np.nan),
    ],
    ids=[
        "none",
        "thin",
        "thick",
        "half",
        "grating",
        "three wide",
        "edge",
        "border",
        "flat",
        "missing",
    ],
)
def test_what_is_no_dead_line(plane: NDArray[np.float64]) -> None:
    light = np.nan_to_num(plane)
    for noisy in (plane, np.where(np.isnan(plane), plane, np.random.default_rng(0).poisson(light))):
        assert _found(noisy) == ([], [])


def test_a_plane_without_dead_lines_is_itself() -> None:
    plane = _noisy()[None]
    assert without_dead_lines(plane) is plane


def test_small_planes_have_none() -> None:
    plane = np.random.default_rng(0).poisson(100, (20, 20))
    plane[:, 7] = 0
    assert not dead_lines(plane[None]).any()


@pytest.mark.parametrize("level", [0, 4000])
def test_they_are_predicted_from_what_is_around(level: int) -> None:
    noisy = _noisy()
    settings = Settings(preset="fast", max_steps=0, device="cpu")
    whole = denoise(noisy, settings)
    noisy[:, [20, 77, 78]] = level
    denoiser = Denoiser(settings).fit(noisy)
    result = denoiser.result(noisy)
    assert result.figures["hot_pixels"] == 3 * SHAPE[0]
    assert psnr(result.image, CLEAN) > psnr(whole, CLEAN) - 1
    assert np.abs(result.image[:, [20, 77, 78]] - CLEAN[:, [20, 77, 78]]).max() < 40


def test_strong_noise_hides_no_dead_column() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        noisy = CLEAN + np.where(random.random(SHAPE) < 0.1, 20, 10) * random.standard_normal(SHAPE)
        noisy[:, [50, 51]] = 0
        assert _found(noisy) == ([], [50, 51])
