"""Noise on patterns that come back is told from them; without one, nothing is found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.correlation import Correlation, coloured
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.periodic import (
    measure_windows_of_pattern,
    most_alike,
    noise_left,
    period,
)
from simulate import psnr, smooth_scene

SIDE = 160
Y, X = np.indices((SIDE, SIDE))


def _checkers(size: int) -> NDArray[np.float64]:
    return ((Y // size + X // size) % 2).astype(float)


PATTERNS = {
    "checkers of 1": _checkers(1),
    "checkers of 4": _checkers(4),
    "checkers of 8": _checkers(8),
    "grid": ((Y % 8 < 2) | (X % 8 < 2)).astype(float),
    "wells": (np.hypot(Y % 8 - 3.5, X % 8 - 3.5) < 3).astype(float),
    "two sines": (1 + np.sin(1.6 * Y)) * (1 + np.sin(1.3 * X)) / 4,
}
"""From 0 to 1."""


def _noise(seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((SIDE, SIDE))


@pytest.mark.parametrize("size", [1, 3, 8])
def test_the_period_is_found_in_noise(size: int) -> None:
    lag = period(4 * _checkers(size) + _noise())
    assert lag is not None
    down, across = lag
    assert (down + across) % (2 * size) == 0
    assert (down - across) % (2 * size) == 0
    assert max(down, abs(across)) >= 12


@pytest.mark.parametrize(
    "image",
    [
        _noise(),
        coloured(_noise(), Correlation((0.5, 0.1, 0), (0.5, 0.1, 0), 0.25)),
        20 * smooth_scene((SIDE, SIDE)) + _noise(),
        np.zeros((SIDE, SIDE)),
        np.full((SIDE, SIDE), np.nan),
        np.ones((1, 1)),
    ],
    ids=["white", "correlated", "blobs", "flat", "missing", "one pixel"],
)
def test_other_images_have_none(image: NDArray[np.float64]) -> None:
    assert period(image) is None


def test_missing_pixels_are_no_trouble() -> None:
    image = 4 * _checkers(4) + _noise()
    image[30:60, 20:90] = np.nan
    assert period(image) is not None


def test_no_image_is_more_alike_to_itself_than_wholly() -> None:
    alike, (down, across) = most_alike(_checkers(8))
    assert alike == pytest.approx(1, abs=0.01)
    assert (down + across) % 16 == 0


def test_what_is_left_is_noise_as_strong_and_as_alike_as_before() -> None:
    noise = coloured(_noise(), Correlation((0.4, 0, 0)))
    left = noise_left(10 * _checkers(8) + noise, (16, -32))
    assert left.shape == (SIDE - 16, SIDE - 32)
    assert left.var() == pytest.approx(1, rel=0.05)
    assert (left[:, 1:] * left[:, :-1]).mean() == pytest.approx(0.4, abs=0.05)


def test_windows_are_as_bright_as_the_pattern() -> None:
    photons = np.random.default_rng(0).poisson(20 + 60 * _checkers(16)).astype(float)
    windows = measure_windows_of_pattern(photons, (0, 32))
    for low, high in ((0, 30), (70, 200)):
        chosen = (windows.mean > low) & (windows.mean < high)
        bright = windows.mean[chosen].mean()
        assert windows.energy[chosen].mean() == pytest.approx(bright, rel=0.1)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_noise_on_a_pattern_is_white_and_as_strong_as_it_is(pattern: NDArray[np.float64]) -> None:
    photons = 10 + 40 * pattern
    noisy = np.random.default_rng(1).poisson(photons).astype(float)
    model = estimate_noise([noisy])
    assert model.reliable
    assert model.correlation.reach == 0
    assert model.variance(photons.mean()) == pytest.approx(photons.mean(), rel=0.2)


@pytest.mark.parametrize("name", ["checkers of 8", "wells", "two sines"])
def test_patterns_are_kept(name: str) -> None:
    """Taken for JPEG, or for correlated noise, they were lost: 6 dB."""
    photons = 10 + 40 * PATTERNS[name]
    noisy = np.random.default_rng(1).poisson(photons).astype(np.float32)
    settings = Settings(preset="fast", max_steps=20, device="cpu")
    result = Denoiser(settings).fit(noisy).denoise(noisy)
    assert psnr(result, photons) > psnr(noisy, photons)
