"""A residual of noise is taken for noise, and one with structure in it is not."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self.figures.residual import ResidualCheck, ResidualReport
from napari_noise2self.noise.correlation import WHITE, Correlation
from simulate import smooth_scene

FloatArray = NDArray[np.float64]
LINES = Correlation((0.5, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0)


def _detail(seed: int, side: int = 256) -> FloatArray:
    """Soft blobs, and in them points as sharp as a microscope shows."""
    random = np.random.default_rng(seed)
    points = ndimage.gaussian_filter((random.random((side, side)) < 0.01).astype(float), 1.2)
    return 4 * smooth_scene((side, side), seed) + 12 * points / points.max()


def _noise(seed: int, side: int = 256, taps: tuple[float, ...] = (1.0,)) -> FloatArray:
    white = np.random.default_rng(seed + 100).standard_normal((side, side))
    noise = ndimage.convolve1d(white, np.array(taps), axis=1, mode="wrap")
    return noise / noise.std()


def _report(noisy: FloatArray, denoised: FloatArray, noise: Correlation = WHITE) -> ResidualReport:
    check = ResidualCheck([noise])
    check.add(noisy[None], denoised[None])
    return check.report()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", [40, 256])
def test_a_perfect_result_is_not_accused(seed: int, side: int) -> None:
    clean = _detail(seed, side)
    report = _report(clean + _noise(seed, side), clean)
    assert not report.structured
    assert report.note == "The residual looks like noise."


@pytest.mark.parametrize("seed", range(5))
def test_nor_is_a_good_one_whose_error_is_a_tenth_of_the_noise(seed: int) -> None:
    """Its error: half noise of the neighbours, half of the detail that is hardest to see."""
    clean, noise = _detail(seed), _noise(seed)
    leak = ndimage.gaussian_filter(noise, 2)
    lost = clean - ndimage.gaussian_filter(clean, 1)
    denoised = clean + leak * (0.05**0.5 / leak.std()) - lost * (0.05**0.5 / lost.std())
    assert not _report(clean + noise, denoised).structured


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_nor_is_a_posterior_that_mixes_the_noisy_pixel_in(share: float, seed: int) -> None:
    clean, noise = _detail(seed), _noise(seed)
    assert not _report(clean + noise, clean + share * noise).structured


@pytest.mark.parametrize("seed", range(3))
def test_nor_is_correlated_noise_that_is_known(seed: int) -> None:
    clean = _detail(seed)
    noisy = clean + _noise(seed, taps=(1.0, 1.0))
    report = _report(noisy, clean, LINES)
    assert not report.structured
    assert report.horizontal == pytest.approx(report.noise_horizontal, abs=0.05)
    assert _report(noisy, clean).structured, "the negative control: noise taken for white"


@pytest.mark.parametrize("width", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_blur_has_lost_structure(width: float, seed: int) -> None:
    noisy = _detail(seed) + _noise(seed)
    report = _report(noisy, ndimage.gaussian_filter(noisy, width))
    assert report.structured
    assert "holds structure" in report.note
    assert "detail may have been lost" in report.note


def test_a_constant_has_lost_everything() -> None:
    noisy = _detail(0) + _noise(0)
    report = _report(noisy, np.full_like(noisy, noisy.mean()))
    assert report.structured
    assert min(report.horizontal, report.vertical) > 0.2


@pytest.mark.parametrize(("error", "side"), [(-0.8, "dark"), (0.8, "bright")])
def test_a_wrong_brightness_is_a_bias(error: float, side: str) -> None:
    clean = _detail(0)
    bright = clean > np.quantile(clean, 0.9)
    report = _report(clean + _noise(0), clean + error * ndimage.gaussian_filter(bright * 1.0, 2))
    assert report.structured
    assert report.bias * error < 0
    assert f"too {side}" in report.note


def test_an_offset_that_is_tiny_but_significant_is_no_bias() -> None:
    clean = _detail(0, 512)
    report = _report(clean + _noise(0, 512), clean + 0.1)
    assert report.bias == pytest.approx(-0.1, abs=0.06)
    assert not report.structured


def test_hot_and_missing_pixels_hide_nothing() -> None:
    noisy = _detail(0) + _noise(0)
    denoised = ndimage.gaussian_filter(noisy, 3)
    spoilt = noisy.copy()
    spoilt[np.random.default_rng(0).random(noisy.shape) < 0.002] = 1000.0
    spoilt[:60], denoised[:60, :100], spoilt[100, 100] = np.nan, np.nan, np.inf
    assert _report(spoilt, denoised).structured


def test_planes_add_up_and_the_worst_channel_is_reported() -> None:
    check = ResidualCheck([WHITE, WHITE])
    for seed in range(4):
        clean = _detail(seed, 128)
        noisy = clean + _noise(seed, 128)
        check.add(np.stack([noisy, noisy]), np.stack([clean, ndimage.gaussian_filter(noisy, 3)]))
    report = check.report()
    assert report.structured
    assert json.loads(json.dumps(asdict(report)))["note"] == report.note


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (7, 9)])
def test_tiny_planes_are_not_accused(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    assert not _report(random.standard_normal(shape), np.zeros(shape)).structured


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_to_look_at(value: float) -> None:
    empty = np.full((30, 30), value)
    assert not _report(empty, empty).structured
    assert not ResidualCheck([WHITE]).report().structured


def test_a_huge_plane_is_looked_at_in_parts_all_over_it() -> None:
    noisy = np.zeros((1, 300, 5000), np.float32)
    noisy += np.random.default_rng(0).standard_normal(noisy.shape, np.float32)
    denoised = np.zeros_like(noisy)
    denoised[..., 4900:] = 5.0
    check = ResidualCheck([WHITE])
    check.add(noisy, denoised)
    assert check.report().structured
    started = time.process_time()
    ResidualCheck([WHITE]).add(*np.zeros((2, 1, 6000, 6000), np.float32))
    assert time.process_time() - started < 2.0
