"""Noise that differs from place to place is told from noise that brightness explains."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self.noise.correlation import WHITE, Correlation, coloured
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.places import evened, find_places, measure_places
from simulate import camera, smooth_scene

SIDE = 192


def _light(side: int = SIDE, least: float = 0.2) -> NDArray[np.float64]:
    """Light that falls from the centre to the corners."""
    row, column = np.mgrid[:side, :side] / side - 0.5
    return np.asarray(least ** (2 * (row**2 + column**2)))


def _corrected(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An image in uneven light, corrected; and the true variance of its noise."""
    photons, light = 60 * smooth_scene((SIDE, SIDE), seed) + 8, _light()
    noisy = camera(photons * light, read_noise=1, seed=seed) / light
    return noisy, (photons * light + 1) / light**2


def _error(strength: NDArray[np.float64], law: NoiseModel, true: NDArray[np.float64]) -> float:
    """Deviation of the variance that is told, as a logarithm; the best smooth brightness known."""
    photons = 60 * smooth_scene((SIDE, SIDE)) + 8
    return float(np.std(np.log(strength**2 * law.variance(photons) / true)))


def test_noise_in_corrected_light_is_told_at_each_place() -> None:
    noisy, true = _corrected()
    (strength,) = find_places([noisy], estimate_noise([noisy])) or [np.ones_like(noisy)]
    law = estimate_noise([evened(noisy, strength)])
    assert _error(strength, law, true) < 0.15
    assert _error(np.ones_like(noisy), law, true) > 0.3, "else one law would do"


def test_the_law_is_told_too() -> None:
    noisy, _ = _corrected()
    (strength,) = find_places([noisy], estimate_noise([noisy])) or [np.ones_like(noisy)]
    law = estimate_noise([evened(noisy, strength)])
    assert law.gain == pytest.approx(np.median(1 / _light()), rel=0.15)


def test_tiles_of_different_exposure_hide_the_law() -> None:
    """In all tiles together, the noise seems to follow none."""
    photons = 60 * smooth_scene((SIDE, SIDE)) + 8
    exposed = np.repeat(np.repeat([[1.0, 4.0], [16.0, 64.0]], SIDE // 2, 0), SIDE // 2, 1)
    noisy = camera(photons * exposed) / exposed
    before = estimate_noise([noisy])
    (strength,) = find_places([noisy], before) or [np.ones_like(noisy)]
    law = estimate_noise([evened(noisy, strength)])
    assert not before.fitted
    assert law.gain * strength[SIDE // 4, SIDE // 4] ** 2 == pytest.approx(1, rel=0.25)
    assert strength[0, 0] / strength[-1, -1] == pytest.approx(8, rel=0.2)


def test_given_the_law_another_plane_tells_its_places_by_itself() -> None:
    (noisy, true), (other, _) = _corrected(), _corrected(1)
    (strength,) = find_places([other], estimate_noise([other])) or [np.ones_like(other)]
    law = estimate_noise([evened(other, strength)])
    assert _error(measure_places(noisy, law), law, true) < 0.15


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gain", [0.0, 2.0], ids=["gaussian", "photons"])
def test_noise_that_brightness_explains_is_left_to_it(gain: float, seed: int) -> None:
    photons = 60 * smooth_scene((SIDE, SIDE), seed) + 8
    noisy = camera(photons, gain, 3) if gain else photons + camera(0 * photons, read_noise=3)
    assert find_places([noisy], estimate_noise([noisy])) is None


def test_so_is_noise_that_neighbours_share() -> None:
    alike = Correlation((0.4, 0.06, 0.0), (0.4, 0.06, 0.0), 0.16)
    fresh = np.random.default_rng(0).standard_normal((SIDE, SIDE))
    noisy = 60 * smooth_scene((SIDE, SIDE)) + 3 * coloured(fresh, alike)
    assert find_places([noisy], estimate_noise([noisy])) is None


def test_noise_that_neighbours_share_is_told_at_each_place() -> None:
    alike = Correlation((0.4, 0.06, 0.0), (0.4, 0.06, 0.0), 0.16)
    fresh = np.random.default_rng(0).standard_normal((SIDE, SIDE))
    noise = 3 * coloured(fresh, alike) / _light()
    noisy = 60 * smooth_scene((SIDE, SIDE)) + noise
    (strength,) = find_places([noisy], estimate_noise([noisy])) or [np.ones_like(noisy)]
    assert np.std(np.log(strength * _light())) < 0.15


def test_fine_structure_all_over_is_no_witness() -> None:
    scene = 30 * np.random.default_rng(0).standard_normal((SIDE, SIDE))
    stripes = 60 * np.sin(np.arange(SIDE) * 1.1) * np.linspace(0, 1, SIDE)[:, None]
    noisy = stripes + scene * 0.03
    found = find_places([noisy], estimate_noise([noisy]))
    assert found is None


def test_what_is_missing_or_without_noise_has_sensible_noise() -> None:
    noisy, _ = _corrected()
    noisy[:40], noisy[40:100] = np.nan, camera(np.zeros((60, SIDE)), read_noise=1e-6) + 20
    strength = measure_places(noisy, NoiseModel(2.0, 3.0))
    assert np.isfinite(strength).all()
    assert strength.min() == pytest.approx(1 / 8)
    assert np.nanmedian(strength[130:]) > 0.5


@pytest.mark.parametrize("shape", [(1, 1), (12, 300), (30, 30)])
def test_small_planes_follow_their_law(shape: tuple[int, int]) -> None:
    noisy = camera(np.full(shape, 20.0))
    assert find_places([noisy], NoiseModel(1.0, 0.0, correlation=WHITE)) is None
    strength = measure_places(noisy, NoiseModel(1.0, 0.0))
    assert strength.shape == shape
    assert np.all(np.abs(np.log(strength)) < 0.5)


def test_evened_what_was_cut_off_is_still_the_darkest() -> None:
    """So that it is left out where noise is measured."""
    noisy, _ = _corrected()
    noisy = np.maximum(noisy, np.quantile(noisy, 0.05))
    even = evened(noisy, 1 / _light())
    cut = noisy == noisy.min()
    assert np.all(even[cut] == even.min())
    assert np.count_nonzero(even == even.min()) == np.count_nonzero(cut)


def test_a_plane_where_all_is_missing_stays_so() -> None:
    nothing = np.full((40, 40), np.nan)
    assert np.isnan(evened(nothing, np.ones((40, 40)))).all()


def test_evened_bright_and_dark_stay_so() -> None:
    photons = 60 * smooth_scene((SIDE, SIDE)) + 8
    np.testing.assert_allclose(evened(photons, 1 / _light()), photons, atol=6)
