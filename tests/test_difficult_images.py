"""Images that there is no denoising, or no noise model, for: a sensible result and an honest word.

All the way through `Denoiser`, with so little training that only robustness is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.estimate import estimate_noise
from simulate import camera, jpeg, psnr, smooth_scene

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """An image, the clean one behind it, whether its noise follows a model, and what is said."""

    noisy: FloatArray
    clean: FloatArray
    says: str
    fitted: bool = False
    costs: float = 0.0  # dB that denoising may cost


def _cells(side: int = 96, seed: int = 0) -> FloatArray:
    return 160 * smooth_scene((side, side), seed) + 10


def _camera(clean: FloatArray, seed: int = 0) -> FloatArray:
    return camera(clean / 4, gain=4, read_noise=6, offset=0, seed=seed)


def _too_small() -> Case:
    clean = _cells(20)
    return Case(_camera(clean), clean, "too small to measure its noise well: roughly, it grows")


def _flat() -> Case:
    clean = np.full((96, 96), 7.0)
    return Case(clean, clean, "too flat")


def _few_levels() -> Case:
    clean = _cells()
    noisy = np.clip(np.rint(_camera(clean) / 60), 0, 3)
    return Case(noisy, clean / 60, "only 4 grey levels")


def _already_denoised() -> Case:
    clean = _cells()
    blurred = ndimage.gaussian_filter(_camera(clean), 2)
    return Case(blurred, clean, "already denoised", costs=0.75)  # 0.4 or 0.6, as processors round


def _clean() -> Case:
    clean = _cells()
    return Case(clean + 1e-9 * np.indices(clean.shape)[0], clean, "", costs=np.inf)


def _drawing() -> FloatArray:
    """Boxes on a constant ground, as noise would look that is cut off there."""
    random, image = np.random.default_rng(0), np.full((96, 96), 20.0)
    for number in range(20):
        (top, left), (height, width) = random.integers(0, 84, 2), random.integers(2, 12, 2)
        image[top : top + height, left : left + width] = 30 + 5 * number
    return image


def _textured(noise: float, says: str) -> Case:
    """Fine texture nearly everywhere, as photographs of fur or grass have."""
    texture = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((128, 128)), 0.8)
    texture *= np.linspace(0.5, 3, 128) / texture.std()
    texture[:24, :32] = 0
    clean = 100 + 10 * texture
    return Case(clean + noise * np.random.default_rng(2).standard_normal(clean.shape), clean, says)


def _textured_with_little_noise() -> Case:
    return replace(_textured(2.0, "the same at all intensities"), fitted=True, costs=0.5)


def _compressed() -> Case:
    clean = _cells()
    return Case(jpeg(_camera(clean)), clean, "compressed", costs=0.5)


def _zero_border() -> Case:
    clean = _cells(128)
    inside = np.zeros_like(clean)
    inside[12:-12, 12:-20] = 1
    return Case(_camera(clean + 40) * inside, (clean + 40) * inside, "grows", fitted=True)


def _border_below_the_offset() -> Case:
    """As stitching and registration leave it; a camera's level without light lies far above."""
    clean = 0.4 * _cells(128) + 110
    inside = np.hypot(*(np.indices(clean.shape) - 64)) < 55
    noisy = camera((clean - 100) / 4, gain=4, read_noise=6, offset=100)
    return Case(np.where(inside, noisy, 0), np.where(inside, clean, 0), "grows", fitted=True)


def _blinding_spot() -> Case:
    """Of a lamp, or of dust."""
    clean = _cells(128)
    noisy = _camera(clean)
    clean[40:46, 60:66] = noisy[40:46, 60:66] = 60_000
    return Case(noisy, clean, "grows", fitted=True)


def _hot_pixels() -> Case:
    clean = _cells()
    noisy = _camera(clean)
    noisy[np.random.default_rng(0).random(noisy.shape) < 0.003] = 3000.0
    return Case(noisy, clean, "grows", fitted=True)


def _drift() -> Case:
    """The lamp fades to a third while the stack is taken."""
    clean = np.stack([_cells() * (1 - 0.11 * plane) for plane in range(6)])
    return Case(_camera(clean), clean, "grows", fitted=True)


CASES: list[Callable[[], Case]] = [
    _too_small,
    _flat,
    _few_levels,
    _already_denoised,
    _clean,
    _textured_with_little_noise,
    _compressed,
    _zero_border,
    _border_below_the_offset,
    _blinding_spot,
    _hot_pixels,
    _drift,
]


@pytest.mark.parametrize("make", CASES)
def test_sensible_result_and_honest_word(make: Callable[[], Case]) -> None:
    case = make()
    denoiser = Denoiser(Settings(preset="fast", max_steps=5, device="cpu")).fit(case.noisy)
    result = denoiser.result(case.noisy)
    image, noise = result.image, result.figures["noise"][0]

    assert image.shape == case.noisy.shape
    assert np.isfinite(image).all()
    margin = 0.1 * np.ptp(case.noisy)
    assert image.min() >= case.noisy.min() - margin - 1e-3
    assert image.max() <= case.noisy.max() + margin + 1e-3

    assert denoiser.stabilisers[0].noise.fitted == case.fitted
    assert case.says in noise["note"]
    assert noise["note"].count(".") == 1
    assert (noise["gain"] > 0) == ("grows" in case.says)
    before, after = (result.figures[f"estimated_psnr{when}"] for when in ("_before", ""))
    assert before is None or after >= before
    if np.ptp(case.clean) > 0:
        assert psnr(image, case.clean) >= psnr(case.noisy, case.clean) - case.costs


def test_a_drawing_stays_as_it_is() -> None:
    """Its ground was once taken for noise that is cut off, and grey levels were 24 off."""
    drawing = _drawing()
    denoiser = Denoiser(Settings(preset="fast", max_steps=0)).fit(drawing)
    assert denoiser.stabilisers[0].noise.note.startswith("No noise was found")
    np.testing.assert_allclose(denoiser.denoise(drawing), drawing, atol=1)


def test_noise_of_less_than_a_level_is_no_drawing() -> None:
    """What is left of it above the ground is nearly all of one level, and so alike."""
    noisy = np.rint(np.random.default_rng(0).normal(-0.2, 0.6, (96, 96))).clip(0)
    noisy[40:46, 40:46] += np.arange(2, 8) * 5
    assert "No noise" not in estimate_noise([noisy]).note


def test_a_border_below_the_offset_stays_as_it_is() -> None:
    """It once came out as grey as the level without light."""
    case = _border_below_the_offset()
    for noisy in (case.noisy, case.noisy.clip(0, 65_535).astype(np.uint16)):
        denoiser = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy)
        for dtype in ("float32", "same"):
            result = denoiser.denoise(noisy, dtype=dtype)
            assert (result[case.clean == 0] == 0).all()
            assert psnr(result, case.clean) > psnr(noisy, case.clean) + 5


@pytest.mark.parametrize("width", [1.0, 1.5, 2.5])
@pytest.mark.parametrize("peak", [3e4, 1e6])
def test_a_blinding_bead_keeps_its_peak(width: float, peak: float) -> None:
    """It was cut off for the network, guessed from around, and believed: 30 deviations of noise."""
    across = np.exp(-((np.arange(96) - 48) ** 2) / (2 * width**2))
    clean = _cells() / 4 + peak * np.outer(across, across)
    noisy = np.random.default_rng(0).poisson(clean).astype(np.float64)
    denoised = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy).denoise(noisy)
    bright = clean > 0.05 * peak
    assert np.abs((denoised - clean) / np.sqrt(clean))[bright].max() < 5


def test_drift_is_followed_plane_by_plane() -> None:
    case = _drift()
    denoiser = Denoiser(Settings(preset="fast", max_steps=60, width=16, device="cpu"))
    image = denoiser.fit(case.noisy).denoise(case.noisy)
    np.testing.assert_allclose(image.mean(axis=(1, 2)), case.clean.mean(axis=(1, 2)), rtol=0.05)


@pytest.mark.parametrize("step", [40.0, 80.0])
def test_compression_is_recognised_and_blocks_of_the_specimen_are_not_it(step: float) -> None:
    clean = _cells(256)
    assert "compressed" in estimate_noise([jpeg(_camera(clean), step)]).note
    squares = clean + 60 * (np.indices(clean.shape) // 20 % 2).sum(axis=0)
    assert estimate_noise([_camera(squares)]).reliable


def test_hot_pixels_and_border_leave_the_noise_model_alone() -> None:
    plain = estimate_noise([_camera(_cells(192) + 40)])
    spoilt = _camera(_cells(192) + 40)
    spoilt[np.random.default_rng(0).random(spoilt.shape) < 0.002] = 3000.0
    spoilt[:40], spoilt[:, -30:] = 0, 0
    model = estimate_noise([spoilt])
    assert model.gain == pytest.approx(plain.gain, rel=0.2)
    assert model.variance(np.array(100.0)) == pytest.approx(
        plain.variance(np.array(100.0)), rel=0.2
    )
