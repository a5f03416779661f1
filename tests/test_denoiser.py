"""From any array to a denoised one of the same shape, scale and dtype."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_noise2self import Cancelled, Control, Denoiser, Progress, Settings, denoise
from napari_noise2self.arrays import InputError
from napari_noise2self.axes import AxesError
from simulate import TINY, awake, camera, psnr, smooth_scene

QUICK = Settings(**TINY, max_steps=3, partition_size=2)
TRAINED = Settings(width=8, depth=2, max_steps=150, device="cpu")
UNTRAINED = replace(QUICK, max_steps=0)
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
FLOATS = ["f2", "f4", "f8"]
BIG_ENDIAN = [">u2", ">i4", ">f4", ">f8"]


def _levels(shape: tuple[int, ...] = (24, 24), seed: int = 0) -> np.ndarray:
    """Noisy grey levels between 0 and 127, which fit into every dtype."""
    levels = camera(60 * smooth_scene(shape, seed) + 3, read_noise=1, offset=10, seed=seed)
    return np.clip(np.rint(levels), 0, 127)


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
    image = _levels().astype(dtype)
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
    image = _levels((80, 80))
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
    image = _levels((2, 20, 23, 3)).astype(np.float32)
    image[0, 4:8, 4:8, 1] = np.nan
    denoiser = _awake(image, "TYXS", **settings_)
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
    image = _levels().astype(dtype)
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
    results = [denoise(_levels().astype(dtype), QUICK) for dtype in ("u1", "i8", ">f4", "f8")]
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
    image = _levels(shape)
    result = denoise(image, QUICK, axes=axes)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_axes_in_another_order_give_the_same_pixels() -> None:
    image = _levels((2, 3, 20, 22))
    result = denoise(image, QUICK, axes="TCYX")
    moved = denoise(image.transpose(2, 1, 3, 0), QUICK, axes="YCXT")
    assert np.array_equal(moved, result.transpose(2, 1, 3, 0))


def test_planes_are_denoised_one_by_one() -> None:
    image = _levels((3, 20, 22))
    denoiser = _awake(image, adjacent_planes="ignore")
    stack = denoiser.denoise(image)
    for plane, expected in zip(image, stack, strict=True):
        assert np.array_equal(denoiser.denoise(plane), expected)


@pytest.mark.parametrize("name", ["non-contiguous", "reversed", "read-only", "fortran", "dask"])
def test_any_kind_of_array(name: str) -> None:
    image = _levels((2, 20, 22))
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
    images = [_levels(shape, seed) for seed, shape in enumerate(shapes)]
    denoiser = Denoiser(QUICK).fit(images)
    for image in images:
        result = denoiser.denoise(image)
        assert result.shape == image.shape
        assert np.isfinite(result).all()


# --- what cannot be denoised ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((9, 9), bool), "mask"),
        (np.zeros((9, 9), complex), "complex128"),
        (np.full((9, 9), None), "object"),
        (np.full((9, 9), "a"), "U1"),
        (np.zeros((9, 9), "M8[s]"), "datetime64"),
        (np.zeros((0, 9)), "empty"),
        (np.zeros((3, 9, 0)), "empty"),
        (np.array(3.0), "at least two axes"),
        (np.zeros(9), "at least two axes"),
        (np.zeros((9, 9, 3)), "colour"),
        (np.zeros((1,) * 9), "Name the axes"),
        (np.full((9, 9), np.nan), "no finite pixels"),
        ("picture.tif", "not an image array"),
        (None, "not an image array"),
        ([[1, 2], [3, 4]], "not an image array"),
        (np.full((9, 9), 1e39), "beyond 3.4e38"),
    ],
)
def test_one_clear_sentence_for_what_cannot_be_denoised(image: Any, message: str) -> None:
    with pytest.raises((InputError, AxesError), match=message) as caught:
        denoise(image, QUICK)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))


def test_no_image_at_all() -> None:
    with pytest.raises(InputError, match="no image to train on"):
        Denoiser(QUICK).fit([])


def test_list_is_refused_before_it_is_trained_on() -> None:
    reports: list[Progress] = []
    with pytest.raises(InputError, match="not an image array"):
        denoise([_levels(), _levels()], QUICK, report=reports.append)
    assert not reports


def test_too_large_values_in_an_image_denoised_later() -> None:
    with pytest.raises(InputError, match=r"beyond 3\.4e38"):
        Denoiser(QUICK).fit(_levels()).denoise(np.full((2, 9, 9), -1e40))


def test_images_of_a_list_must_fit_together() -> None:
    with pytest.raises(InputError, match="same number of channels"):
        Denoiser(QUICK).fit([_levels((2, 9, 9)), _levels((3, 9, 9))], axes="CYX")


def test_another_number_of_channels_than_trained_on() -> None:
    denoiser = Denoiser(QUICK).fit(_levels((2, 9, 9)), axes="CYX")
    with pytest.raises(InputError, match=r"trained on 2 channel\(s\), but this image has 1"):
        denoiser.denoise(_levels((9, 9)))


def test_untrained_denoiser_says_so() -> None:
    with pytest.raises(InputError, match="not trained yet"):
        Denoiser(QUICK).denoise(_levels())


def test_unknown_setting_by_name() -> None:
    with pytest.raises(ValueError, match="unknown settings: colour"):
        denoise(_levels(), QUICK, colour="red")


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prediction", ["posterior", "j-invariant", "single-pass"])
def test_missing_pixels_are_returned_as_they_are(prediction: str) -> None:
    image = _levels()
    image[3:6, 3:6], image[10, 10], image[11, 10] = np.nan, np.inf, -np.inf
    result = denoise(image, QUICK, prediction=prediction)
    finite = np.isfinite(image)
    assert np.isfinite(result[finite]).all()
    assert np.array_equal(result[~finite], image[~finite].astype(np.float32), equal_nan=True)


def test_plane_without_any_finite_pixel_among_others() -> None:
    image = _levels((2, 20, 20))
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
    image = np.where(_levels() > 40, limits.max, limits.min).astype(dtype)
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


@pytest.mark.parametrize("image", [1e-12 * _levels(), 1e9 + _levels() / 20, 1e30 * _levels()])
def test_result_has_the_scale_of_the_image(image: np.ndarray) -> None:
    result = Denoiser(QUICK).fit(image).denoise(image, dtype="same")
    assert np.abs(result - image).max() < 2 * np.ptp(image)
    assert np.ptp(result) > 0


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_saturated_image(dtype: str) -> None:
    image = np.clip(_levels((96, 96)), 15, 40).astype(dtype)
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
        np.where(_levels() > 30, largest, -largest),
        np.where(_levels() > 30, largest, 0),
        np.where(_levels() > 30, smallest, 0),
        np.where(_levels() > 30, largest, smallest),
        np.full((9, 9), largest),
        np.full((9, 9), -largest),
    ]
    for image in images:
        denoiser = _awake(image.astype(dtype))
        assert np.isfinite(denoiser.denoise(image.astype(dtype), dtype=output)).all()


# --- what comes out ---------------------------------------------------------------------------


def test_noise_goes_down_by_more_than_three_decibels() -> None:
    clean = 100 * smooth_scene((64, 64)) + 5
    noisy = camera(clean, read_noise=3)
    result = denoise(noisy, Settings(**TINY | {"width": 8, "depth": 2}, max_steps=120))
    assert psnr(result, clean) > psnr(noisy, clean) + 3


def test_same_seed_same_pixels() -> None:
    one, same, other = (denoise(_levels(), QUICK, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_figures_are_plain_and_tell_the_noise() -> None:
    image = camera(100 * smooth_scene((96, 96)) + 5, gain=2, read_noise=3, offset=50)
    figures = Denoiser(QUICK).fit(image).result(image).figures
    json.dumps(figures)
    assert figures["steps"] == 3
    assert figures["device"].startswith("cpu")
    assert figures["noise"][0]["gain"] == pytest.approx(2, rel=0.3)


def test_estimated_psnr_before_is_that_of_the_noise() -> None:
    clean = 100 * smooth_scene((96, 96)) + 5
    image = camera(clean, read_noise=3)
    figures = Denoiser(replace(QUICK, max_steps=100)).fit(image).result(image).figures
    assert figures["estimated_psnr_before"] == pytest.approx(psnr(image, clean), abs=2.5)
    assert figures["estimated_psnr"] > figures["estimated_psnr_before"]


@pytest.mark.parametrize("image", [np.full((9, 9), 5.0), _levels((9, 9)), _levels((1, 9))])
def test_figures_of_images_without_known_noise_are_json(image: np.ndarray) -> None:
    figures = Denoiser(QUICK).fit(image).result(image).figures
    json.dumps(figures, allow_nan=False)
    assert figures["estimated_psnr"] is None


def test_classics_are_compared_with_the_network() -> None:
    clean = smooth_scene((96, 96))
    noisy = clean + np.random.default_rng(0).normal(0, 2, clean.shape)
    settings = Settings(width=8, max_steps=0, device="cpu")
    figures = Denoiser(settings).fit(noisy).result(noisy).figures
    assert figures["classic"]["method"] in settings.budget.classics
    assert figures["classic"]["held_out_loss"] < figures["held_out_loss"]
    assert figures["classic_won"]
    assert any("classic filter" in note for note in figures["notes"])


def test_trained_network_beats_a_poor_classic() -> None:
    stripes = 20 * np.sin(np.arange(96) * 1.9) + np.zeros((96, 1))  # finer than any blur can keep
    noisy = stripes + np.random.default_rng(0).normal(0, 2, stripes.shape)
    figures = Denoiser(TRAINED).fit(noisy).result(noisy).figures
    assert not figures["classic_won"]
    assert not any("classic" in note for note in figures["notes"])


def test_residual_of_a_blurred_result_holds_structure() -> None:
    stripes = 20 * np.sin(np.arange(96) * 0.7) + np.zeros((96, 1))
    noisy = stripes + np.random.default_rng(0).normal(0, 2, stripes.shape)
    untrained = Settings(width=8, max_steps=0, device="cpu", prediction="j-invariant")
    flat = Denoiser(untrained).fit(noisy).result(noisy).figures["residual"]
    assert flat["structured"]
    trained = Denoiser(TRAINED).fit(noisy).result(noisy).figures["residual"]
    assert abs(trained["horizontal"]) < 0.3 * abs(flat["horizontal"])


def test_reports_run_through_training_and_all_planes() -> None:
    reports: list[Progress] = []
    denoise(_levels((3, 20, 20)), QUICK, report=reports.append)
    stages = [report.stage for report in reports]
    assert stages == sorted(stages, key=["calibrating", "training", "predicting"].index)
    predicting = [report for report in reports if report.stage == "predicting"]
    assert [report.done for report in predicting] == list(range(1, 3 * 4 + 1))
    assert {report.total for report in predicting} == {3 * 4}
    assert predicting[-1].seconds_left == 0


@pytest.mark.parametrize("stage", ["calibrating", "training", "predicting"])
def test_cancelled_while(stage: str) -> None:
    control = Control()

    def cancel(progress: Progress) -> None:
        if progress.stage == stage:
            control.cancel()

    with pytest.raises(Cancelled):
        denoise(_levels((3, 20, 20)), QUICK, control=control, report=cancel)


def test_stopped_training_still_denoises() -> None:
    control = Control()
    control.stop()
    denoiser = Denoiser(QUICK).fit(_levels(), control=control)
    assert denoiser.record.steps == 0
    assert np.isfinite(denoiser.denoise(_levels(), control=control)).all()


def test_prediction_can_be_chosen_afterwards() -> None:
    image = _levels((96, 96))
    denoiser = _awake(image)
    modes = ("posterior", "j-invariant", "single-pass")
    posterior, j_invariant, single = (denoiser.denoise(image, prediction=mode) for mode in modes)
    assert np.array_equal(j_invariant, denoiser.denoise(image))
    assert not np.array_equal(posterior, j_invariant)
    assert not np.array_equal(single, j_invariant)


def test_number_of_flips_can_be_chosen_afterwards() -> None:
    image = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3)
    denoiser = Denoiser(Settings(**TINY | {"preset": "best"}, max_steps=40)).fit(image)
    own = denoiser.settings.budget.flips
    several, one = denoiser.denoise(image), denoiser.denoise(image, flips=1)
    np.testing.assert_array_equal(denoiser.denoise(image, flips=own), several)
    assert own > 1
    assert (several != one).any()
    assert np.abs(several - one).max() < 0.5 * np.ptp(image)


def test_a_training_can_be_looked_at() -> None:
    """From within `report`: with the weights of that moment, which training does not mind."""
    noisy = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3)
    looks = []

    def look(progress: Progress) -> None:
        if progress.stage == "training":
            looks.append(watched.denoise(noisy, prediction="single-pass"))

    watched = Denoiser(Settings(**TINY, max_steps=40))
    watched.fit(noisy, report=look)
    assert len(looks) >= 2
    assert (looks[0] != looks[-1]).any()
    alone = Denoiser(Settings(**TINY, max_steps=40)).fit(noisy)
    np.testing.assert_array_equal(watched.denoise(noisy), alone.denoise(noisy))


def test_a_cancelled_training_leaves_no_network() -> None:
    noisy, control = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3), Control()
    denoiser = Denoiser(Settings(**TINY, max_steps=1000))

    with pytest.raises(Cancelled):
        denoiser.fit(noisy, control=control, report=lambda _: control.cancel())
    with pytest.raises(InputError, match="not trained yet"):
        denoiser.denoise(noisy)


def test_other_pixels_are_hidden_together_while_training(tmp_path: Path) -> None:
    noisy = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3)
    wanted = Settings(**TINY, partition="random", partition_size=9)
    denoiser = Denoiser(Settings(**TINY, max_steps=40, partition_size=3))
    denoiser.fit(noisy, report=lambda _: denoiser.repartition(wanted))
    assert denoiser.settings == replace(wanted, max_steps=40)
    assert denoiser.figures["partition"]["kind"] == "random"
    [(step, partition)] = denoiser.figures["partition_changes"]
    assert partition == denoiser.figures["partition"]
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors")
    assert loaded.figures["partition_changes"] == [(step, partition)]
    np.testing.assert_array_equal(loaded.denoise(noisy), denoiser.denoise(noisy))
