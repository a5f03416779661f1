"""What residuals say of the noise, and of how sure a network may be."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self.noise.refinement import (
    Refinement,
    Residuals,
    find_excess,
    refine_noise,
    weigh_doubt,
)

N = 40_000


def _normal(seed: int, variance: float | np.ndarray = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(N) * np.sqrt(variance)


def _residuals(
    noise: float | np.ndarray = 1.0, doubt: float = 1.0, predicted: float = 0.2
) -> Residuals:
    """Noise is assumed to be 1, and errors as predicted; they are what is asked for."""
    random = np.random.default_rng(0)
    variance = predicted * random.exponential(size=N)
    mean = random.uniform(size=N)
    return Residuals(mean, variance, _normal(1, noise + doubt * variance), np.ones(N))


def _as_measured(noise: float = 1.0):
    return lambda edges: np.full(len(edges) + 1, noise)


def _only(variance: np.ndarray, residual: np.ndarray) -> Residuals:
    return Residuals(np.zeros(N), variance, residual, np.ones(N))


# where no noise was measured


def test_noise_twice_as_strong_as_assumed_is_found() -> None:
    variance = np.random.default_rng(0).uniform(size=N)
    found = refine_noise(_only(variance, _normal(1, 2.0)), np.zeros(N))
    assert found is not None
    assert found.factor == pytest.approx(2.0, rel=0.1)
    assert found.leak == 0


def test_noise_that_leaks_into_the_prediction_is_told_from_the_pixel_s_own() -> None:
    found = refine_noise(_only(np.ones(N), _normal(1, 1.2)), _normal(2, 0.2))
    assert found is not None
    assert found.leak == pytest.approx(0.2, rel=0.1)
    assert found.factor == pytest.approx(1.0, rel=0.1)


def test_errors_where_the_network_is_unsure_do_not_count_as_noise() -> None:
    variance = np.where(np.arange(N) % 2, 5.0, 0.01)
    found = refine_noise(_only(variance, _normal(1, 1 + variance)), np.zeros(N))
    assert found is not None
    assert found.factor == pytest.approx(1.0, rel=0.1)


def test_dark_pixels_without_noise_say_nothing_of_noise_that_comes_with_light() -> None:
    light = np.arange(N) % 2 > 0
    photons = _only(np.where(light, 1.0, 0.01), np.where(light, _normal(1, 1.5), 0.0))
    assert refine_noise(photons, np.zeros(N)) is None
    drawing = _only(photons.variance, 0.3 * photons.residual)
    found = refine_noise(drawing, np.zeros(N))
    assert found is not None
    assert found.factor < 0.1


def test_too_few_pixels_tell_nothing() -> None:
    few = np.ones(50)
    assert refine_noise(Residuals(few, few, few, few), few) is None


def test_hot_pixels_do_not_decide() -> None:
    residual = _normal(1)
    residual[:5] = 1e6
    found = refine_noise(_only(np.ones(N), residual), np.zeros(N))
    assert found is not None
    assert found.factor == pytest.approx(1.0, rel=0.2)
    assert find_excess(_only(np.ones(N), residual)) == Refinement()


# where it was


@pytest.mark.parametrize("noise", [1.3, 2.0])
def test_noise_much_stronger_than_measured_is_found(noise: float) -> None:
    found = find_excess(_residuals(noise))
    assert found.factor == pytest.approx(noise, rel=0.03)
    assert found.sureness == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("noise", [0.5, 0.97, 1.0, 1.05])
def test_noise_as_measured_or_less_is_left_as_it_is(noise: float) -> None:
    """Residuals below the noise come from a network that has learned some of it."""
    assert find_excess(_residuals(noise)) == Refinement()


def test_more_than_the_correlation_allows_is_not_noise() -> None:
    assert find_excess(_residuals(1.3), most=1.4).factor > 1
    assert find_excess(_residuals(1.3), most=1.2) == Refinement()


def test_doubtful_predictions_are_not_taken_for_noise() -> None:
    assert find_excess(_residuals(doubt=3.0)) == Refinement()


@pytest.mark.parametrize("doubt", [1.0, 2.0])
def test_doubt_is_found_where_errors_differ_from_place_to_place(doubt: float) -> None:
    found, error = weigh_doubt(_residuals(doubt=doubt, predicted=0.5), 1.0, _as_measured())
    assert found == pytest.approx(doubt, rel=0.15)
    assert 0.2 < error < 0.3


def test_doubt_is_found_though_the_noise_of_each_brightness_was_measured_wrong() -> None:
    found = _residuals(predicted=0.5)
    noise = np.where(found.mean < 0.5, 0.6, 1.0)
    residual = _normal(1, noise + 2 * found.variance)
    wrong = Residuals(found.mean, found.variance, residual, found.assumed)
    measured = [0.6] * 4 + [1.0] * 4
    doubt, _ = weigh_doubt(wrong, 1.0, lambda edges: np.array(measured[: len(edges) + 1]))
    assert doubt == pytest.approx(2, rel=0.2)


def test_rehearsal_is_believed_where_errors_are_too_small_to_be_seen() -> None:
    """One per cent of noise, wrong by 2 %, is twice an error of 1 %."""
    doubt, error = weigh_doubt(_residuals(1.02, predicted=0.01), 0.7, _as_measured())
    assert doubt == pytest.approx(0.7, rel=0.4)
    assert error > 0.4


def test_doubt_is_never_less_than_in_the_rehearsal() -> None:
    assert weigh_doubt(_residuals(doubt=0.2, predicted=0.5), 0.9, _as_measured())[0] == 0.9


def test_brightness_without_a_measurement_takes_that_of_the_others() -> None:
    some = np.full(8, 1.0)
    some[3:] = np.nan
    doubt, _ = weigh_doubt(_residuals(predicted=0.5), 1.0, lambda edges: some)
    assert doubt == pytest.approx(1, rel=0.15)
    nothing, _ = weigh_doubt(_residuals(predicted=0.5), 1.0, lambda edges: np.full(8, np.nan))
    assert nothing == pytest.approx(1, rel=0.15)


def test_few_pixels_leave_the_doubt_as_rehearsed() -> None:
    few = Residuals(*(np.ones(500) for _ in range(4)))
    assert weigh_doubt(few, 1.3, _as_measured()) == (1.3, 0.5)
