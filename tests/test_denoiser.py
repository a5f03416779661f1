"""Training on an array, and denoising it, in one go."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Cancelled, Control, Denoiser, Progress, Settings, denoise
from napari_noise2self.arrays import InputError
from napari_noise2self.axes import AxesError
from napari_noise2self.inference.white_predictor import WhitePredictor
from napari_noise2self.settings import Prediction
from napari_noise2self.snippet import as_python
from napari_noise2self.training.trainer import Trainer
from simulate import TINY, camera, levels, psnr, smooth_scene

QUICK = Settings(**TINY, max_steps=3, partition_size=2)
TRAINED = Settings(width=8, depth=2, max_steps=150, device="cpu")


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
        denoise([levels(), levels()], QUICK, report=reports.append)
    assert not reports


def test_too_large_values_in_an_image_denoised_later() -> None:
    with pytest.raises(InputError, match=r"beyond 3\.4e38"):
        Denoiser(QUICK).fit(levels()).denoise(np.full((2, 9, 9), -1e40))


def test_images_of_a_list_must_fit_together() -> None:
    with pytest.raises(InputError, match="same number of channels"):
        Denoiser(QUICK).fit([levels((2, 9, 9)), levels((3, 9, 9))], axes="CYX")


def test_another_number_of_channels_than_trained_on() -> None:
    denoiser = Denoiser(QUICK).fit(levels((2, 9, 9)), axes="CYX")
    with pytest.raises(InputError, match=r"trained on 2 channel\(s\), but this image has 1"):
        denoiser.denoise(levels((9, 9)))


def test_untrained_denoiser_says_so() -> None:
    with pytest.raises(InputError, match="not trained yet"):
        Denoiser(QUICK).denoise(levels())


def test_unknown_setting_by_name() -> None:
    with pytest.raises(ValueError, match="unknown settings: colour"):
        denoise(levels(), QUICK, colour="red")


# --- what comes out ---------------------------------------------------------------------------


def test_noise_goes_down_by_more_than_three_decibels() -> None:
    clean = 100 * smooth_scene((64, 64)) + 5
    noisy = camera(clean, read_noise=3)
    result = denoise(noisy, Settings(**TINY | {"width": 8, "depth": 2}, max_steps=120))
    assert psnr(result, clean) > psnr(noisy, clean) + 3


def test_same_seed_same_pixels() -> None:
    one, same, other = (denoise(levels(), QUICK, seed=seed) for seed in (1, 1, 2))
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


@pytest.mark.parametrize("image", [np.full((9, 9), 5.0), levels((9, 9)), levels((1, 9))])
def test_figures_of_images_without_known_noise_are_json(image: np.ndarray) -> None:
    figures = Denoiser(QUICK).fit(image).result(image).figures
    json.dumps(figures, allow_nan=False)
    assert figures["estimated_psnr"] is None


def test_classics_are_compared_with_the_network() -> None:
    clean = smooth_scene((96, 96))
    noisy = clean + np.random.default_rng(0).normal(0, 2, clean.shape)
    settings = Settings(width=8, max_steps=0, partition_size=2, device="cpu")  # knows little
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


def test_a_training_tells_how_long_denoising_will_take() -> None:
    """Within two thirds, as tests share the processor with others."""
    image, reports = levels((256, 256)), []
    denoiser = Denoiser(Settings(preset="fast", max_steps=11, max_seconds=600.0, device="cpu"))
    denoiser.fit(image, report=reports.append)
    foretold = reports[-1].seconds_to_denoise
    started = time.monotonic()
    denoiser.denoise(image)
    assert foretold == pytest.approx(time.monotonic() - started, rel=0.67)


@pytest.mark.parametrize(("prediction", "passes"), [("posterior", 4), ("single-pass", 1)])
def test_all_that_is_predicted_counts(
    monkeypatch: pytest.MonkeyPatch, prediction: Prediction, passes: int
) -> None:
    """Each subset of each plane in each orientation."""

    class Paced(Trainer):
        seconds_per_pixel = property(lambda _: 1e-6, lambda _, pace: None)

    monkeypatch.setattr("napari_noise2self.denoiser.Trainer", Paced)
    settings, reports = replace(QUICK, prediction=prediction), []
    Denoiser(settings).fit(levels((3, 20, 20)), report=reports.append)
    expected = 1e-6 * 3 * 20 * 20 * passes * settings.budget.flips
    assert reports[-1].seconds_to_denoise == pytest.approx(expected)


def test_reports_run_through_training_and_all_planes() -> None:
    reports: list[Progress] = []
    denoise(levels((3, 20, 20)), QUICK, report=reports.append)
    stages = [report.stage for report in reports]
    assert stages == sorted(stages, key=["calibrating", "training", "predicting"].index)
    predicting = [report for report in reports if report.stage == "predicting"]
    assert [report.done for report in predicting] == [4, 8, 12]  # of a small plane all at once
    assert {report.total for report in predicting} == {3 * 4}
    assert predicting[-1].seconds_left == 0


@pytest.mark.parametrize("stage", ["calibrating", "training", "predicting"])
def test_cancelled_while(stage: str) -> None:
    control = Control()

    def cancel(progress: Progress) -> None:
        if progress.stage == stage:
            control.cancel()

    with pytest.raises(Cancelled):
        denoise(levels((3, 20, 20)), QUICK, control=control, report=cancel)


def test_stopped_training_still_denoises() -> None:
    control = Control()
    control.stop()
    denoiser = Denoiser(QUICK).fit(levels(), control=control)
    assert denoiser.record.steps == 0
    assert np.isfinite(denoiser.denoise(levels(), control=control)).all()


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


class _CancelledLater(Control):
    """Cancels at one of the first times that it is asked."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times

    def check(self) -> None:
        self._left -= 1
        if not self._left:
            self.cancel()
        super().check()


@pytest.mark.parametrize("times", [1, 2, 4, 6, 9])
def test_a_training_that_fails_leaves_the_model_that_there_was(times: int) -> None:
    """Wherever it fails: not with the scale of another image, nor without a network."""
    noisy = levels((32, 32))
    denoiser = Denoiser(QUICK).fit(noisy)
    before, expected = vars(denoiser).copy(), denoiser.denoise(noisy)
    with pytest.raises(Cancelled):
        denoiser.fit(7 * noisy + 5000, control=_CancelledLater(times))
    assert vars(denoiser) == before
    np.testing.assert_array_equal(denoiser.denoise(noisy), expected)


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


def test_another_partition_to_look_at_is_not_that_of_the_training() -> None:
    noisy = camera(100 * smooth_scene((48, 48)) + 5, read_noise=3)
    denoiser = Denoiser(Settings(**TINY, max_steps=40, partition_size=3))
    other = replace(denoiser.settings, partition_size=5)
    denoiser.fit(noisy, report=lambda _: denoiser.repartitioned(other))
    assert denoiser.partition.size == 3
    assert not denoiser.figures["partition_changes"]


# --- noise that is correlated, but too little to show before ------------------------------------


def _weakly_correlated(std: float, side: int = 192) -> tuple[NDArray[np.float64], ...]:
    """A scene, and the same with noise whose next neighbours are correlated by 0.14 if blurred."""
    clean = 100 * smooth_scene((side, side), seed=2)
    noise = np.random.default_rng(1).standard_normal(clean.shape)
    noise = ndimage.gaussian_filter(noise, std, mode="wrap") if std else noise
    return clean, clean + 12 * noise / noise.std()


SOME_STEPS = Settings(preset="fast", max_steps=60, max_seconds=600)


def test_training_that_learns_correlated_noise_is_given_up() -> None:
    clean, noisy = _weakly_correlated(0.43)
    denoiser = Denoiser(SOME_STEPS).fit(noisy)
    result = denoiser.result(noisy)
    assert denoiser.record.learned_noise
    assert denoiser.record.best_step == 0
    assert denoiser.record.steps < 60
    assert denoiser.partition.exclusion.radius == 0
    assert any("given up" in note for note in result.figures["notes"])
    untrained = denoise(noisy, replace(SOME_STEPS, max_steps=0))
    assert psnr(result.image, clean) > psnr(untrained, clean) + 0.2, "its noise was made white"
    code = as_python(
        {"settings": SOME_STEPS.to_dict(), "figures": result.figures, "axes": "YX"}, "x"
    )
    names = {"x": noisy}
    exec(code, names)
    np.testing.assert_array_equal(names["denoised"], result.image)


def test_training_on_white_noise_goes_on() -> None:
    _, noisy = _weakly_correlated(0)
    denoiser = Denoiser(SOME_STEPS).fit(noisy)
    assert not denoiser.record.learned_noise
    assert denoiser.record.steps == 60


def test_noise_is_not_made_white_if_the_rehearsal_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    _, noisy = _weakly_correlated(0.7, side=96)
    settings = Settings(preset="fast", max_steps=0)
    assert Denoiser(settings).fit(noisy).whitens
    monkeypatch.setattr(WhitePredictor, "rehearsed", lambda *_: ())
    assert not Denoiser(settings).fit(noisy).whitens
