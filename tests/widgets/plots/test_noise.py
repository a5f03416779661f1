"""The noise model as a plot: points, line and read variance, of the result that is chosen."""

import gc
import weakref

import numpy as np
import pytest
from drive import open_dock, run, wait_for_threads
from qtpy.QtCore import Qt

from napari_noise2self.samples import simulate_cells
from napari_noise2self.widgets.plots.noise import NoisePlot

CAMERA = {
    "gain": 2.0,
    "intercept": -164.0,  # read noise 6, offset 100
    "read_variance": 36.0,
    "offset": 100.0,
    "reliable": True,
    "goodness": 0.974,
    "points": ((110.0, 57.0, 1.0), (150.0, 135.0, 0.5), (200.0, 237.0, 0.01)),
}
STAND_IN = CAMERA | {"gain": 0.0, "intercept": 900.0, "read_variance": 900.0, "reliable": False}
OLDER = {name: value for name, value in CAMERA.items() if name != "points"}


@pytest.fixture
def plot(qtbot):
    plot = NoisePlot()
    qtbot.addWidget(plot)
    return plot


def show(plot, *noise, **more):
    plot.show_noise({"noise": list(noise), **more})


def pen(item):
    return item.opts["pen"]


def test_points_line_and_read_variance(plot):
    show(plot, CAMERA)
    assert plot.points == [[(110, 57), (150, 135), (200, 237)]]
    (line,) = plot.lines
    assert (line[0], line[-1]) == ((100, 36), (200, 236))
    (channel,) = plot._channels
    np.testing.assert_array_equal(channel.level.getData(), [[100, 200], [36, 36]])
    for words in ("fit, goodness 0.97", "measured", "read variance"):
        assert words in plot.legend.text()
    assert plot.reading.text() == ""


def test_all_is_within_the_axes_which_begin_at_variance_zero(plot):
    show(plot, CAMERA)
    (left, right), (bottom, top) = plot._axes.viewRange()
    assert left < 100 < 200 < right
    assert -20 < bottom <= 0 < 237 < top


def test_points_of_little_weight_are_faint(plot):
    show(plot, CAMERA)
    brushes = plot._channels[0].points.opts["symbolBrush"]
    assert [brush.alphaF() for brush in brushes] == pytest.approx([1, 0.5, 0.2], abs=0.01)


def test_what_is_no_fit_is_dashed_and_said_to_be_none(plot):
    show(plot, STAND_IN)
    assert pen(plot._channels[0].line).style() == Qt.PenStyle.DashLine
    assert plot._channels[0].level.getData() == (None, None)
    assert "no fit" in plot.legend.text()
    assert "read variance" not in plot.legend.text()
    assert "Dashed" in plot.reading.text()
    assert plot.points[0]


def test_line_without_points_is_said_to_have_none(plot):
    show(plot, OLDER)
    assert plot.points == [[]]
    (line,) = plot.lines
    assert (line[0], line[-1]) == ((100, 36), (300, 436))  # from 0 to 100 photons
    assert "measured" not in plot.legend.text()
    assert "not known" in plot.reading.text()


def test_the_line_is_never_below_zero(plot):
    show(plot, CAMERA | {"intercept": -240.0, "read_variance": 0.0})
    assert min(variance for _, variance in plot.lines[0]) == 0


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_any_scale(plot, scale):
    points = [(s * scale, v * scale**2, w) for s, v, w in CAMERA["points"]]
    linear = {name: CAMERA[name] * scale for name in ("gain", "offset")}
    squared = {name: CAMERA[name] * scale**2 for name in ("intercept", "read_variance")}
    show(plot, CAMERA | linear | squared | {"points": points})
    plot.show()
    assert plot._axes.viewRange()[0] == pytest.approx([97 * scale, 203 * scale])


def test_each_channel_has_a_colour(plot):
    show(plot, *[CAMERA] * 5)
    pens = [pen(channel.line).color().name() for channel in plot._channels]
    assert len(set(pens)) == 5
    for number, colour in enumerate(pens, 1):
        entry = next(part for part in plot.legend.text().split("&nbsp;") if colour in part)
        assert f"channel {number}" in entry
    show(plot, *[CAMERA] * 9)  # colours come again
    assert len(plot.lines) == 9


def test_of_three_channels_the_colours_are_near_red_green_and_blue(plot):
    show(plot, *[CAMERA] * 3)
    for number, channel in enumerate(plot._channels):
        assert np.argmax(pen(channel.line).color().getRgb()[:3]) == number


def test_of_several_channels_those_without_a_fit_are_dashed(plot):
    show(plot, CAMERA, STAND_IN)
    styles = [pen(channel.line).style() for channel in plot._channels]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine]


def test_what_was_shown_before_is_gone(plot):
    show(plot, CAMERA)
    items = len(plot._axes.getPlotItem().listDataItems())
    show(plot, *[CAMERA] * 3)
    show(plot, CAMERA)
    assert len(plot._axes.getPlotItem().listDataItems()) == items


def test_colours_follow_the_theme(plot, qtbot):
    show(plot, CAMERA)
    plot.setStyleSheet("* {color: #ffeeee}")
    plot.show()
    qtbot.waitUntil(lambda: plot.ink.name() == "#ffeeee")
    on_dark = plot._channels[0].line.opts["pen"].color()
    plot.setStyleSheet("* {color: #110000}")
    qtbot.waitUntil(lambda: pen(plot._channels[0].line).color() != on_dark)
    on_light = pen(plot._channels[0].line).color()
    assert on_light.lightness() < on_dark.lightness()
    assert plot._channels[0].points.opts["symbolBrush"][0] == on_light
    assert on_light.name() in plot.legend.text()


# --- In the dock -------------------------------------------------------------------------------


@pytest.fixture
def cells():
    """An image large enough to measure its noise."""
    return simulate_cells(96).noisy


def in_metadata(viewer, layer):
    """Return signal and variance of the points in the metadata of a result."""
    return [
        [tuple(point[:2]) for point in noise["points"]]
        for noise in viewer.layers[layer].metadata["noise2self"]["figures"]["noise"]
    ]


def test_plot_is_that_of_the_chosen_result(viewer, dock, qtbot, tiny):
    for name, gain in (("dim", 1.0), ("bright", 9.0)):
        noisy = simulate_cells(96, gain=gain).noisy
        dock.images.value = viewer.add_image(noisy, name=name)
        run(qtbot, dock, tiny)
    plot = dock.figures.noise
    for row, name in enumerate(("bright denoised", "dim denoised")):
        dock.compare.choice.setCurrentIndex(row)
        assert plot.points == in_metadata(viewer, name)
        assert len(plot.points[0]) > 10


def test_plot_is_folded_away_until_details_are_wanted(viewer, dock, qtbot, cells, tiny):
    viewer.add_image(cells, name="cells")
    assert not dock.figures.noise.isVisibleTo(dock)
    run(qtbot, dock, tiny)
    assert not dock.figures.noise.isVisibleTo(dock)
    dock.figures.details.header.click()
    assert dock.figures.noise.isVisibleTo(dock)
    dock.figures.details.header.click()
    assert not dock.figures.noise.isVisibleTo(dock)


def test_plot_in_a_dock_that_was_folded_follows_the_theme_of_napari(
    make_napari_viewer_proxy, qtbot, cells, tiny
):
    viewer = make_napari_viewer_proxy(show=True)
    dock = open_dock(viewer)
    viewer.add_image(cells, name="cells")
    run(qtbot, dock, tiny)
    viewer.theme = "light"
    dock.figures.details.unfold()
    plot = dock.figures.noise
    qtbot.waitUntil(lambda: plot.ink.lightness() < 128)
    qtbot.waitUntil(lambda: pen(plot._channels[0].line).color().name() == plot.colours[0])
    viewer.theme = "dark"
    qtbot.waitUntil(lambda: plot.ink.lightness() > 128)
    qtbot.waitUntil(lambda: pen(plot._channels[0].line).color().name() == plot.colours[0])


def test_result_of_an_older_version_and_of_a_loaded_model(viewer, dock, qtbot, cells, tiny):
    viewer.add_image(cells, name="cells")
    run(qtbot, dock, tiny)
    dock.models.apply.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=30_000)
    wait_for_threads(qtbot)
    assert "Measured on what the model was trained on" in dock.figures.noise.reading.text()
    for noise in viewer.layers[-2].metadata["noise2self"]["figures"]["noise"]:
        del noise["points"]
    dock.compare.choose(viewer.layers[-2])
    assert dock.figures.noise.points == [[]]
    assert "not known" in dock.figures.noise.reading.text()


def test_closed_dock_leaves_no_plot(viewer, qtbot, cells, tiny):
    dock = open_dock(viewer)
    container = dock.parent().parent()
    viewer.add_image(cells, name="cells")
    run(qtbot, dock, tiny)
    dock.figures.details.unfold()
    gone = weakref.ref(dock.figures.noise)
    del dock
    viewer.window.remove_dock_widget(container)
    del container
    wait_for_threads(qtbot)
    gc.collect()
    assert gone() is None
