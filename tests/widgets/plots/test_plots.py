"""The plots show what they are given, in the colours of the theme."""

import numpy as np
import pytest

from napari_noise2self.widgets.plots.curve import CurvePlot
from napari_noise2self.widgets.plots.loss import LossPlot

CURVE = {
    "method": "tv",
    "quantity": "weight (noise standard deviations)",
    "strengths": [0.1, 0.5, 1.0],
    "best": 0.5,
    "donut_losses": [1.3, 1.2, 1.4],
    "filter_losses": [0.1, 0.8, 0.9],
    "donut_errors": [],
    "filter_errors": [],
}
ERRORS = {"donut_errors": [0.3, 0.2, 0.4], "filter_errors": [0.9, 0.3, 0.2]}


@pytest.fixture
def losses(qtbot):
    plot = LossPlot()
    qtbot.addWidget(plot)
    return plot


@pytest.fixture
def curves(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    return plot


def test_loss_grows(losses):
    losses.add(20, 1.4)
    losses.add(40, 1.2)
    assert losses.points == [(20, 1.4), (40, 1.2)]
    losses.clear()
    assert losses.points == []


def test_levels_reach_over_the_curve(losses):
    losses.add(40, 1.2)
    losses.show_outcome(40, {"total variation": 1.25, "noise floor": 1.0})
    for line, level in zip(losses._level_lines, (1.25, 1.0), strict=True):
        x, y = line.getData()
        np.testing.assert_array_equal(x, [0, 40])
        np.testing.assert_array_equal(y, [level, level])
    assert "total variation 1.25" in losses.legend.text()
    assert losses.legend.isVisibleTo(losses)
    losses.clear()
    assert losses.levels == {}
    assert not losses.legend.isVisibleTo(losses)


def test_ring_marks_the_weights_that_were_kept(losses):
    losses.add(30, 1.4)
    losses.add(60, 1.2)
    losses.show_outcome(30, {})
    assert losses.kept == 30
    assert [values.tolist() for values in losses._ring.getData()] == [[30], [1.4]]
    assert "kept at step 30" in losses.legend.text()
    assert losses.legend.isVisibleTo(losses)
    losses.clear()
    assert losses.kept is None
    assert losses._ring.getData() == (None, None)
    assert not losses.legend.isVisibleTo(losses)


def test_curves_and_their_minima(curves):
    curves.show_curve(CURVE)
    assert curves.minima == {"donut_losses": (0.5, 1.2), "filter_losses": (0.1, 0.1)}
    assert "true error" not in curves.legend.text()
    assert curves._axes.getAxis("bottom").labelText == CURVE["quantity"]
    curves.show_curve(CURVE | ERRORS)
    assert curves.minima["donut_errors"] == (0.5, 0.2)
    assert curves.minima["filter_errors"] == (1.0, 0.2)
    assert "true error" in curves.legend.text()
    curves.show_curve(CURVE)
    assert curves._lines["donut_errors"].getData() == (None, None)
    assert curves._best.value() == 0.5


def test_colours_follow_the_theme(losses, curves, qtbot):
    curves.show_curve(CURVE)
    for plot in (losses, curves):
        plot.setStyleSheet("* {color: #ffeeee}")
        plot.show()
    curve, donut = losses._curve, curves._lines["donut_losses"]
    qtbot.waitUntil(lambda: curve.opts["pen"].color().name() == "#ffeeee")
    on_dark = donut.opts["pen"].color().lightness()
    curves.setStyleSheet("* {color: #110000}")
    qtbot.waitUntil(lambda: donut.opts["pen"].color().lightness() < on_dark)
    assert donut.opts["pen"].color().name() in curves.legend.text()


def test_background_follows_the_theme(losses, qtbot):
    with qtbot.waitExposed(losses):
        losses.show()
    for colour in ("#112233", "#ffeedd"):
        losses.setStyleSheet(f"* {{background: {colour}}}")
        assert losses._axes.grab().toImage().pixelColor(3, 3).name() == colour
