"""The panel shows progress as the user can read it."""

import math

import pytest

from napari_noise2self.progress import Progress
from napari_noise2self.widgets.progress_panel import ProgressPanel


@pytest.fixture
def panel(qtbot):
    panel = ProgressPanel()
    qtbot.addWidget(panel)
    return panel


def test_training(panel):
    panel.begin()
    panel.show_progress(Progress("training", 120, 1200, 3.0, 27.0, 1.5))
    assert panel.stage.text() == "Training: step 120 of 1,200"
    assert panel.time_left.text() == "27 s left"
    assert (panel.bar.value(), panel.bar.maximum()) == (120, 1200)
    panel.show_progress(Progress("training", 240, 1000, 6.0, 20.0))
    assert panel.bar.maximum() == 1000


def test_what_comes_after_the_training_counts(panel):
    panel.begin()
    panel.show_progress(Progress("training", 120, 1200, 3.0, 27.0, seconds_to_denoise=65.0))
    assert panel.time_left.text() == "1 min 32 s left"


def test_predicting(panel):
    panel.begin()
    panel.show_progress(Progress("predicting", 3, 16, 1.0, 4.0))
    assert panel.stage.text() == "Denoising"
    assert panel.time_left.text() == "4 s left"


def test_job_with_a_name_of_its_own(panel):
    panel.begin("Comparing partition sizes")
    assert panel.stage.text() == "Comparing partition sizes"
    panel.show_progress(Progress("predicting", 3, 16, 1.0, 4.0))
    assert panel.stage.text() == "Comparing partition sizes"
    panel.begin()
    panel.show_progress(Progress("predicting", 3, 16, 1.0, 4.0))
    assert panel.stage.text() == "Denoising"


def test_time_left_that_is_not_known(panel):
    panel.begin()
    panel.show_progress(Progress("calibrating", 3, 16, 1.0, 4.0))
    panel.show_progress(Progress("predicting", 0, 1, 0.0, math.inf))
    assert panel.time_left.text() == ""
    assert panel.bar.maximum() == 0  # it moves without saying how far


def test_shown_while_there_is_a_job(panel):
    panel.begin()
    assert panel.isVisible()
    assert not panel.stop.isVisible()
    panel.end()
    assert not panel.isVisible()
    panel.begin(stoppable=True)
    assert panel.stop.isVisible()


def test_buttons_ask(panel, qtbot):
    with qtbot.waitSignal(panel.stop_requested):
        panel.stop.click()
    with qtbot.waitSignal(panel.cancel_requested):
        panel.cancel.click()
