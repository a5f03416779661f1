"""What a trained model makes of any array: the same shape, scale and dtype, and J-invariant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_noise2self import Denoiser, Settings, denoise
from napari_noise2self.inference import predictor
from simulate import TINY, awake, camera, levels, smooth_scene

QUICK = Settings(**TINY, max_steps=3, partition_size=2)
UNTRAINED = replace(QUICK, max_steps=0)
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
FLOATS = ["f2", "f4", "f8"]
BIG_ENDIAN = [">u2", ">i4", ">f4", ">f8"]


def _awake(image: Any, axes: str | None = None, **changes: Any) -> Denoiser:
    """A denoiser with the scale of an image and a network of random weights."""
    denoiser = Denoiser(replace(UNTRAINED, prediction="j-invariant", **changes))
    denoiser.fit(image, axes=axes)
    assert denoiser.network is not None
    awake(denoiser.network)
    return denoiser


# --- J-invariance from end to end -------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS + BIG_ENDIAN)
@pytest.mark.parametrize("network", ["unet", "dncnn"])
def test_hidden_pixels_do_not_change_their_prediction(dtype: str, network: str) -> None:
    image = levels().astype(dtype)
    denoiser = _awake(image, network=network)
    labels = denoiser.partition.labels((24, 24))[0].numpy()
    for subset in range(4):
        hidden = labels == subset
        changed = image.copy()
        changed[hidden] = np.flip(image)[hidden] // 2 + 40
        before, after = denoiser.denoise(image), denoiser.denoise(changed)
        assert np.array_equal(before[hidden], after[hidden])
        assert not np.array_equal(before[~hidden], after[~hidden])


@pytest.mark.parametrize("prediction", ["posterior", "single-pass"])
def test_other_predictions_do_use_the_pixel_itself(prediction: str) -> None:
    """The negative control: the test above can fail."""
    image = levels((80, 80))
    denoiser = _awake(image)
    assert denoiser.stabilisers[0].noise_variance > 0
    hidden = denoiser.partition.labels((80, 80))[0].numpy() == 1
    changed = np.where(hidden, image + 5, image)
    before, after = (denoiser.denoise(each, prediction=prediction) for each in (image, changed))
    assert not np.array_equal(before[hidden], after[hidden])


@pytest.mark.parametrize(
    "settings_", [{"partition": "random", "partition_size": 7}, {"fill": "zero"}]
)
def test_nor_do_colours_planes_holes_and_settings(settings_: dict[str, Any]) -> None:
    image = levels((2, 20, 23, 3)).astype(np.float32)
    image[0, 4:8, 4:8, 1] = np.nan
    denoiser = _awake(image, "TYXS", adjacent_planes="ignore", **settings_)
    labels = denoiser.partition.labels((20, 23))[0].numpy()
    hidden = labels == labels[9, 9]
    changed = image.copy()
    changed[:, hidden] = 50 - changed[:, hidden]
    before, after = (denoiser.denoise(each, axes="TYXS") for each in (image, changed))
    finite = hidden & np.isfinite(image).all(axis=(0, 3))
    assert np.array_equal(before[:, finite], after[:, finite])
    assert not np.array_equal(before[:, ~hidden], after[:, ~hidden], equal_nan=True)


# --- any array --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS + BIG_ENDIAN)
@pytest.mark.parametrize("output", ["float32", "same"])
def test_any_dtype(dtype: str, output: str) -> None:
    image = levels().astype(dtype)
    before = image.copy()
    image.flags.writeable = False
    result = denoise(image, QUICK, dtype=output)
    assert result.shape == image.shape
    expected = np.dtype(dtype).newbyteorder("=") if output == "same" else np.float32
    assert result.dtype == expected
    assert np.isfinite(result).all()
    assert np.array_equal(image, before)
    assert abs(float(result.mean()) - image.mean(dtype=float)) < image.std(dtype=float)


def test_dtype_makes_no_difference() -> None:
    results = [denoise(levels().astype(dtype), QUICK) for dtype in ("u1", "i8", ">f4", "f8")]
    for result in results[1:]:
        assert np.array_equal(result, results[0])


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((20, 22), None),
        ((3, 20, 22), None),
        ((20, 22, 3), "YXS"),
        ((4, 20, 22), "CYX"),
        ((2, 3, 20, 22), "TZYX"),
        ((2, 1, 2, 20, 22), "TZCYX"),
        ((20, 2, 22, 2), "YTXC"),
        ((1, 40), None),
        ((40, 1), None),
        ((1, 1), None),
        ((2, 3, 1, 5), None),
    ],
)
def test_any_shape_and_axes(shape: tuple[int, ...], axes: str | None) -> None:
    image = levels(shape)
    result = denoise(image, QUICK, axes=axes)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_axes_in_another_order_give_the_same_pixels() -> None:
    image = levels((2, 3, 20, 22))
    result = denoise(image, QUICK, axes="TCYX")
    moved = denoise(image.transpose(2, 1, 3, 0), QUICK, axes="YCXT")
    assert np.array_equal(moved, result.transpose(2, 1, 3, 0))


def test_planes_are_denoised_one_by_one() -> None:
    image = levels((3, 20, 22))
    denoiser = _awake(image, adjacent_planes="ignore")
    stack = denoiser.denoise(image)
    for plane, expected in zip(image, stack, strict=True):
        assert np.array_equal(denoiser.denoise(plane), expected)


@pytest.mark.parametrize("name", ["non-contiguous", "reversed", "read-only", "fortran", "dask"])
def test_any_kind_of_array(name: str) -> None:
    image = levels((2, 20, 22))
    spread = np.zeros((4, 40, 44))
    spread[::2, ::2, ::2] = image
    frozen = image.copy()
    frozen.flags.writeable = False
    kinds = {
        "non-contiguous": spread[::2, ::2, ::2],
        "reversed": image[:, ::-1].copy()[:, ::-1],
        "read-only": frozen,
        "fortran": np.asfortranarray(image),
        "dask": dask.array.from_array(image, chunks=(1, 7, 9)),
    }
    assert np.array_equal(denoise(kinds[name], QUICK), denoise(image, QUICK))


@pytest.mark.parametrize("shapes", [[(20, 22), (33, 17)], [(2, 20, 22), (1, 1, 9)]])
def test_list_of_images_of_different_sizes(shapes: list[tuple[int, ...]]) -> None:
    images = [levels(shape, seed) for seed, shape in enumerate(shapes)]
    denoiser = Denoiser(QUICK).fit(images)
    for image in images:
        result = denoiser.denoise(image)
        assert result.shape == image.shape
        assert np.isfinite(result).all()


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prediction", ["posterior", "j-invariant", "single-pass"])
def test_missing_pixels_are_returned_as_they_are(prediction: str) -> None:
    image = levels()
    image[3:6, 3:6], image[10, 10], image[11, 10] = np.nan, np.inf, -np.inf
    result = denoise(image, QUICK, prediction=prediction)
    finite = np.isfinite(image)
    assert np.isfinite(result[finite]).all()
    assert np.array_equal(result[~finite], image[~finite].astype(np.float32), equal_nan=True)


def test_plane_without_any_finite_pixel_among_others() -> None:
    image = levels((2, 20, 20))
    image[0] = np.nan
    result = denoise(image, QUICK)
    assert np.isnan(result[0]).all()
    assert np.isfinite(result[1]).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, -1e9, 1e-30])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_constant_image_trains_no_step_and_stays(value: float, dtype: str) -> None:
    image = np.full((20, 20), value, dtype)
    denoiser = Denoiser(QUICK).fit(image)
    assert denoiser.record.steps == 0
    np.testing.assert_allclose(denoiser.denoise(image), image, rtol=1e-6)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_constant_image_of_the_largest_value(dtype: str) -> None:
    image = np.full((9, 9), np.iinfo(dtype).max, dtype)
    assert np.array_equal(denoise(image, QUICK, dtype="same"), image)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_same_dtype_rounds_and_clips(dtype: str) -> None:
    limits = np.iinfo(dtype)
    image = np.where(levels() > 40, limits.max, limits.min).astype(dtype)
    denoiser = _awake(image)
    head, (stabiliser,) = denoiser.network.head, denoiser.stabilisers
    head.weight.data *= 100  # predicts far beyond the limits, on both sides of them
    head.bias.data[0] -= stabiliser.forward(denoiser.denoise(image)).mean()
    real, whole = (denoiser.denoise(image, dtype=output) for output in ("float32", "same"))
    assert (real.astype(float) > limits.max).any()
    assert (real.astype(float) < limits.min).any()
    assert (whole[real > limits.max] == limits.max).all()
    assert (whole[real < limits.min] == limits.min).all()
    inside = (real > limits.min) & (real < limits.max)
    rounded = np.abs(whole[inside].astype(float) - real[inside].astype(float))
    assert (rounded <= 0.5 + 1e-6 * np.abs(real[inside])).all()


@pytest.mark.parametrize("image", [1e-12 * levels(), 1e9 + levels() / 20, 1e30 * levels()])
def test_result_has_the_scale_of_the_image(image: np.ndarray) -> None:
    result = Denoiser(QUICK).fit(image).denoise(image, dtype="same")
    assert np.abs(result - image).max() < 2 * np.ptp(image)
    assert np.ptp(result) > 0


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_saturated_image(dtype: str) -> None:
    image = np.clip(levels((96, 96)), 15, 40).astype(dtype)
    result = denoise(image, QUICK)
    assert np.isfinite(result).all()
    assert result.min() > 0
    assert result.max() < 60


_LARGEST = {"f2": 65504.0, "f4": float(np.finfo("f4").max), "f8": float(np.finfo("f4").max)}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", "u8"])
@pytest.mark.parametrize("output", ["float32", "same"])
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_finite_pixels_stay_finite(dtype: str, output: str, data: st.DataObject) -> None:
    """Whatever the values: the largest, the smallest, all mixed."""
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=9))
    limits = (
        {"min_value": -_LARGEST[dtype], "max_value": _LARGEST[dtype]} if dtype[0] == "f" else {}
    )
    values = arrays.from_dtype(np.dtype(dtype), **limits)
    image = data.draw(arrays.arrays(dtype, shape, elements=values))
    assert np.isfinite(denoise(image, replace(QUICK, max_steps=1), dtype=output)).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("output", ["float32", "same"])
def test_extreme_values_stay_finite(dtype: str, output: str) -> None:
    largest, smallest = _LARGEST[dtype], np.finfo(dtype).smallest_subnormal
    images = [
        np.where(levels() > 30, largest, -largest),
        np.where(levels() > 30, largest, 0),
        np.where(levels() > 30, smallest, 0),
        np.where(levels() > 30, largest, smallest),
        np.full((9, 9), largest),
        np.full((9, 9), -largest),
    ]
    for image in images:
        denoiser = _awake(image.astype(dtype))
        assert np.isfinite(denoiser.denoise(image.astype(dtype), dtype=output)).all()


# --- chosen afterwards -------------------------------------------------------------------------


def test_prediction_can_be_chosen_afterwards() -> None:
    image = levels((96, 96))
    denoiser = _awake(image)
    modes = ("posterior", "j-invariant", "single-pass")
    posterior, j_invariant, single = (denoiser.denoise(image, prediction=mode) for mode in modes)
    assert np.array_equal(j_invariant, denoiser.denoise(image))
    assert not np.array_equal(posterior, j_invariant)
    assert not np.array_equal(single, j_invariant)


def test_large_images_are_flipped_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size of the whole: a part of it, or a plane of a stack, is predicted as in it."""
    image = np.stack([levels(seed=seed) for seed in range(4)])
    denoiser = _awake(image, preset="best")
    monkeypatch.setattr("napari_noise2self.settings._ONE_IMAGE", image[0].size)
    assert np.array_equal(denoiser.denoise(image), denoiser.denoise(image, flips=4))
    assert np.array_equal(denoiser.denoise(image[0]), denoiser.denoise(image[0], flips=8))
    part = slice(1, 2), slice(None), slice(None)
    assert np.array_equal(denoiser.denoise(image, window=part), denoiser.denoise(image)[1:2])


@pytest.mark.parametrize("prediction", ["single-pass", "j-invariant", "posterior"])
@pytest.mark.parametrize("partition", ["grid", "random"])
def test_a_window_is_denoised_as_in_the_whole(
    prediction: str, partition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With line noise and subsets of the whole, and all pixels around that tell of it.

    But for the mean brightness of the posterior, which is that of all pixels.
    """
    monkeypatch.setattr(predictor, "as_bright_as", lambda noisy, mean, noise: mean)
    image = camera(100 * smooth_scene((160, 168)) + 20, read_noise=5)
    image += np.random.default_rng(0).normal(0, 10, (160, 1))
    denoiser = _awake(image, network="dncnn", partition=partition, partition_size=5)
    window = slice(67, 98), slice(66, 101)
    whole, part, rough = (
        denoiser.denoise(image, prediction=prediction, flips=2, window=each, rough=is_rough)
        for each, is_rough in ((None, False), (window, False), (window, True))
    )
    np.testing.assert_allclose(part, whole[window], rtol=0, atol=1e-3)
    assert np.abs(rough - whole[window]).max() > 0.5, "there is nothing to see around it"


@pytest.mark.parametrize(
    "window",
    [
        (slice(None),) * 2,
        (slice(None), slice(0, 9, 2), slice(None)),
        (slice(None), slice(5, 5), slice(None)),
        (slice(0, 1), slice(None), slice(None)),
    ],
)
def test_what_is_no_window_of_an_image_is_told(window: tuple[slice, ...]) -> None:
    image = np.stack([levels(), levels(seed=1)])
    denoiser = _awake(image, axes="CYX")
    with pytest.raises(ValueError, match="slice of pixels, without a step, for each axis"):
        denoiser.denoise(image, axes="CYX", window=window)


def test_number_of_flips_can_be_chosen_afterwards() -> None:
    image = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3)
    denoiser = Denoiser(Settings(**TINY | {"preset": "best"}, max_steps=40)).fit(image)
    own = denoiser.settings.budget.flips
    several, one = denoiser.denoise(image), denoiser.denoise(image, flips=1)
    np.testing.assert_array_equal(denoiser.denoise(image, flips=own), several)
    assert own > 1
    assert (several != one).any()
    assert np.abs(several - one).max() < 0.5 * np.ptp(image)
