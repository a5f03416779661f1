"""What the dock says in words."""

import pytest

from napari_noise2self.widgets.words import duration, summary

FIGURES = {
    "steps": 1200,
    "held_out_loss": 1.0512,
    "estimated_psnr_before": 21.23,
    "estimated_psnr": 32.1,
    "device": "cpu (2 threads)",
}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_summary():
    assert summary(FIGURES, "cells denoised", 48) == (
        "Done in 48 s: 1,200 steps, held-out loss 1.05 → layer 'cells denoised'.\n"
        "Estimated PSNR: 32.1 dB, from 21.2 dB.\n"
        "Computed on cpu (2 threads)."
    )


def test_summary_leaves_out_what_is_not_known():
    figures = FIGURES | {"held_out_loss": None, "estimated_psnr": None}
    assert summary(figures, "x", 1) == (
        "Done in 1 s: 1,200 steps → layer 'x'.\nComputed on cpu (2 threads)."
    )
