"""Enlarged and deconvolved images, through the denoiser: as good as the small ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.coarse import fine
from simulate import camera, psnr, smooth_scene

FAST = Settings(preset="fast", device="cpu")
SMALL = (96, 80)


def _photons(seed: int = 0) -> NDArray[np.float64]:
    return 60 * smooth_scene(SMALL, seed) + 5


def _enlarged(small: NDArray[np.float64], times: int = 2) -> NDArray[np.float64]:
    return np.asarray(ndimage.zoom(small, times, order=3, grid_mode=True, mode="reflect"))


def _noisy(seed: int = 0) -> NDArray[np.float32]:
    return _enlarged(camera(_photons(seed), read_noise=2, seed=seed)).astype(np.float32)


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    return Denoiser(FAST).fit(_noisy())


@pytest.mark.parametrize("times", [2, 3, 4])
def test_better_than_the_best_blur(times: int) -> None:
    clean = _enlarged(_photons(), times)
    noisy = _enlarged(camera(_photons(), read_noise=2), times).astype(np.float32)
    blurred = max(psnr(ndimage.gaussian_filter(noisy, width), clean) for width in range(1, 12))
    result = Denoiser(FAST).fit(noisy).result(noisy)
    found = psnr(result.image, clean)
    assert result.image.shape == noisy.shape
    assert result.figures["coarseness"] == times
    assert found > blurred
    assert found > psnr(noisy, clean) + 6
    assert result.figures["estimated_psnr"] == pytest.approx(found, abs=3)


def test_deconvolved_images() -> None:
    """What a lens lets through, with photon noise, times the inverse of that (Wiener)."""
    side = 192
    row, column = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
    passed = np.clip(1 - np.hypot(row, column) / 0.22, 0, 1)

    def through(image: NDArray[np.float64], response: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.fft.irfft2(np.fft.rfft2(image) * response, image.shape))

    blurred = through(200 * smooth_scene((side, side)) + 20, passed)
    inverse = passed / (passed**2 + 0.01)
    noisy, clean = (through(each, inverse) for each in (camera(blurred), blurred))
    widths = (0.5, 1, 1.5, 2, 3, 4, 6)
    best = max(psnr(ndimage.gaussian_filter(noisy, width), clean) for width in widths)
    result = Denoiser(FAST).fit(noisy).result(noisy)
    assert result.figures["coarseness"] == 2
    assert psnr(result.image, clean) > best


def test_the_user_is_told(denoiser: Denoiser) -> None:
    assert denoiser.whitens
    assert denoiser.record.steps == 0
    assert any("blocks of 2 by 2 pixels" in note for note in denoiser.figures["notes"])


@pytest.mark.parametrize(
    "changes",
    [{"exclusion": "square"}, {"max_steps": 2}, {"start": "fresh", "max_steps": 2}],
    ids=str,
)
def test_nothing_of_it_where_the_user_wants_something_else(changes: dict[str, object]) -> None:
    settings = Settings(preset="fast", device="cpu", **changes)  # type: ignore[arg-type]
    denoiser = Denoiser(settings).fit(_noisy())
    assert denoiser.coarseness == 1
    assert denoiser.figures["coarseness"] == 1


def test_nothing_of_it_where_pixels_are_as_fine_as_details() -> None:
    denoiser = Denoiser(FAST).fit(camera(60 * smooth_scene((160, 160)) + 5, read_noise=2))
    assert denoiser.coarseness == 1


def test_an_object_that_is_trained_again_forgets_it() -> None:
    other = Denoiser(FAST).fit(_noisy())
    other.fit(camera(60 * smooth_scene((96, 96)) + 5, read_noise=2))
    assert other.coarseness == 1
    assert not other.whitenings


def test_a_saved_model_does_the_same(denoiser: Denoiser, tmp_path: Path) -> None:
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors", device="cpu")
    assert loaded.coarseness == 2
    before, after = (each.result(_noisy()) for each in (denoiser, loaded))
    np.testing.assert_array_equal(before.image, after.image)
    assert before.figures["estimated_psnr"] == after.figures["estimated_psnr"]


@pytest.mark.parametrize("corner", [(0, 0), (63, 41)])
def test_a_window_is_denoised_as_in_the_whole(denoiser: Denoiser, corner: tuple[int, int]) -> None:
    noisy = _noisy()
    window = tuple(slice(start, start + 77) for start in corner)
    part, whole = denoiser.denoise(noisy, window=window), denoiser.denoise(noisy)[window]
    assert part.shape == (77, 77)
    assert np.abs(part - whole).max() < 0.1 * np.abs(whole - noisy[window]).std()


def test_a_window_at_a_glance_has_its_shape(denoiser: Denoiser) -> None:
    noisy = _noisy()
    window = (slice(31, 90), slice(50, 101))
    part = denoiser.denoise(noisy, window=window, rough=True)
    assert part.shape == (59, 51)
    assert psnr(part, _enlarged(_photons())[window]) > psnr(noisy, _enlarged(_photons())) + 3


def test_missing_pixels_stay_missing(denoiser: Denoiser) -> None:
    noisy = _noisy()
    noisy[40:45, 60] = np.nan
    result = denoiser.denoise(noisy)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(noisy))


def test_stacks_see_the_planes_beside() -> None:
    """Planes of one scene: each tells of the others, on the coarse grid, too."""
    frames = [camera(_photons(), read_noise=2, seed=seed) for seed in range(7)]
    stack = np.stack([*map(_enlarged, frames)]).astype(np.float32)
    clean = _enlarged(_photons())
    denoiser = Denoiser(FAST).fit(stack, axes="TYX")
    assert denoiser.coarseness == 2
    assert denoiser.stack.axis == "T"
    alone = Denoiser(FAST).fit(stack[3])
    together = psnr(denoiser.denoise(stack, axes="TYX")[3], clean)
    assert together > psnr(alone.denoise(stack[3]), clean) + 0.5


def test_an_image_with_finer_details_is_unlike_the_training(denoiser: Denoiser) -> None:
    assert denoiser.mismatch(_noisy(seed=0)) == ""
    fresh = camera(_enlarged(_photons()).clip(0), read_noise=2)
    assert "details as fine as its pixels" in denoiser.mismatch(fresh)
    assert "spread over" in denoiser.mismatch(_noisy() * 9)
    assert denoiser.mismatch(fine(camera(_photons()), 2, (60, 60))[:50]) == ""
