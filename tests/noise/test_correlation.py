"""Noise of known correlation is recognised, and the right neighbours are hidden."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self.noise.correlation import (
    WHITE,
    Correlation,
    choose_exclusion,
    coloured,
    largest_excess,
    measure_correlation,
)
from napari_noise2self.noise.estimate import estimate_noise
from simulate import behind_round_aperture, smooth_scene

KERNELS = {
    "none": [[1.0]],
    "horizontal": [[1.0, 1.0]],
    "vertical": [[1.0], [1.0]],
    "square": [[1.0, 1.0], [1.0, 1.0]],
}


def _noise(kind: str, seed: int, side: int = 192) -> NDArray[np.float64]:
    """Gaussian noise of variance 1, correlated by 0.5 to the next pixel where it is."""
    white = np.random.default_rng(seed).standard_normal((side, side))
    noise = ndimage.convolve(white, np.array(KERNELS[kind]), mode="wrap")
    return noise / noise.std()


@pytest.mark.parametrize("kind", KERNELS)
def test_pure_noise_shows_its_correlation(kind: str) -> None:
    found = measure_correlation([_noise(kind, 0)])
    across, down = (kind in ("horizontal", "square")), (kind in ("vertical", "square"))
    assert found.horizontal[0] == pytest.approx(0.5 * across, abs=0.12)
    assert found.vertical[0] == pytest.approx(0.5 * down, abs=0.12)
    assert found.horizontal[1] == pytest.approx(0, abs=0.12)


@pytest.mark.parametrize("kind", KERNELS)
def test_the_kind_of_exclusion_is_right_in_19_of_20_images(kind: str) -> None:
    right = 0
    for seed in range(20):
        brightness = np.random.default_rng(seed).uniform(5, 40)
        image = brightness * smooth_scene((192, 192), seed=seed) + _noise(kind, seed)
        right += choose_exclusion(estimate_noise([image]).correlation)[0].kind == kind
    assert right >= 19


SHARPENING = np.array([[0.0, -0.5, 0.0], [-0.5, 3.0, -0.5], [0.0, -0.5, 0.0]])


def test_neighbours_of_a_sharpened_image_differ_and_are_hidden_too() -> None:
    noise = np.random.default_rng(0).standard_normal((192, 192))
    image = ndimage.convolve(40 * smooth_scene((192, 192)) + noise, SHARPENING, mode="wrap")
    model = estimate_noise([image])
    assert min(model.correlation.horizontal[0], model.correlation.vertical[0]) < -0.2
    assert model.intercept == pytest.approx(10, rel=0.15)
    exclusion, reason = choose_exclusion(model.correlation)
    assert exclusion.kind in ("plus", "square")
    assert "-0." in reason


def test_reason_is_one_sentence_with_the_measured_figures() -> None:
    exclusion, reason = choose_exclusion(Correlation((0.6, 0.1, 0.0), (0.05, 0.0, 0.0), 0.0))
    assert (exclusion.kind, exclusion.radius) == ("horizontal", 2)
    assert "0.60 across" in reason
    assert reason.count(".") == reason.count("0.") + 1


def test_smooth_images_are_seen_to_be_smooth_and_hide_no_neighbours() -> None:
    noisy = 40 * smooth_scene((192, 192)) + _noise("none", 0)
    model = estimate_noise([ndimage.gaussian_filter(noisy, 2)])
    assert model.correlation.smooth
    assert "already denoised" in model.note
    assert choose_exclusion(model.correlation)[0].radius == 0


def test_strongest_channel_counts_whatever_its_sign() -> None:
    alike, differing = Correlation((0.1, 0, 0), (0.3, 0, 0), 0.1), Correlation((-0.4, 0, 0))
    strongest = Correlation.of_channels([alike, differing])
    assert strongest == Correlation((-0.4, 0, 0), (0.3, 0, 0), 0.1)


def test_white_noise_hides_no_neighbours() -> None:
    assert choose_exclusion(WHITE)[0].kind == "none"


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (20, 20), (47, 200)])
def test_images_too_small_to_measure_are_taken_for_white(shape: tuple[int, int]) -> None:
    assert measure_correlation([np.random.default_rng(0).normal(size=shape)]) == WHITE


def test_constant_and_missing_pixels_are_taken_for_white() -> None:
    assert measure_correlation([np.zeros((100, 100))]) == WHITE
    assert measure_correlation([np.full((100, 100), np.nan)]) == WHITE


def test_correlations_are_no_more_than_1_and_the_strongest_counts_whatever_its_sign() -> None:
    found = measure_correlation([smooth_scene((128, 128)) + 1e-3 * _noise("none", 0, 128)])
    assert found.strongest_value <= 1
    assert Correlation((0.1, -0.4, 0.0), (0.2, 0.0, 0.0), 0.3).strongest_value == 0.4


@pytest.mark.parametrize(
    "correlation",
    [
        Correlation((0.5, 0.1, 0), (0.5, 0.1, 0), 0.25),
        Correlation((0.4, 0, 0)),
        Correlation((0.12, 0, 0), (0.05, 0, 0), 0.0),
    ],
)
def test_coloured_noise_has_the_correlation_and_the_variance(correlation: Correlation) -> None:
    noise = coloured(np.random.default_rng(0).standard_normal((3, 256, 256)), correlation)
    assert noise.var() == pytest.approx(1, rel=0.03)
    found = [np.mean(noise * np.roll(noise, lag, (1, 2))) for lag in ((0, 1), (1, 0), (1, 1))]
    expected = [correlation.horizontal[0], correlation.vertical[0], correlation.diagonal]
    assert found == pytest.approx(expected, abs=0.03)


def test_white_and_narrow_noise_stays_as_it_is() -> None:
    noise = np.random.default_rng(0).standard_normal((5, 5))
    assert coloured(noise, WHITE) is noise
    assert coloured(noise, Correlation((0.5, 0, 0))) is noise


@pytest.mark.parametrize("shared", [0.0, 0.1, 0.2])
def test_blind_estimate_misses_no_more_noise_than_said(shared: float) -> None:
    correlation = Correlation((shared, 0, 0), (shared, 0, 0), shared**2)
    noise = coloured(np.random.default_rng(0).standard_normal((256, 256)), correlation)
    missed = 1 / estimate_noise([noise]).intercept
    assert missed < largest_excess(correlation) < 1.4 * missed


@pytest.mark.parametrize("widest", [1.0, 1.1, 1.2])
def test_the_excess_is_bounded_behind_a_round_aperture(widest: float) -> None:
    """The filter sees a third of such noise, though neighbours are hardly alike."""
    noise = behind_round_aperture(widest, 256)
    model = estimate_noise([noise])
    assert not model.correlation.reach
    assert model.correlation.lacks_highest
    missed = 1 / model.intercept
    assert 0.9 * missed < largest_excess(model.correlation) < 1.5 * missed


def test_the_bound_of_white_noise_is_its_error() -> None:
    measured = measure_correlation([np.random.default_rng(0).standard_normal((256, 256))])
    assert not measured.lacks_highest
    assert largest_excess(measured) < 1.25


def test_the_bound_is_bounded() -> None:
    """Whatever was measured."""
    for value in (-1.0, 1.0):
        odd = Correlation((value,) * 3, (value,) * 3, -1.0)
        assert 1 < largest_excess(odd) <= 20
