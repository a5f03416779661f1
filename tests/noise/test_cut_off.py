"""Noise is measured where most of an image is cut off at its darkest level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.cut_off import cut_off, measure_cut_noise
from napari_noise2self.noise.estimate import estimate_noise
from simulate import psnr

SHAPE, NOISE = (256, 256), 12.0


def _blobs(background: float) -> np.ndarray:
    """Return an image of bright blobs, most of which is background below 0."""
    random = np.random.default_rng(3)
    points = np.zeros(SHAPE)
    points[tuple(random.integers(256, size=(2, 40)))] = random.uniform(0.5, 1, 40)
    blobs = ndimage.gaussian_filter(points, 5)
    return 180 * blobs / blobs.max() + background


def _cut(clean: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, NOISE, SHAPE)
    return np.clip(clean + noise, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("background", [-40, -20, -10])
def test_the_noise_that_was_there_before_is_found(background: float) -> None:
    noisy = _cut(_blobs(background))
    assert (noisy == 0).mean() > 0.6
    model = estimate_noise([noisy])
    assert model.reliable
    assert model.gain == 0
    assert model.intercept**0.5 == pytest.approx(NOISE, rel=0.25)


def test_so_it_is_under_a_background_that_is_too_bright() -> None:
    model = estimate_noise([255 - _cut(_blobs(-40))])
    assert model.reliable
    assert model.intercept**0.5 == pytest.approx(NOISE, rel=0.25)


def test_it_is_told() -> None:
    noisy = _cut(_blobs(-40))
    notes = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy).figures["notes"]
    assert any("cut off at its darkest or brightest level" in note for note in notes)


def test_a_mask_is_not_cut_off() -> None:
    clean = _blobs(1000) + np.random.default_rng(0).normal(0, NOISE, SHAPE)
    masked = np.where(np.indices(SHAPE).sum(axis=0) % 40 < 4, clean, 0)
    assert np.isnan(measure_cut_noise([masked], 0.0))


def test_neither_is_an_image_without_noise() -> None:
    assert np.isnan(measure_cut_noise([np.zeros(SHAPE)], 0.0))
    assert np.isnan(measure_cut_noise([np.zeros((3, 3))], 0.0))


@pytest.mark.parametrize(("low", "high"), [(-1.0, None), (None, 3.0), (0.0, 5.0)])
def test_mean_and_variance_of_what_is_left_are_known(low: float | None, high: float | None) -> None:
    means, variances = cut_off(low, high, 256)
    for signal in (-1.0, 0.0, 1.0, 2.5, 4.0):
        noisy = np.clip(signal + np.random.default_rng(0).normal(size=200_000), low, high)
        expected = np.interp(noisy.mean(), means, variances)
        assert expected == pytest.approx(noisy.var(), rel=0.03, abs=0.01)


def test_an_image_cut_off_at_both_ends_is_not_spoiled() -> None:
    """Where all is cut off there is no noise left, so pixels are right as they are."""
    random = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(random.normal(size=SHAPE), 3)
    clean = 128 + 150 * np.sign(texture) * np.abs(texture / texture.std()) ** 0.5
    noisy = np.clip(clean + random.normal(0, 5, SHAPE), 0, 255).round().astype(np.uint8)
    denoiser = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy)
    expected = np.clip(clean, 0, 255)
    assert psnr(denoiser.denoise(noisy), expected) > psnr(noisy, expected) - 0.5


def test_a_saved_model_knows_the_limits(tmp_path: Path) -> None:
    noisy = _cut(_blobs(-40))
    denoiser = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy)
    assert denoiser.figures["noise"][0]["limits"] == (0, None)
    denoiser.save(tmp_path / "cut.n2s")
    again = Denoiser.load(tmp_path / "cut.n2s")
    np.testing.assert_array_equal(again.denoise(noisy), denoiser.denoise(noisy))


@pytest.mark.parametrize("background", [-40, -20])
def test_the_result_is_better_than_the_best_blur(background: float) -> None:
    clean = _blobs(background)
    expected = np.mean([_cut(clean, seed) for seed in range(200)], axis=0)
    noisy = _cut(clean, 999)
    denoiser = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy)
    blurred = [ndimage.gaussian_filter(noisy.astype(float), width) for width in (1, 1.5, 2, 3)]
    best = max(psnr(image, expected) for image in blurred)
    assert psnr(denoiser.denoise(noisy), expected) > best + 0.5
