"""The panel shows progress as the user can read it."""

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
    assert panel.plot.points == [(120, 1.5)]
    panel.show_progress(Progress("training", 240, 1000, 6.0, 20.0))
    assert panel.bar.maximum() == 1000
    assert len(panel.plot.points) == 1


def test_predicting(panel):
    panel.begin()
    panel.show_progress(Progress("predicting", 3, 16, 1.0, 4.0))
    assert panel.stage.text() == "Denoising"
    assert panel.time_left.text() == "4 s left"


def test_only_the_curve_stays(panel):
    panel.begin()
    assert panel.isVisible()
    panel.end()
    assert not panel.isVisible()
    panel.begin()
    panel.show_progress(Progress("training", 20, 40, 1.0, 1.0, 1.2))
    panel.end()
    assert panel.plot.isVisible()
    assert not panel.bar.isVisible()


def test_buttons_ask(panel, qtbot):
    with qtbot.waitSignal(panel.stop_requested):
        panel.stop.click()
    with qtbot.waitSignal(panel.cancel_requested):
        panel.cancel.click()


def test_curve_follows_the_theme(panel, qtbot):
    curve = panel.plot._curve
    panel.setStyleSheet("* {color: #ff0000}")
    panel.show()
    qtbot.waitUntil(lambda: curve.opts["pen"].color().name() == "#ff0000")
