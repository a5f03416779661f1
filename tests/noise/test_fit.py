"""The line of noise against brightness goes through noise, not through structure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.fit import fit_line
from napari_noise2self.noise.windows import measure_windows
from simulate import camera, smooth_scene


def _beads(number: int, width: float, peak: float) -> np.ndarray:
    """Return points of light on nothing."""
    random = np.random.default_rng(7)
    scene = np.zeros((160, 160))
    scene[tuple(random.integers(5, 155, (2, number)))] = random.uniform(0.3, 1, number)
    return ndimage.gaussian_filter(scene, width) * 2 * np.pi * width**2 * peak


@pytest.mark.parametrize(
    ("number", "width", "peak"), [(5, 1.2, 30_000), (30, 0.8, 3_000), (60, 0.8, 30_000)]
)
def test_beads_do_not_make_the_gain(number: int, width: float, peak: float) -> None:
    """Nothing but beads is brighter than the field: how noisy they are can't be told."""
    noisy = camera(_beads(number, width, peak) + 20, 2.5, 3, 100, 0)
    model = estimate_noise([noisy])
    assert model.reliable
    assert model.gain == 0
    assert model.intercept == pytest.approx(2.5**2 * 20 + 3**2, rel=0.1)


def test_the_user_is_told_that_one_brightness_alone_shows_its_noise() -> None:
    noisy = camera(_beads(30, 0.8, 3_000) + 20, 2.5, 3, 100, 0)
    assert "about one brightness" in estimate_noise([noisy]).note


def _threads(width: float) -> np.ndarray:
    random = np.random.default_rng(1)
    scene = np.zeros((256, 256))
    for start, angle in zip(random.uniform(0, 256, (40, 2)), random.uniform(0, 7, 40), strict=True):
        angles = angle + np.cumsum(random.normal(0, 0.05, 300))
        way = start + np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1), 0)
        inside = way[((way >= 0) & (way < 256)).all(1)].astype(int)
        scene[tuple(inside.T)] = 1
    return ndimage.gaussian_filter(scene, width)


@pytest.mark.parametrize("width", [0.6, 0.8, 1.0])
def test_threads_do_not_hide_the_gain(width: float) -> None:
    """They are as sharp as the pixels, so that they have energy at the highest frequencies."""
    photons = 1000 * _threads(width) + 300 * smooth_scene((256, 256)) + 5
    model = estimate_noise([camera(photons, 2, 0, 100, 0)])
    assert model.fitted
    assert model.gain == pytest.approx(2, rel=0.2)


def test_fine_texture_of_bright_parts_is_no_noise() -> None:
    random = np.random.default_rng(0)
    scene = 100 * smooth_scene((256, 256))
    texture = ndimage.gaussian_filter(random.standard_normal(scene.shape), 0.7)
    scene = scene + np.where(scene > 40, 6 * texture / texture.std(), 0)
    model = estimate_noise([scene + random.normal(0, 3, scene.shape)])
    np.testing.assert_allclose(model.variance(np.array([20.0, 80.0])), 9, rtol=0.1)


def test_noise_alone_is_of_one_brightness_and_yet_all_of_it_is_seen() -> None:
    line = fit_line([measure_windows(np.random.default_rng(0).standard_normal((256, 256)))])
    assert not line.narrow
    assert line.variance.mean() == pytest.approx(1, rel=0.05)
