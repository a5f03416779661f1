"""Images with correlated noise, denoised as if it were white."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.inference.predictor import Predictor
from napari_noise2self.inference.white_predictor import WhitePredictor
from napari_noise2self.networks import create_network
from napari_noise2self.noise.correlation import coloured
from napari_noise2self.partition import Partition
from napari_noise2self.progress import Control
from simulate import ALIKE, awake, gaussian_noise, psnr, smooth_scene, whitening

WHITENING = whitening()
FAST = Settings(preset="fast", device="cpu")


def _scene(side: int = 160) -> NDArray[np.float64]:
    """Blobs, and small boxes that hidden neighbours would be missed for."""
    random, scene = np.random.default_rng(3), 100 * smooth_scene((side, side))
    for _ in range(side**2 // 250):
        top, left = random.integers(0, side, 2)
        scene[top : top + random.integers(2, 9), left : left + random.integers(2, 9)] += 60
        scene = np.minimum(scene, 160)
    return scene


def _noisy(clean: NDArray[np.float64], deviation: float = 20, seed: int = 0) -> NDArray[np.float64]:
    white = np.random.default_rng(seed).standard_normal(clean.shape)
    return clean + deviation * coloured(white, ALIKE)


def _predictor(network: str, tile: int = 512) -> WhitePredictor:
    made = create_network(Settings(network=network, width=4, depth=2, start="fresh"))  # type: ignore[arg-type]
    awake(made)
    inner = Predictor(made.eval(), Partition("grid", 3), gaussian_noise(0.04), tile=tile)
    return WhitePredictor(inner, (WHITENING,))


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("tile", [16, 512])
def test_independent_noise_of_a_pixel_does_not_change_its_prediction(
    network: str, tile: int
) -> None:
    """J-invariance is about what is independent: the pixels of the whitened image."""
    predictor = _predictor(network, tile)
    image = torch.randn(1, 101, 90, generator=torch.Generator().manual_seed(0))
    labels = predictor.predictor.partition.labels((101, 90))[0]
    hidden = (labels == 4) & (torch.arange(101)[:, None] > 30) & (torch.arange(101)[:, None] < 70)
    hidden[:, :30], hidden[:, 60:] = False, False
    noise = torch.where(hidden, torch.randn(101, 90), 0)
    changed = image + WHITENING.colour(noise)
    before, after = (
        WHITENING.whiten(predictor.predict(each, "j-invariant")[0][0]) for each in (image, changed)
    )
    change = (after - before).abs()
    assert float(change[hidden].max()) < 1e-3 * float(change.max())
    assert float(change.max()) > 0.01


def test_a_part_with_pixels_is_rehearsed() -> None:
    image = torch.randn(1, 280, 280, generator=torch.Generator().manual_seed(0))
    image[:, 30:250, 30:250] = torch.nan
    predictor, seen = _predictor("unet"), []
    predict = predictor.predict

    def look(image: torch.Tensor, *given: Any, **more: Any) -> Any:
        seen.append(image)
        return predict(image, *given, **more)

    object.__setattr__(predictor, "predict", look)
    (rehearsed,) = predictor.rehearsed(image, gaussian_noise(0.04), 0, Control())
    assert seen[0].isfinite().float().mean() > 0.2
    assert rehearsed.autocovariance == WHITENING.autocovariance
    assert rehearsed.doubt != WHITENING.doubt


@pytest.mark.parametrize("error", [1e-9, math.nan])
def test_a_rehearsal_that_fails_leaves_no_whitening(error: float) -> None:
    image = torch.randn(1, 96, 96, generator=torch.Generator().manual_seed(0))
    predictor = _predictor("unet")

    def too_sure(image: torch.Tensor, **_: Any) -> tuple[torch.Tensor, ...]:
        return image, torch.full_like(image, error), torch.ones_like(image)

    object.__setattr__(predictor, "predict", too_sure)
    assert predictor.rehearsed(image, gaussian_noise(0.04), 0, Control()) == ()


def test_tiles_change_nothing() -> None:
    image = torch.randn(1, 150, 131, generator=torch.Generator().manual_seed(1))
    whole, tiled = (_predictor("unet", tile).predict(image)[0] for tile in (512, 16))
    assert float((whole - tiled).abs().max()) < 1e-4 * float(image.max() - image.min())


def test_planes_beside_are_whitened_too() -> None:
    made = create_network(Settings(), 1, 4)
    inner = Predictor(made.eval(), Partition("grid", 3), gaussian_noise(0.04))
    image = torch.randn(1, 48, 40, generator=torch.Generator().manual_seed(0))
    beside = torch.randn(1, 4, 48, 40, generator=torch.Generator().manual_seed(1))
    found = WhitePredictor(inner, (WHITENING,)).predict(image, beside=beside)[0]
    white = torch.stack([WHITENING.whiten(plane) for plane in beside[0]])[None]
    mean = inner.predict(WHITENING.whiten(image[0])[None], beside=white)[0]
    torch.testing.assert_close(found[0], WHITENING.colour(mean[0]))


# --- through the denoiser ---------------------------------------------------------------------


def test_fine_structure_under_correlated_noise_is_kept_better() -> None:
    clean = _scene()
    noisy = _noisy(clean)
    denoiser = Denoiser(FAST).fit(noisy)
    assert denoiser.partition.exclusion.radius
    assert denoiser.whitens
    result = denoiser.result(noisy)
    assert result.figures["whitened"]
    assert any("made white" in note for note in result.figures["notes"])
    assert not result.figures["classic_won"]
    denoiser.whitenings = ()
    assert psnr(result.image, clean) > psnr(denoiser.denoise(noisy), clean) + 0.2
    assert result.figures["estimated_psnr"] == pytest.approx(psnr(result.image, clean), abs=2)


def test_flat_field_with_correlated_noise_stays_flat() -> None:
    noisy = _noisy(np.full((160, 160), 100.0))
    denoiser = Denoiser(FAST).fit(noisy)
    assert denoiser.whitens
    assert denoiser.denoise(noisy).std() < 0.05 * 20


def test_white_noise_is_left_as_it_is() -> None:
    clean = _scene(96)
    noisy = clean + 12 * np.random.default_rng(0).standard_normal(clean.shape)
    assert not Denoiser(FAST).fit(noisy).whitenings


@pytest.mark.parametrize(
    "changes",
    [{"exclusion": "square"}, {"max_steps": 3}, {"start": "fresh", "max_steps": 3}],
    ids=str,
)
def test_nor_are_images_whitened_where_the_user_wants_something_else(
    changes: dict[str, object],
) -> None:
    settings = Settings(preset="fast", device="cpu", width=32, **changes)  # type: ignore[arg-type]
    noisy = _noisy(_scene(96))
    denoiser = Denoiser(settings).fit(noisy)
    assert not denoiser.whitens
    assert not denoiser.figures["whitened"]


def test_other_predictions_hide_neighbours_as_before() -> None:
    noisy = _noisy(_scene(96))
    denoiser = Denoiser(FAST).fit(noisy)
    assert denoiser.whitens
    found = denoiser.denoise(noisy, prediction="j-invariant")
    denoiser.whitenings = ()
    np.testing.assert_array_equal(denoiser.denoise(noisy, prediction="j-invariant"), found)


def test_a_saved_model_whitens_too(tmp_path: Path) -> None:
    noisy = _noisy(_scene(96))
    denoiser = Denoiser(FAST).fit(noisy)
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors", device="cpu")
    assert loaded.whitenings == denoiser.whitenings
    before, after = (each.result(noisy) for each in (denoiser, loaded))
    np.testing.assert_array_equal(before.image, after.image)
    assert before.figures["estimated_psnr"] == after.figures["estimated_psnr"]


def test_missing_pixels_and_channels() -> None:
    clean = _scene(96)
    noisy = np.stack([_noisy(clean), _noisy(clean, seed=1)])
    noisy[0, 30:33, 40] = np.nan
    denoiser = Denoiser(FAST).fit(noisy, axes="CYX")
    assert len(denoiser.whitenings) == 2
    result = denoiser.denoise(noisy, axes="CYX")
    assert np.array_equal(np.isnan(result), np.isnan(noisy))


def test_rehearsal_is_the_same_each_time() -> None:
    noisy = _noisy(_scene(96))
    doubts = [Denoiser(FAST).fit(noisy).whitenings[0].doubt for _ in range(2)]
    assert doubts[0] == doubts[1] != 1
