"""Images too small for windows show their noise roughly; next to nothing shows nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self.noise.correlation import Correlation, coloured
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.small_image import rough_line
from simulate import camera, smooth_scene

SHAPES = [(12, 256), (400, 5), (24, 24), (1, 400), (300, 2)]


def _scene(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A part of a larger one."""
    return smooth_scene((400, 400))[: shape[0], : shape[1]]


def _noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(shape)


def _line(image: NDArray[np.float64]) -> tuple[float, float]:
    line = rough_line([image])
    assert line is not None
    return line


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_noise(shape: tuple[int, int]) -> None:
    model = estimate_noise([100 + 20 * _scene(shape) + 2 * _noise(shape)])
    assert model.reliable
    assert not model.fitted, "it is a stand-in, and gives no estimated PSNR"
    assert "roughly" in model.note
    assert model.variance(np.array(100.0)) == pytest.approx(4, rel=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_photons_make_the_bright_parts_noisier(seed: int) -> None:
    photons = 200 * smooth_scene((256, 256), seed)[100:112] + 5
    gain, intercept = _line(camera(photons, gain=2, offset=100, seed=seed))
    assert gain == pytest.approx(2, rel=0.35)
    assert gain * 200 + intercept == pytest.approx(200, rel=0.35)


def test_noise_that_next_neighbours_share_is_not_missed() -> None:
    shared = Correlation((0.4, 0, 0), (0.4, 0, 0), 0.16)
    noise = coloured(_noise((256, 256)), shared)[:12]
    gain, intercept = _line(noise)
    assert gain == 0
    assert intercept == pytest.approx(1, rel=0.2)


def test_planes_are_looked_at_together_and_missing_pixels_passed_over() -> None:
    planes = [_noise((9, 30), seed) for seed in range(8)]
    planes[0][2] = np.nan
    assert rough_line(planes) == (0, pytest.approx(1, rel=0.25))


@pytest.mark.parametrize("shape", [(1, 1), (5, 6), (1, 20), (7, 3)])
def test_too_few_pixels_tell_nothing(shape: tuple[int, int]) -> None:
    assert rough_line([np.full(shape, np.nan)]) is None
    assert not estimate_noise([_noise(shape)]).reliable


def test_no_noise_is_none() -> None:
    assert not estimate_noise([np.linspace(0, 1, 400).reshape(400, 1) @ np.ones((1, 5))]).reliable
