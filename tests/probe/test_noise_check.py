"""Structure that looks like correlated noise is told from noise that is correlated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.correlation import WHITE, Correlation, coloured
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser, fit_stabilisers
from napari_noise2self.probe.noise_check import check_noise
from napari_noise2self.progress import Cancelled, Control
from simulate import behind_round_aperture, psnr, smooth_scene

SQUARE = Correlation((0.45, 0.1, 0.0), (0.45, 0.1, 0.0), 0.2)
ACROSS = Correlation((0.45, 0.1, 0.0))


def _pores(sharpness: float = 6) -> NDArray[np.float64]:
    """Cells side by side, everywhere, as in electron microscopy: walls at a level of 1."""
    white = np.random.default_rng(0).standard_normal((192, 192))
    field = ndimage.gaussian_filter(white, 2.5, mode="wrap")
    return np.exp(-np.square(field / field.std()) * sharpness)


def _noise(correlation: Correlation, side: int = 192, seed: int = 1) -> NDArray[np.float64]:
    return coloured(np.random.default_rng(seed).standard_normal((side, side)), correlation)


def _believed(correlation: Correlation, plane: NDArray[Any]) -> Stabiliser:
    """Return what is left of a belief, however it came about."""
    model = NoiseModel(0.0, 1 / np.nanvar(plane), correlation=correlation)
    believer = Stabiliser(np.nanmean(plane), np.nanstd(plane), model, 0.0, 0.2)
    (checked,) = check_noise([believer], [plane[None]], Control())
    return checked


@pytest.mark.parametrize("correlation", [SQUARE, ACROSS])
@pytest.mark.parametrize("scene", [10 * smooth_scene((192, 192)), 12 * _pores()])
def test_noise_that_is_correlated_is_believed(
    correlation: Correlation, scene: NDArray[np.float64]
) -> None:
    found = _believed(correlation, scene + _noise(correlation)).noise.correlation
    assert found.horizontal[0] == pytest.approx(0.45, abs=0.1)
    assert found.vertical[0] == pytest.approx(correlation.vertical[0], abs=0.1)


def test_it_is_believed_where_the_middle_is_missing() -> None:
    image = 10 * smooth_scene((384, 384)) + _noise(SQUARE, 384)
    image[40:344, 40:344] = np.nan
    correlation = _believed(SQUARE, image).noise.correlation
    assert correlation.horizontal[0] == pytest.approx(0.45, abs=0.1)


def test_what_can_not_be_checked_stays_as_it_is() -> None:
    model = NoiseModel(0.0, 0.1, correlation=SQUARE)
    believer = Stabiliser(0.0, 1.0, model, 0.0, 0.2)
    assert check_noise([believer], [np.full((1, 40, 40), np.nan)], Control()) == (believer,)


@pytest.mark.parametrize("correlation", [SQUARE, ACROSS])
@pytest.mark.parametrize("scene", [10 * smooth_scene((192, 192)), 12 * _pores()])
def test_structure_that_looks_like_it_is_not(
    correlation: Correlation, scene: NDArray[np.float64]
) -> None:
    found = _believed(correlation, scene + _noise(WHITE)).noise
    assert found.correlation.reach == 0
    assert found.correlation.strongest_value < 0.2


def test_noise_that_looks_white_is_not_looked_at_again() -> None:
    planes = [10 * smooth_scene((96, 96))[None] + _noise(WHITE, 96)[None]]
    stabilisers = fit_stabilisers(planes, Control())
    assert check_noise(stabilisers, planes, Control())[0] is stabilisers[0]


def test_an_image_full_of_walls_keeps_them() -> None:
    """Hiding neighbours of every pixel, it would lose most of them."""
    clean = 12 * _pores()
    noisy = (clean + _noise(WHITE)).astype(np.float32)
    (blind,) = fit_stabilisers([noisy[None]], Control())
    assert blind.noise.correlation.reach > 0, "else there is nothing to check"
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    assert denoiser.partition.exclusion.kind == "none"
    result = psnr(denoiser.denoise(noisy), clean)
    assert result > psnr(noisy, clean) + 3
    hiding = Denoiser(Settings(preset="fast", max_steps=0, exclusion="square", device="cpu"))
    assert psnr(hiding.fit(noisy).denoise(noisy), clean) < result - 2


def test_structure_that_covers_all_of_an_image_is_not_its_noise() -> None:
    clean = 18 * _pores(sharpness=2)
    noisy = (clean + _noise(WHITE)).astype(np.float32)
    (blind,) = fit_stabilisers([noisy[None]], Control())
    assert blind.grey_noise.intercept > 20, "else there is nothing to check"
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    result = denoiser.result(noisy)
    assert "Structure covers the whole image" in result.figures["noise"][0]["note"]
    assert result.figures["noise"][0]["intercept"] == pytest.approx(1, abs=0.3)
    assert result.figures["estimated_psnr"] is None
    assert psnr(result.image, clean) > psnr(noisy, clean) + 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_any_dtype_will_do(dtype: type) -> None:
    plane = np.rint(40 + 4 * (12 * _pores() + _noise(WHITE))).astype(dtype)[None]
    (checked,) = check_noise(fit_stabilisers([plane], Control()), [plane], Control())
    assert checked.noise.correlation.reach == 0


def test_noise_that_is_none_at_all_stays_what_it_was() -> None:
    """Weaker than nothing it can't be: drawings are constant but for their edges."""
    drawing = np.kron(np.random.default_rng(0).integers(0, 99, (5, 5)), np.ones((32, 32)))
    model = NoiseModel(0.0, 1e-6)
    believer = Stabiliser(drawing.mean(), drawing.std(), model).scaled_to([drawing])
    assert check_noise([believer], [drawing[None]], Control()) == (believer,)


@pytest.mark.parametrize("sigma", [0.6, 0.8, 1.0])
def test_noise_with_little_at_high_frequencies_is_not_weaker_than_it_is(sigma: float) -> None:
    noise = ndimage.gaussian_filter(_noise(WHITE), sigma)
    plane = (12 * smooth_scene((192, 192)) + noise / noise.std())[None]
    blind = fit_stabilisers([plane], Control())
    assert check_noise(blind, [plane], Control())[0] is blind[0]


def test_missing_pixels_and_small_images_are_no_trouble() -> None:
    plane = 10 * smooth_scene((40, 300)) + _noise(WHITE, 300)[:40]
    plane[:, ::7] = np.nan
    finite = np.where(np.isfinite(plane), plane, 0)
    model = NoiseModel(0.0, 1 / finite.var(), correlation=SQUARE)
    believer = Stabiliser(finite.mean(), finite.std(), model, 0.0, 0.2)
    (checked,) = check_noise([believer], [plane[None]], Control())
    assert checked.noise.correlation.reach == 0


def test_it_can_be_cancelled() -> None:
    control = Control()
    control.cancel()
    plane = _noise(SQUARE)
    believer = Stabiliser(0.0, 1.0, NoiseModel(0.0, 1.0, correlation=SQUARE), 0.0, 0.2)
    with pytest.raises(Cancelled):
        check_noise([believer], [plane[None]], control)


@pytest.mark.parametrize("scene", [3 * smooth_scene((192, 192)), 40 * smooth_scene((192, 192))])
def test_noise_behind_a_round_aperture_is_as_strong_as_what_can_not_be_predicted(
    scene: NDArray[np.float64],
) -> None:
    plane = (scene + behind_round_aperture(1.1))[None]
    (blind,) = fit_stabilisers([plane], Control())
    level = np.array(scene.mean())
    assert blind.grey_noise.variance(level) < 0.6, "else there is nothing to check"
    (checked,) = check_noise([blind], [plane], Control())
    assert checked.grey_noise.variance(level) == pytest.approx(1, rel=0.2)
    assert checked.noise.goodness == blind.noise.goodness


def test_an_image_behind_a_round_aperture_is_denoised() -> None:
    clean = 10 * smooth_scene((192, 192))
    noisy = (clean + behind_round_aperture(1.0)).astype(np.float32)
    denoised = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    assert psnr(denoised.denoise(noisy), clean) > psnr(noisy, clean) + 10


def test_noise_that_was_seen_is_not_made_stronger() -> None:
    """Though its correlation says that more may be hidden."""
    clean = 10 * smooth_scene((192, 192))
    plane = (clean + behind_round_aperture(1.1))[None]
    (blind,) = fit_stabilisers([plane], Control())
    measured = float(blind.grey_noise.variance(np.array(clean.mean())))
    known = replace(blind, noise=blind.noise.stronger(1 / measured))
    known = known.scaled_to([plane[0]])
    assert check_noise([known], [plane], Control()) == (known,)
