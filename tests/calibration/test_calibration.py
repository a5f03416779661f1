"""Classic filters, calibrated without a clean image."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from napari_noise2self import Cancelled, Control, Progress, Settings, calibrate
from napari_noise2self.arrays import InputError
from napari_noise2self.calibration import CLASSICS, INSTANT, Calibration, classic_floor
from napari_noise2self.calibration._donut import donut, j_invariant, posterior
from napari_noise2self.figures import words
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.samples import simulate_cells
from napari_noise2self.settings import BUDGETS
from napari_noise2self.training.patches import Patches
from simulate import camera, gaussian_noise, psnr, smooth_scene

QUICK = ("gaussian", "tv")


def _noisy_scene(size: int = 80) -> tuple[Any, Any]:
    """A noisy image with photons, and its clean counterpart."""
    clean = 10 + 60 * smooth_scene((size, size))
    return camera(clean), clean


@pytest.fixture(scope="module")
def known() -> tuple[Any, Any, Calibration]:
    """A noisy image, the clean one, and all classics calibrated with the clean one in sight."""
    noisy, clean = _noisy_scene()
    return noisy, clean, calibrate(noisy, clean=clean)


@pytest.mark.parametrize("exclusion", [Exclusion(), Exclusion("horizontal", 1)])
@pytest.mark.parametrize("name", CLASSICS)
def test_donut_is_j_invariant(name: str, exclusion: Exclusion) -> None:
    """Whatever a hidden pixel holds, even NaN, the donut says the same of it."""
    classic, partition = CLASSICS[name], Partition(exclusion=exclusion)
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 33, 40))).float()
    target = partition.labels((33, 40)).unsqueeze(1) == 5
    hidden = partition.hide(target)
    expected = donut(classic, classic.strengths[2], image, hidden, partition)
    for value in (1e6, math.nan):
        changed = torch.where(hidden, value, image)
        predicted = donut(classic, classic.strengths[2], changed, hidden, partition)
        torch.testing.assert_close(predicted[target], expected[target], rtol=0, atol=0)


def test_every_pixel_is_predicted_by_the_others() -> None:
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 24, 24))).float()
    present, partition = torch.ones_like(image, dtype=torch.bool), Partition(size=3)
    predict = (CLASSICS["gaussian"], 1.0)
    first = j_invariant(*predict, image, present, partition, Control())
    labels = partition.labels((24, 24)).unsqueeze(1)
    changed = torch.where(labels == 4, image + 100, image)
    second = j_invariant(*predict, changed, present, partition, Control())
    assert torch.equal(first[labels == 4], second[labels == 4])
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", CLASSICS)
def test_loss_of_donut_is_its_error_plus_the_noise(name: str, known: Any) -> None:
    """So the self-supervised minimum falls where the true one does: the figure of the paper."""
    curve = known[2].curves[name]
    noise = np.subtract(curve.donut_losses, curve.donut_errors)
    assert np.ptp(noise) < 0.15
    assert noise.mean() == pytest.approx(1, abs=0.1)
    errors = dict(zip(curve.strengths, curve.donut_errors, strict=True))
    assert errors[curve.best] < min(errors.values()) + 0.02


@pytest.mark.parametrize("name", ["gaussian", "nlm", "wavelet", "tv"])
def test_loss_of_ordinary_filter_is_least_where_it_does_least(name: str, known: Any) -> None:
    curve = known[2].curves[name]
    assert curve.filter_losses.index(min(curve.filter_losses)) == 0
    assert curve.filter_losses[0] < 0.2 < curve.loss


@pytest.mark.parametrize("name", CLASSICS)
def test_denoises(name: str, known: Any) -> None:
    noisy, clean, calibration = known
    result = calibration.denoise(noisy, method=name)
    assert result.dtype == np.float32
    assert psnr(result, clean) > psnr(noisy, clean) + 4


def test_mixing_the_noisy_pixel_in_is_better_than_the_donut() -> None:
    """Here the donut is far off in a corner, whose texture no pixel shares with its neighbours."""
    clean = np.full((96, 96), 50.0)
    clean[:32, :32] += np.random.default_rng(1).integers(0, 2, (32, 32)) * 100
    noisy = camera(clean)
    calibration = calibrate(noisy, methods=("gaussian",))
    results = {
        mode: psnr(calibration.denoise(noisy, prediction=mode), clean)  # type: ignore[arg-type]
        for mode in ("posterior", "j-invariant", "single-pass")
    }
    assert results["posterior"] > results["j-invariant"] + 1


def test_posterior_weighs_by_variances() -> None:
    """Squared distances of 4 with noise 1 leave an error of 3: three quarters noisy pixel."""
    prediction, image = torch.zeros(1, 1, 9, 9), torch.full((1, 1, 9, 9), 2.0)
    present = torch.ones_like(image, dtype=torch.bool)
    mixed = posterior(prediction, image, present, torch.ones_like(image))
    torch.testing.assert_close(mixed, torch.full_like(image, 1.5))


def test_best_is_that_of_least_loss(known: Any) -> None:
    calibration = known[2]
    losses = {name: curve.loss for name, curve in calibration.curves.items()}
    assert calibration.method == min(losses, key=losses.__getitem__)
    assert calibration.strength == calibration.curves[calibration.method].best
    assert calibration.floor.held_out_loss == pytest.approx(min(losses.values()), abs=0.2)


def test_floor_can_be_scored_at_the_very_pixels_of_a_network() -> None:
    """The pairs come from `Patches.held_out`, on which `Trainer` ranks its weights."""
    random = torch.Generator().manual_seed(0)
    planes = [torch.randn((1, 64, 64), generator=random) * 0.2]
    partition, noise = Partition(), gaussian_noise(0.04)
    patches = Patches(planes, partition, Settings(patch_size=32), torch.device("cpu"))
    held_out = patches.held_out(random)
    floor = classic_floor(planes, noise, partition, methods=QUICK, held_out=held_out)
    assert floor.held_out_loss == pytest.approx(1, abs=0.3)
    assert floor.method in QUICK


def test_figures_are_json(known: Any) -> None:
    figures = json.loads(json.dumps(known[2].figures, allow_nan=False))
    assert figures["method"] == known[2].method
    assert [curve["method"] for curve in figures["curves"]] == list(CLASSICS)


def test_same_image_same_result() -> None:
    noisy, _ = _noisy_scene(48)
    results = [calibrate(noisy, methods=QUICK).denoise(noisy) for _ in range(2)]
    np.testing.assert_array_equal(*results)


def test_channels_and_planes() -> None:
    noisy = np.stack([_noisy_scene(40)[0] * (1 + k) for k in range(4)]).reshape(2, 2, 40, 40)
    calibration = calibrate(noisy.astype(np.uint16), axes="TCYX", methods=INSTANT)
    result = calibration.denoise(noisy.astype(np.uint16), axes="TCYX", dtype="same")
    assert result.shape == noisy.shape
    assert result.dtype == np.uint16
    with pytest.raises(InputError, match="2 channel"):
        calibration.denoise(noisy[0, 0])


def test_large_image_is_calibrated_on_a_part() -> None:
    noisy = np.tile(_noisy_scene(64)[0], (10, 5))
    reports: list[Progress] = []
    calibration = calibrate(noisy, methods=("gaussian",), report=reports.append)
    assert [r.done for r in reports] == list(range(1, reports[-1].total + 1))
    assert {r.stage for r in reports} == {"calibrating"}
    assert calibration.seconds < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (3, 5), (9, 4)])
def test_tiny_images(shape: tuple[int, int]) -> None:
    noisy = np.random.default_rng(0).poisson(20, shape).astype(float)
    calibration = calibrate(noisy)
    for name in CLASSICS:
        assert np.isfinite(calibration.denoise(noisy, method=name)).all()
    json.dumps(calibration.figures, allow_nan=False)


def test_constant_image_stays_as_it_is() -> None:
    noisy = np.full((12, 15), 7, np.uint8)
    np.testing.assert_array_equal(calibrate(noisy).denoise(noisy), noisy)


def test_few_grey_levels() -> None:
    noisy = np.random.default_rng(0).integers(0, 2, (20, 20)).astype(np.uint8)
    result = calibrate(noisy).denoise(noisy)
    assert np.isfinite(result).all()
    assert result.std() < noisy.std()


@pytest.mark.parametrize("mode", ["posterior", "j-invariant", "single-pass"])
def test_missing_pixels_stay_missing_and_harm_no_others(mode: Any) -> None:
    noisy, clean = _noisy_scene(64)
    noisy[10:14, 20:30] = math.nan
    noisy[40, 40] = math.inf
    result = calibrate(noisy, methods=("gaussian",)).denoise(noisy, prediction=mode)
    np.testing.assert_array_equal(np.isfinite(result), np.isfinite(noisy))
    there = np.isfinite(noisy)
    assert psnr(result[there], clean[there]) > psnr(noisy[there], clean[there])


def test_correlated_noise_does_not_pass_for_signal() -> None:
    """The neighbours are hidden too, and the donut is averaged with the ordinary filter."""
    clean = 10 * smooth_scene((96, 96))
    noise = np.random.default_rng(0).normal(size=(96, 97))
    noisy = clean + (noise[:, 1:] + noise[:, :-1]) / 2**0.5
    settings = Settings(exclusion="horizontal", exclusion_radius=1)
    calibration = calibrate(noisy, settings, methods=("gaussian",))
    assert calibration.partition.exclusion.kind == "horizontal"
    donut_, both, ordinary = (
        calibration.denoise(noisy, prediction=mode)  # type: ignore[arg-type]
        for mode in ("j-invariant", "posterior", "single-pass")
    )
    np.testing.assert_allclose(both, (donut_ + ordinary) / 2, atol=0.05)
    assert psnr(both, clean) > psnr(noisy, clean) + 5


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (np.full((8, 8), np.nan), "no finite pixels"),
        (np.zeros((0, 8)), "empty"),
        (np.zeros((8, 8), bool), "mask"),
        (np.zeros((8, 8), complex), "convert"),
        ("cells.tif", "not an image"),
    ],
)
def test_what_cannot_be_denoised(bad: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        calibrate(bad)


def test_wrong_names_and_shapes() -> None:
    noisy, _ = _noisy_scene(16)
    with pytest.raises(ValueError, match="gaussian, median, nlm, wavelet, tv"):
        calibrate(noisy, methods=("bm3d",))
    with pytest.raises(ValueError, match="methods"):
        calibrate(noisy, methods=())
    with pytest.raises(InputError, match="shape"):
        calibrate(noisy, clean=noisy[:4])
    with pytest.raises(InputError, match="not calibrated"):
        calibrate(noisy, methods=("gaussian",)).denoise(noisy, method="tv")


def test_can_be_cancelled() -> None:
    noisy, _ = _noisy_scene(32)
    control = Control()
    with pytest.raises(Cancelled):
        calibrate(noisy, control=control, report=lambda _: control.cancel())
    with pytest.raises(Cancelled):
        calibrate(noisy, methods=("gaussian",)).denoise(noisy, control=control)


def test_presets_and_words_know_the_classics() -> None:
    for budgets in BUDGETS.values():
        assert budgets["fast"].classics == INSTANT
        assert budgets["balanced"].classics == budgets["best"].classics == tuple(CLASSICS)
    assert set(words.CLASSICS) == set(CLASSICS)


def test_dead_pixels_are_predicted_and_masks_stay() -> None:
    """As networks do."""
    noisy = simulate_cells(128).noisy.copy()
    noisy[60, 60] = noisy[:10] = 0
    image = calibrate(noisy, methods=INSTANT).denoise(noisy)
    assert (image[:10] == 0).all()
    assert image[10:].min() > 50
