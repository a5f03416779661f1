"""Figures in words."""

import pytest

from napari_noise2self.figures.words import (
    calibration_summary,
    curve_reading,
    duration,
    figure_advice,
    figure_notes,
    figure_rows,
    kept_step,
    loss_levels,
    noise_reading,
    summary,
    tails_note,
)

NOISE = {
    "gain": 2.04,
    "offset": 100.4,
    "read_variance": 9.0,
    "reliable": True,
    "goodness": 0.9,
    "correlation": {"horizontal": (0.31, 0.1, 0.0), "vertical": (-0.004, 0.0, 0.0)},
}
FIGURES = {
    "steps": 1200,
    "held_out_loss": 1.0512,
    "noise_floor": 0.98,
    "estimated_psnr_before": 21.23,
    "estimated_psnr": 32.1,
    "device": "cpu (2 threads)",
    "classic": {"method": "tv", "parameter": 0.7, "held_out_loss": 1.1},
    "classic_won": False,
    "residual": {"structured": False, "note": "The residual looks like noise."},
    "noise": [NOISE],
    "notes": ["One.", "Two.", "One."],
}
CURVE = {
    "strengths": [0.1, 0.5, 1.0],
    "best": 0.5,
    "donut_losses": [1.3, 1.2, 1.4],
    "filter_losses": [0.1, 0.8, 0.9],
    "donut_errors": [],
}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def rows(**changes):
    return {label: text for label, text, _ in figure_rows(FIGURES | changes)}


def test_summary():
    assert summary(FIGURES, "cells denoised", 48) == (
        "Done in 48 s: 1,200 steps on cpu (2 threads) → layer 'cells denoised'."
    )


def test_figures():
    assert rows() == {
        "Estimated PSNR": "21.2 → 32.1 dB",
        "Held-out loss": "1.05 network, 1.1 total variation",
        "Noise": "gain 2.04, read noise 3, offset 100",
        "Noise correlation": "0.31 across, 0.00 down",
        "Residual": "looks like noise",
    }
    assert all(tooltip for *_, tooltip in figure_rows(FIGURES))


def test_estimate_says_how_sure_it_is():
    assert rows(estimated_psnr_uncertainty=1.3)["Estimated PSNR"] == "21.2 → 32.1 ± 1.3 dB"
    assert rows(estimated_psnr_uncertainty=None)["Estimated PSNR"] == "21.2 → 32.1 dB"


def test_what_is_not_known_is_left_out():
    assert "Estimated PSNR" not in rows(estimated_psnr=None)
    assert "Held-out loss" not in rows(held_out_loss=None)
    assert "Residual" not in rows(residual=None)
    assert rows(classic=None)["Held-out loss"] == "1.05"
    unknown = FIGURES["classic"] | {"held_out_loss": None}
    assert rows(classic=unknown)["Held-out loss"] == "1.05"
    assert rows(noise=[NOISE | {"reliable": False}])["Noise"] == "could not be measured"


def test_noise_of_several_channels():
    other = NOISE | {"gain": 3.0, "read_variance": 9.0, "offset": 90.0}
    assert rows(noise=[NOISE, other])["Noise"] == "gain 2.04 to 3, read noise 3, offset 90 to 100"
    gaussian = NOISE | {"gain": 0.0}
    assert rows(noise=[gaussian])["Noise"] == "3 grey levels at all intensities"
    limit = gaussian | {"goodness": 0.0}
    assert rows(noise=[limit])["Noise"] == "at most 3 grey levels at all intensities"


def test_residual_with_structure():
    residual = {"structured": True, "note": "Train longer."}
    *_, row = figure_rows(FIGURES | {"residual": residual})
    assert row.text == "structure left in it"
    assert row.tooltip.endswith("Train longer.")


def test_each_note_is_told_once():
    assert figure_notes(FIGURES) == "One.\nTwo."


def test_advice_is_given_where_something_is_amiss():
    assert figure_advice(FIGURES) == ""
    unreliable = NOISE | {"reliable": False, "note": "Too small."}
    amiss = {
        "classic_won": True,
        "residual": {"structured": True, "note": ""},
        "noise": [unreliable, unreliable],
        "unlike": "Unlike.",
    }
    assert figure_advice(FIGURES | amiss).splitlines() == [
        "Unlike.",
        "Too small.",
        "Total variation did better: train longer, or use that.",
        "Detail may be lost: choose a better preset.",
    ]


def test_reading_of_noise():
    noise = NOISE | {"points": ((100.0, 9.0, 1.0),)}
    reading = noise_reading({"noise": [noise, noise]})
    assert reading == ""
    reading = noise_reading({"noise": [noise, noise | {"reliable": False}]})
    assert reading == "Dashed: the whole variance, in place of a fit that can be trusted."
    reading = noise_reading({"noise": [noise | {"goodness": 0.0}] * 2})
    assert (
        reading == "Dashed: the noise of the flattest parts, in place of a fit that can be trusted."
    )
    assert "not known" in noise_reading({"noise": [NOISE]})  # of an older version
    for applied in ({"unlike": ""}, {"continued_after": [50]}):
        reading = noise_reading({"noise": [noise], **applied})
        assert reading == "Measured on what the model was trained on at first."
    assert noise_reading({"noise": [noise], "continued_after": []}) == ""


def test_levels():
    assert loss_levels(FIGURES) == {"total variation": 1.1, "noise floor": 0.98}
    assert loss_levels(FIGURES | {"classic": None, "noise_floor": None}) == {}


@pytest.mark.parametrize(
    ("best", "continued", "kept"), [(240, [], 240), (540, [200, 500], 40), (210, [500], 0)]
)
def test_step_of_the_last_training(best: int, continued: list[int], kept: int) -> None:
    assert kept_step({"best_step": best, "continued_after": continued}) == kept


def test_calibration_summary():
    figures = {"method": "nlm", "parameter": 0.7, "held_out_loss": 1.2244}
    assert calibration_summary(figures, "cells x", 5) == (
        "Done in 5 s: the best is non-local means at 0.7, held-out loss 1.22 → layer 'cells x'."
    )
    assert "loss" not in calibration_summary(figures | {"held_out_loss": None}, "cells x", 5)


def test_reading_of_curves():
    assert "least at 0.5, the strength to choose" in curve_reading(CURVE)
    assert "least at 0.1, where it does least" in curve_reading(CURVE)
    same = curve_reading(CURVE | {"donut_errors": [0.3, 0.2, 0.4]})
    assert same.endswith("true error is least at 0.5, too.")
    other = curve_reading(CURVE | {"donut_errors": [0.3, 0.22, 0.2]})
    assert other.endswith("true error is least at 1; at 0.5 it is 10.0% more.")


def test_noise_that_is_stronger_at_some_pixels():
    assert tails_note(0.043) == (
        "Some pixels (4 %) have far stronger noise than others, as in sCMOS cameras: they have "
        "less say."
    )
