"""What is measured in windows tells noise from structure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self.noise.windows import by_brightness, joined, leaked, measure_windows
from simulate import smooth_scene

NOISE = np.random.default_rng(0).standard_normal((256, 256))


def _leak(image: np.ndarray) -> float:
    windows = measure_windows(image)
    energies = (windows.energy, windows.coarse, windows.coarser)
    return float(leaked(*(np.array(np.median(each)) for each in energies)))


@pytest.mark.parametrize("spacing", [1, 3])
def test_white_noise_has_the_same_energy_at_all_scales(spacing: int) -> None:
    windows = measure_windows(7 * NOISE, spacing)
    for energy in (windows.energy, windows.coarse, windows.coarser):
        assert energy.mean() == pytest.approx(49, rel=0.05)


def test_nothing_leaks_from_noise_and_from_smooth_structure() -> None:
    assert _leak(NOISE) < 0.1
    assert _leak(100 * smooth_scene((256, 256)) + NOISE) < 0.1


@pytest.mark.parametrize("width", [0.5, 0.8, 1.2])
def test_points_leak(width: float) -> None:
    points = np.zeros((256, 256))
    points[::5, ::5] = 1e4
    assert _leak(ndimage.gaussian_filter(points, width) + NOISE) > 1


def test_where_nothing_is_nothing_leaks() -> None:
    nothing = np.zeros(3)
    np.testing.assert_array_equal(leaked(nothing, nothing, nothing), nothing)


def test_windows_keep_away_from_missing_pixels() -> None:
    image = NOISE.copy()
    image[100:120, 100:120] = np.nan
    windows = measure_windows(image)
    assert 0 < windows.energy.size < measure_windows(NOISE).energy.size
    assert np.isfinite(windows.coarser).all()


def test_the_brightest_windows_have_groups_of_their_own() -> None:
    windows = joined([measure_windows(NOISE), measure_windows(NOISE + 100)])
    sizes = [len(group) for group in by_brightness(windows.around)]
    assert sum(sizes) == windows.around.size
    assert sizes[-1] < 100 < sizes[0]
