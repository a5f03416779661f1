"""Images of so few photons that their noise is known from theory."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self import denoise
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.single_photons import single_photons
from simulate import psnr, smooth_scene

SHAPE = (128, 128)
RATE = np.clip(smooth_scene(SHAPE), 0, None)


def _photons(mean: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean * RATE / RATE.mean()).astype(float)


@pytest.mark.parametrize("mean", [0.003, 0.01, 0.05])
@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (37.5, -3), (0.1, 0.7)])
def test_one_photon_is_one_level(mean: float, gain: float, offset: float) -> None:
    model = estimate_noise([gain * _photons(mean) + offset])
    assert model.fitted
    assert model.gain == pytest.approx(gain)
    assert model.read_variance == pytest.approx(0, abs=1e-9)
    assert model.offset == pytest.approx(offset)


def test_missing_pixels_are_left_out() -> None:
    plane = _photons(0.02)
    plane[40:] = np.nan
    assert single_photons([plane]) is not None


def test_several_images_are_looked_at_together() -> None:
    assert single_photons([np.zeros(SHAPE), _photons(0.01)]) is not None


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros(SHAPE),
        np.full(SHAPE, np.nan),
        _photons(0.3),
        (smooth_scene(SHAPE) > np.quantile(smooth_scene(SHAPE), 0.95)).astype(float),
        _photons(0.02) * np.random.default_rng(1).uniform(1, 2, SHAPE),
        4 * _photons(0.01) + _photons(0.001),
    ],
    ids=["dark", "missing", "many", "drawing", "amplified", "four at a time"],
)
def test_other_images_are_measured(plane: np.ndarray) -> None:
    assert single_photons([plane]) is None


def test_they_are_denoised() -> None:
    """Without a noise model the result was as noisy as the input, about."""
    clean = 0.02 * RATE / RATE.mean()
    noisy = _photons(0.02).astype(np.uint8)
    result = denoise(noisy, preset="fast", max_steps=0, device="cpu", dtype="float32")
    assert psnr(result, clean) > psnr(noisy, clean) + 12
