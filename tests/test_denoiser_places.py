"""An image whose noise differs from place to place is denoised at each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from simulate import camera, psnr, smooth_scene

SIDE = 192
UNTRAINED = Settings(preset="fast", max_steps=0, device="cpu")


def _corrected(planes: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Images in uneven light, corrected; noisy and clean, of shape (planes, SIDE, SIDE)."""
    row, column = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    light = 0.05 ** (2 * (row**2 + column**2))
    scenes = np.stack([smooth_scene((SIDE, SIDE), seed) for seed in range(planes)])
    photons = 100 * scenes + 8
    return camera(photons * light, read_noise=1) / light, photons


def test_every_place_becomes_clean() -> None:
    (noisy,), (clean,) = _corrected()
    denoiser = Denoiser(UNTRAINED).fit(noisy)
    result = denoiser.result(noisy)
    assert psnr(result.image, clean) > psnr(noisy, clean) + 12
    for part in (slice(0, 40), slice(76, 116)):  # a corner, and the centre
        noise, error = ((image - clean)[part, part].std() for image in (noisy, result.image))
        assert error < 0.35 * noise
    assert any("from place to place" in note for note in denoiser.figures["notes"])


def test_what_is_told_of_it_is_true() -> None:
    (noisy,), (clean,) = _corrected()
    result = Denoiser(UNTRAINED).fit(noisy).result(noisy)
    before, after = (result.figures[f"estimated_psnr{when}"] for when in ("_before", ""))
    assert before == pytest.approx(psnr(noisy, clean), abs=1.5)
    assert after == pytest.approx(psnr(result.image, clean), abs=1.5)


def test_planes_windows_and_saved_models_have_their_places(tmp_path: Path) -> None:
    noisy, clean = _corrected(2)
    denoiser = Denoiser(replace(UNTRAINED, adjacent_planes="ignore")).fit(noisy)
    denoised = denoiser.denoise(noisy)
    assert all(
        psnr(*pair) > psnr(plane, pair[1]) + 12
        for pair, plane in zip(zip(denoised, clean, strict=True), noisy, strict=True)
    )
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.denoise(noisy), denoised)
    window = (slice(1, 2), slice(8, 88), slice(100, 180))
    noise = np.std(noisy[window] - denoised[window])
    part = denoiser.denoise(noisy, window=window)
    assert np.abs(part - denoised[window]).max() < 0.1 * noise
    rough = denoiser.denoise(noisy, window=window, rough=True)
    assert np.std(rough - denoised[window]) < 0.3 * noise


def test_a_hidden_pixel_has_but_its_share_in_the_noise_of_its_place() -> None:
    """So that a J-invariant prediction hardly changes with the pixel it stands for."""
    (noisy,), _ = _corrected()
    denoiser = Denoiser(replace(UNTRAINED, prediction="j-invariant")).fit(noisy)
    before = denoiser.denoise(noisy)
    changed = noisy.copy()
    noise = np.std((noisy - before)[:40, :40])
    changed[20, 20] += 3 * noise
    after = denoiser.denoise(changed)
    assert abs(after[20, 20] - before[20, 20]) < 0.02 * noise
    np.testing.assert_array_equal(after[100:, 100:], before[100:, 100:])


def test_noise_may_differ_in_one_channel_alone() -> None:
    (noisy,), (clean,) = _corrected()
    other = camera(60 * smooth_scene((SIDE, SIDE), 5) + 8, read_noise=1)
    both = np.stack([noisy, other])
    denoiser = Denoiser(UNTRAINED).fit(both, axes="CYX")
    assert [each.each_place for each in denoiser.stabilisers] == [True, False]
    assert psnr(denoiser.denoise(both, axes="CYX")[0], clean) > psnr(noisy, clean) + 12
