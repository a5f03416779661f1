"""The PSNR that is estimated without a clean image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.accuracy import ErrorEstimate, PlanePrediction
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.samples import simulate_cells
from simulate import camera, psnr, smooth_scene

GAUSSIAN = NoiseModel(0, 4)
POISSON = NoiseModel(2, 100)


def add(
    estimate: ErrorEstimate, mean: np.ndarray, error: float, *models: NoiseModel, noise: Any = 1
) -> None:
    """Add a plane with the same relative error everywhere, and the same noise in a channel."""
    noises = np.broadcast_to(np.reshape(noise, (-1, 1, 1)), mean.shape)
    present = np.isfinite(mean)
    errors = np.full(mean.shape, error)
    estimate.add(PlanePrediction(np.nan_to_num(mean), errors, noises, present), models)


def figures(
    mean: np.ndarray, error: float, *models: NoiseModel, noise: Any = 1, dtype: str = "float32"
) -> tuple[float | None, float | None]:
    estimate = ErrorEstimate(np.dtype(dtype))
    add(estimate, mean, error, *models, noise=noise)
    found = estimate.figures()
    return found["estimated_psnr_before"], found["estimated_psnr"]


@pytest.fixture
def ramp() -> np.ndarray:
    """One channel of grey levels between 0 and 20."""
    return np.linspace(0, 20, 64).reshape(1, 8, 8)


def test_range_is_that_of_the_denoised_image(ramp: np.ndarray):
    before, after = figures(ramp, 1e-6, GAUSSIAN)
    assert before == pytest.approx(20, abs=0.01)
    assert after == pytest.approx(80, abs=0.01)


@pytest.mark.parametrize("noise", [0.25, 25], ids=["of noise", "of the prediction"])
def test_errors_do_not_widen_the_range(noise: float):
    """The most extreme of many pixels owe it to their errors, noise that is left or not."""
    clean = np.tile(np.linspace(0, 20, 100), (100, 1))
    result = clean + np.random.default_rng(0).normal(0, 1, clean.shape)
    _, after = figures(result[None], 0.25, NoiseModel(0, 4), noise=noise)
    assert after == pytest.approx(psnr(result, clean), abs=1.6)
    assert 20 * np.log10(np.ptp(result) / 20) > 2  # the negative control


def test_range_of_8_bit_images_is_255(ramp: np.ndarray):
    assert figures(ramp, 1, GAUSSIAN, dtype="uint8")[0] == pytest.approx(42.11, abs=0.005)


def test_noise_that_grows_with_the_signal_counts_where_it_is(ramp: np.ndarray):
    variance = 2 * ramp.mean() + 100
    stretched = variance + 0.375 * 2**2  # by the inverse transform
    before, after = (10 * np.log10(20**2 / each) for each in (variance, 1e-6 * stretched))
    assert figures(ramp, 1e-6, POISSON) == pytest.approx((before, after), abs=0.02)


def test_planes_count_as_one_large_image(ramp: np.ndarray):
    estimate = ErrorEstimate(np.dtype("float32"))
    for part in (ramp[:, :4], ramp[:, 4:]):
        add(estimate, part, 0.01, GAUSSIAN)
    before, after = estimate.figures().values()
    assert (before, after) == figures(ramp, 0.01, GAUSSIAN)


def test_channels_have_their_own_noise(ramp: np.ndarray):
    both = np.concatenate([ramp, ramp])
    assert figures(both, 1e-6, GAUSSIAN, NoiseModel(0, 12))[0] == pytest.approx(16.99, abs=0.01)


@pytest.mark.parametrize("noise", [(0, 1), (1, 0), (0, 0)])
def test_nothing_is_claimed_where_the_noise_of_a_channel_is_unknown(ramp: np.ndarray, noise: Any):
    two = np.concatenate([ramp, ramp])
    assert None not in figures(two, 0.01, GAUSSIAN, GAUSSIAN)
    assert figures(two, 0.01, GAUSSIAN, GAUSSIAN, noise=noise) == (None, None)


def test_missing_pixels_do_not_count(ramp: np.ndarray):
    holed = np.concatenate([ramp, np.full_like(ramp, np.nan)], axis=1)
    assert figures(holed, 0.01, POISSON) == figures(ramp, 0.01, POISSON)


def test_noise_may_be_less_than_the_model_says(ramp: np.ndarray):
    assert figures(ramp, 1e-6, GAUSSIAN, noise=0.1)[0] == pytest.approx(30, abs=0.01)


def test_nothing_is_claimed_of_a_constant_image_or_an_exact_result(ramp: np.ndarray):
    assert figures(np.ones((1, 4, 4)), 1, GAUSSIAN) == (None, None)
    assert figures(ramp, 0, GAUSSIAN) == (20, None)


def test_estimate_before_is_right_for_few_photons():
    """Where the Anscombe transform neither has a noise variance of 1 nor stretches as it says."""
    sample = simulate_cells(side=256)
    result = Denoiser(Settings(preset="fast", max_steps=0)).fit(sample.noisy).result(sample.noisy)
    before = result.figures["estimated_psnr_before"]
    assert before == pytest.approx(psnr(sample.noisy, sample.clean), abs=0.8)


def test_estimate_before_agrees_with_the_real_noise():
    clean = 100 * smooth_scene((128, 128)) + 10
    before, _ = figures(clean[None], 1e-6, NoiseModel(2, 9))
    assert before == pytest.approx(psnr(camera(clean / 2, gain=2, read_noise=3), clean), abs=0.2)
