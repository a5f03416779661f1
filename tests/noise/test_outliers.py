"""Single pixels that no light explains are found; points of light are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.outliers import in_patches, limited, without_outliers
from simulate import camera, psnr, smooth_scene

NOISE = 0.2


def _noise(shape: tuple[int, ...] = (1, 64, 64), seed: int = 0) -> Tensor:
    return NOISE * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _found(image: Tensor) -> list[list[int]]:
    """Return where (C, H, W) is NaN after, and was not before."""
    cleaned = without_outliers(image, torch.full_like(image, NOISE**2))
    there = cleaned.isnan()
    torch.testing.assert_close(cleaned[~there], image[~there], rtol=0, atol=0)
    return (there & ~image.isnan()).nonzero().tolist()


@pytest.mark.parametrize("height", [2.5, 10, 1e4, -2.5, -1e4])
@pytest.mark.parametrize("place", [(20, 30), (0, 30), (63, 12)], ids=str)
def test_a_hot_or_dead_pixel_is_found(height: float, place: tuple[int, int]) -> None:
    image = _noise()
    image[0, *place] += height
    assert _found(image) == [[0, *place]]


def test_noise_is_none() -> None:
    assert not _found(_noise((2, 512, 512)))


@pytest.mark.parametrize("width", [0.6, 0.7, 1, 2])
@pytest.mark.parametrize("height", [3, 30, 300])
def test_a_point_of_light_is_none(width: float, height: float) -> None:
    """Standard deviation in pixels; cameras are matched to microscopes so that it is more."""
    y, x = np.indices((64, 64))
    for shift in (0, 0.25, 0.5):
        point = np.exp(-((y - 30) ** 2 + (x - 30 - shift) ** 2) / 2 / width**2)
        assert not _found(_noise() + height * torch.from_numpy(point[None]).float())


def test_two_together_are_none() -> None:
    image = _noise()
    image[0, 20, 20:22] = 50
    assert not _found(image)


def test_missing_neighbours_tell_nothing() -> None:
    image = _noise()
    image[0, 20:23, 20:23] = math.nan
    image[0, 21, 21] = 50
    assert not _found(image)
    image[0, 20, 20:23] = _noise((3,))
    assert _found(image) == [[0, 21, 21]]


def test_unknown_noise_tells_nothing() -> None:
    image = _noise()
    image[0, 20, 20] = 50
    assert torch.equal(without_outliers(image, torch.zeros_like(image)), image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 3)])
def test_small_images(shape: tuple[int, int]) -> None:
    image = _noise((2, 1, *shape))
    assert torch.equal(limited(image, NOISE), image)
    assert limited(image, 0.01).isfinite().all()
    assert without_outliers(image[0], torch.ones(1, *shape)).isfinite().all()


def test_what_stands_out_is_limited_and_all_else_is_as_it_was() -> None:
    image = _noise((1, 1, 64, 64))
    spoiled = image.clone()
    hot = torch.zeros_like(image, dtype=torch.bool)
    hot[0, 0, 20, 20] = hot[0, 0, 40, 40] = True
    spoiled[hot] = torch.tensor([50.0, -50])
    changed = limited(spoiled, NOISE)
    assert (changed[hot].abs() < 2.5).all()
    assert torch.equal(changed[~hot], image[~hot])


def test_dead_pixels_and_lines_of_them_are_no_patches() -> None:
    missing = torch.zeros((1, 40, 40), dtype=torch.bool)
    missing[0, 5, 5] = missing[0, 10, :] = missing[0, :, 20] = True
    missing[0, 10, 18:23] = missing[0, 8:13, 20] = False
    assert not in_patches(missing).any()
    masked = torch.zeros_like(missing)
    masked[0, :8, :] = masked[0, 20:30, 20:30] = True
    assert torch.equal(in_patches(masked), masked)


def test_dead_pixels_are_predicted_and_masks_stay() -> None:
    """Darker than any pixel without light."""
    photons = np.random.default_rng(0).poisson(20 + 200 * smooth_scene((128, 128)))
    noisy = photons * 4.0 + 1000
    noisy[50, 50] = noisy[30:, 90] = noisy[:20] = 0
    image = Denoiser(Settings(preset="fast", max_steps=0)).fit(noisy).result(noisy).image
    assert (image[:20] == 0).all()
    assert image[20:].min() > 1000


@pytest.mark.parametrize("steps", [0, 5])
def test_hot_pixels_cost_little_and_are_told(steps: int) -> None:
    clean = 160 * smooth_scene((128, 128)) + 110
    noisy = camera((clean - 100) / 4, gain=4, read_noise=6, offset=100)
    hot = np.zeros(clean.shape, bool)
    hot[tuple(3 * np.random.default_rng(0).integers(43, size=(2, 40)))] = True
    spoiled = np.where(hot, 3000.0, noisy)
    settings = Settings(preset="fast", max_steps=steps)
    results = [Denoiser(settings).fit(image).result(image) for image in (noisy, spoiled)]
    assert psnr(results[1].image, clean) > psnr(results[0].image, clean) - 5
    assert psnr(results[1].image, clean) > psnr(spoiled, clean) + 15
    assert results[0].figures["hot_pixels"] == 0
    assert results[1].figures["hot_pixels"] == pytest.approx(hot.sum(), abs=4)
    assert any("replaced, as hot or dead" in note for note in results[1].figures["notes"])
