"""The noise found once more in what a network could not predict."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self.refinement import measure_surprise, refine_noise

N = 8000


def _normal(seed: int, variance: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, np.sqrt(variance), N)


def test_noise_twice_as_strong_as_assumed_is_found() -> None:
    variance = np.random.default_rng(0).uniform(size=N)
    found = refine_noise(variance, _normal(1, 2.0), np.zeros(N), np.ones(N))
    assert found is not None
    assert found.factor == pytest.approx(2.0, rel=0.1)
    assert found.leak == 0


def test_noise_that_leaks_into_the_prediction_is_told_from_the_pixel_s_own() -> None:
    found = refine_noise(np.ones(N), _normal(1, 1.2), _normal(2, 0.2), np.ones(N))
    assert found is not None
    assert found.leak == pytest.approx(0.2, rel=0.1)
    assert found.factor == pytest.approx(1.0, rel=0.1)


def test_errors_where_the_network_is_unsure_do_not_count_as_noise() -> None:
    variance = np.where(np.arange(N) % 2, 5.0, 0.01)
    found = refine_noise(variance, _normal(1) * np.sqrt(1 + variance), np.zeros(N), np.ones(N))
    assert found is not None
    assert found.factor == pytest.approx(1.0, rel=0.1)


def test_too_few_pixels_tell_nothing() -> None:
    few = np.ones(50)
    assert refine_noise(few, few, few, few) is None


def test_hot_pixels_do_not_decide() -> None:
    residual = _normal(1)
    residual[:5] = 1e6
    found = refine_noise(np.ones(N), residual, np.zeros(N), np.ones(N))
    assert found is not None
    assert found.factor == pytest.approx(1.0, rel=0.2)


def test_measured_noise_is_not_made_smaller() -> None:
    """Residuals below the noise come from a network that has learned some of it."""
    quiet = _normal(1, 0.4)
    found = refine_noise(np.ones(N), quiet, np.zeros(N), np.ones(N), smallest=1.0)
    assert found is not None
    assert found.factor == 1.0


@pytest.mark.parametrize(("variance", "surprise"), [(1.5, 1.5), (0.5, 1.0)])
def test_surprise_is_what_the_network_did_not_expect(variance: float, surprise: float) -> None:
    """Never less than 1: that would say that the noise was less than was measured."""
    found = measure_surprise(np.full(N, 0.2), _normal(1, variance), np.full(N, 0.8), N)
    assert found is not None
    assert found.surprise == pytest.approx(surprise, rel=0.05)
    assert (found.factor, found.leak) == (1, 0)


def test_surprise_by_chance_is_not_believed() -> None:
    """The mean of 8000 squares is off by 1.6 %, that of 800 pixels seen ten times by 5 %."""
    residual = _normal(1)
    residual *= np.sqrt(1.04 / np.mean(residual**2))
    variance, noise = np.full(N, 0.1), np.full(N, 0.9)
    many, few = (measure_surprise(variance, residual, noise, count) for count in (N, N // 10))
    assert many is not None
    assert few is not None
    assert few.surprise == 1 < many.surprise < 1.04
