"""Stacks: a network that sees adjacent planes, from training to the saved model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.partition_sizes import score_partition_sizes
from napari_noise2self.stack import Stack
from simulate import TINY, awake, camera, psnr, smooth_scene

AT_ONCE = Settings(preset="fast", max_steps=0, device="cpu", adjacent_planes="use")
QUICK = Settings(**TINY, max_steps=3, partition_size=2, adjacent_planes="use")
SEEN = ("", "T")


def _detailed(side: int = 64) -> NDArray[np.float64]:
    return 30 * smooth_scene((side, side)) + 20 * smooth_scene((4 * side, 4 * side), 1)[::4, ::4]


def _film(frames: int = 5, side: int = 64, photons: float = 1.0) -> NDArray[np.float64]:
    """Frames of something that stays as it is, each with noise of its own."""
    still = np.repeat(photons * _detailed(side)[None], frames, axis=0)
    return camera(still, read_noise=1)


def _awake(stack: NDArray[np.float64], axes: str = "TYX", **changes: object) -> Denoiser:
    """A denoiser with the scale of a stack, and a network of random weights."""
    denoiser = Denoiser(replace(QUICK, max_steps=0, prediction="j-invariant", **changes))
    denoiser.fit(stack, axes=axes)
    assert denoiser.network is not None
    awake(denoiser.network)
    return denoiser


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_hidden_pixels_do_not_change_their_prediction(network: str, dtype: str) -> None:
    """Those of the plane itself. Other planes do: their noise is their own."""
    stack = _film(side=24).clip(0, 100).astype(dtype)
    denoiser = _awake(stack, network=network)
    hidden = denoiser.partition.labels((24, 24))[0].numpy() == 1
    changed = stack.copy()
    changed[2, hidden] = 40 - stack[2, hidden] // 2
    before, after = denoiser.denoise(stack, axes="TYX"), denoiser.denoise(changed, axes="TYX")
    assert np.array_equal(before[2, hidden], after[2, hidden])
    assert not np.array_equal(before[2, ~hidden], after[2, ~hidden])
    for frame in (0, 1, 3, 4):
        assert not np.array_equal(before[frame, hidden], after[frame, hidden])


def test_a_still_film_is_clearer_with_its_adjacent_frames() -> None:
    noisy, clean = _film(), _detailed()
    results = {
        choice: Denoiser(replace(AT_ONCE, adjacent_planes=choice)).fit(noisy).denoise(noisy)
        for choice in ("ignore", "use")
    }
    gains = [psnr(results["use"][n], clean) - psnr(results["ignore"][n], clean) for n in range(5)]
    assert np.mean(gains) > 0.3


def test_auto_sees_what_helps_and_says_so() -> None:
    still = _film()
    denoiser = Denoiser(replace(AT_ONCE, adjacent_planes="auto")).fit(still, axes="TYX")
    assert denoiser.stack.axis == denoiser.figures["stack_axis"] == "T"
    assert any("Adjacent planes along T are seen" in note for note in denoiser.figures["notes"])
    random = np.random.default_rng(0)
    others = np.stack([_detailed()[::a, ::b] for a in (1, -1) for b in (1, -1)])
    denoiser.fit(camera(random.permutation(others), read_noise=1), axes="TYX")
    assert denoiser.stack.axis == ""
    assert any("one by one" in note for note in denoiser.figures["notes"])


def test_a_plane_alone_has_nothing_to_say_of_stacks() -> None:
    denoiser = Denoiser(AT_ONCE).fit(_film()[0])
    assert denoiser.stack == Stack()


@pytest.mark.parametrize("axes", ["TZYX", "ZTYX", "YXZT"])
def test_axes_may_come_in_any_order(axes: str) -> None:
    stack = _film(6, 32).reshape(2, 3, 32, 32)
    moved = np.einsum(stack, [0, 1, 2, 3], ["TZYX".index(letter) for letter in axes])
    expected = _awake(stack, "TZYX").denoise(stack, axes="TZYX")
    result = _awake(moved, axes).denoise(moved, axes=axes)
    back = np.einsum(result, ["TZYX".index(letter) for letter in axes], [0, 1, 2, 3])
    np.testing.assert_allclose(back, expected, atol=1e-3)


def test_a_window_of_a_stack_sees_what_is_beside_it() -> None:
    stack = _film(side=48)
    denoiser = _awake(stack, depth=1)
    whole = denoiser.denoise(stack, axes="TYX")
    window = (slice(2, 4), slice(0, 48), slice(0, 48))
    np.testing.assert_array_equal(denoiser.denoise(stack, axes="TYX", window=window), whole[2:4])
    alone = denoiser.denoise(stack[2:4], axes="TYX")
    assert not np.array_equal(alone, whole[2:4])


def test_the_model_file_keeps_the_axis(tmp_path: Path) -> None:
    stack = _film(side=32)
    denoiser = Denoiser(QUICK).fit(stack, axes="TYX")
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors", device="cpu")
    assert loaded.stack == denoiser.stack
    assert loaded.figures == denoiser.figures
    np.testing.assert_array_equal(
        loaded.denoise(stack, axes="TYX"), denoiser.denoise(stack, axes="TYX")
    )


@pytest.mark.parametrize(
    ("shape", "axes"), [((32, 32), "YX"), ((4, 32, 32), "ZYX"), ((2, 3, 32, 32), "PZYX")]
)
def test_a_model_of_a_stack_denoises_other_images(shape: tuple[int, ...], axes: str) -> None:
    """Along their only axis, or plane by plane where it is not clear which is meant."""
    denoiser = Denoiser(QUICK).fit(_film(side=32), axes="TYX")
    image = camera(np.broadcast_to(_detailed(32), shape), read_noise=1)
    result = denoiser.denoise(image, axes=axes)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_several_stacks_train_one_network() -> None:
    films = [_film(3, 32), _film(2, 40), _film(1, 32)]
    denoiser = Denoiser(QUICK).fit(films, axes="TYX")
    assert denoiser.stack.axis == "T"
    for film in films:
        assert denoiser.denoise(film, axes="TYX").shape == film.shape


def test_training_goes_on_with_adjacent_planes() -> None:
    stack = _film(side=32)
    denoiser = Denoiser(QUICK).fit(stack, axes="TYX")
    denoiser.continue_training(stack, axes="TYX")
    assert denoiser.record.steps == 6
    assert denoiser.stack.axis == "T"


@pytest.mark.parametrize("channels", [1, 2])
def test_holes_and_channels(channels: int) -> None:
    stack = np.stack([_film(4, 32), _film(4, 32)][:channels], axis=1)
    stack[1, :, 4:9, 4:9] = np.nan
    denoiser = Denoiser(QUICK).fit(stack, axes="TCYX")
    result = denoiser.denoise(stack, axes="TCYX")
    np.testing.assert_array_equal(np.isfinite(result), np.isfinite(stack))


@pytest.mark.parametrize(
    ("shapes", "axes"), [([(24, 24)], "YX"), ([(2, 2, 24, 24)], "PZYX"), ([(1, 24, 24)] * 2, "ZYX")]
)
def test_training_goes_on_with_planes_that_none_are_beside(
    shapes: list[tuple[int, ...]], axes: str
) -> None:
    denoiser = Denoiser(QUICK).fit(_film(side=24), axes="TYX")
    seen = []
    assert denoiser.network is not None
    denoiser.network.register_forward_hook(
        lambda _, given, __: seen.append(given[1]) if torch.is_grad_enabled() else None
    )  # of training alone: a rehearsal predicts what is beside, too, with the plane beside that
    denoiser.continue_training([np.resize(_film(side=24), shape) for shape in shapes], axes=axes)
    assert denoiser.record.steps == 6
    assert seen
    assert all((beside == 0).all() for beside in seen)


def test_training_goes_on_with_a_stack_after_an_image_of_one_plane() -> None:
    film = _film(side=24)
    denoiser = Denoiser(QUICK).fit(film, axes="TYX")
    seen = []
    assert denoiser.network is not None
    denoiser.network.register_forward_hook(lambda _, given, __: seen.append(given[1]))
    denoiser.continue_training([film[:1], film], axes="TYX")
    assert any((beside != 0).any() for beside in seen)


def test_partition_sizes_are_compared_with_what_is_beside() -> None:
    stack = _film(3, 64)
    denoiser = _awake(stack)
    assert denoiser.network is not None
    seen = []
    denoiser.network.register_forward_hook(lambda module, given, out: seen.append(given[1]))
    assert score_partition_sizes(denoiser, stack, axes="TYX")
    assert all(beside is not None and bool(beside.any()) for beside in seen)


def test_the_rehearsal_knows_that_noise_beside_is_noise() -> None:
    """The estimate of a still film's PSNR is near the truth, though its frames share the scene."""
    noisy, clean = _film(5, 192), _detailed(192)
    denoiser = Denoiser(AT_ONCE).fit(noisy, axes="TYX")
    result = denoiser.result(noisy, axes="TYX")
    error = np.mean((result.image - clean) ** 2)
    true = 10 * np.log10(np.ptp(clean) ** 2 / error)
    assert result.figures["estimated_psnr"] == pytest.approx(true, abs=1.5)


def _corrected(side: int = 128) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A film of fading light, made as bright as at first in each frame; noisy and clean."""
    peaks = np.geomspace(60, 6, 4)[:, None, None]
    scene = np.stack([smooth_scene((side, side), seed) for seed in range(4)])
    return camera(peaks * scene, read_noise=1) * 60 / peaks + 100, 60 * scene + 100


def test_a_film_whose_bleaching_was_corrected_is_denoised_in_each_frame() -> None:
    noisy, clean = _corrected()
    settings = replace(AT_ONCE, adjacent_planes="ignore")
    denoiser = Denoiser(settings).fit(noisy)
    denoised = denoiser.denoise(noisy)
    assert any("amplified differently" in note for note in denoiser.figures["notes"])
    for frame, truth, result in zip(noisy, clean, denoised, strict=True):
        alone = Denoiser(settings).fit(frame).denoise(frame)
        assert psnr(result, truth) > psnr(alone, truth) - 0.5
        assert psnr(result, truth) > psnr(frame, truth) + 8
        assert result.mean() == pytest.approx(frame.mean(), rel=0.005)


def test_each_frame_keeps_its_noise_in_windows_and_in_a_saved_model(tmp_path: Path) -> None:
    noisy, _ = _corrected()
    denoiser = Denoiser(replace(AT_ONCE, adjacent_planes="ignore")).fit(noisy)
    denoised = denoiser.denoise(noisy)
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.denoise(noisy), denoised)
    window = (slice(3, 4), slice(40, 80), slice(40, 80))
    for rough in (False, True):
        part = denoiser.denoise(noisy, window=window, rough=rough)
        assert np.std(part - denoised[window]) < 0.3 * np.std(noisy[window] - denoised[window])


def test_a_hidden_pixel_has_but_its_share_in_the_noise_of_its_frame() -> None:
    """So that a J-invariant prediction hardly changes with the pixel it stands for."""
    noisy, _ = _corrected()
    denoiser = Denoiser(replace(AT_ONCE, adjacent_planes="ignore", prediction="j-invariant"))
    before = denoiser.fit(noisy).denoise(noisy)
    changed = noisy.copy()
    changed[3, 64, 64] += 3 * np.std(noisy[3] - before[3])
    after = denoiser.denoise(changed)
    assert abs(after[3, 64, 64] - before[3, 64, 64]) < 0.01 * np.std(noisy[3] - before[3])
    np.testing.assert_array_equal(after[:3], before[:3])
