"""The dock in a window of 1280 × 800: all is in view, nothing is cut off, Tab goes down."""

from itertools import pairwise

import pytest
from drive import begin, open_dock, run, wait_for_training
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_noise2self.widgets.form.section import Section


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    """A window as large as that of a small laptop."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(1280, 800)
    return viewer


@pytest.fixture
def page(dock):
    """What scrolls."""
    return dock.findChild(QScrollArea)


def room(page):
    """Return how much height is left, with all layouts up to date."""
    for _ in range(3):
        QApplication.processEvents()
    page.widget().layout().activate()
    width = page.viewport().width()
    assert page.widget().minimumSizeHint().width() <= width
    return page.viewport().height() - page.widget().layout().totalHeightForWidth(width)


def test_all_is_in_view_without_scrolling(viewer, dock, page, qtbot, noisy, tiny, endless):
    viewer.add_image(noisy, name="Noisy cells (simple)")
    qtbot.waitUntil(lambda: page.viewport().height() > 600)
    assert page.viewport().height() < 760
    assert room(page) >= 0

    for _ in range(2):
        run(qtbot, dock, tiny)
        assert dock.figures.advice.text()  # so few steps leave something to say
        assert room(page) >= 0
        assert page.verticalScrollBar().maximum() == 0

    dock.hidden_pixels.show_button.click()
    assert room(page) >= 0

    begin(dock, endless)
    wait_for_training(qtbot, dock)
    assert room(page) >= 0


def test_nothing_is_cut_off_at_the_side_of_a_narrow_dock(viewer, dock, page, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    for section in dock.findChildren(Section):
        section.unfold()
    place = dock.parent().parent()
    dock.window().resizeDocks([place], [1], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() > 0)
    room(page)
    assert page.widget().width() <= page.viewport().width()


LONG_NAMES = pytest.mark.parametrize(
    "name", ["Leica_SP8_63x_oil_GFP_position" * 5, "/2026_04_12" * 15, "<b>x</b> <img>" * 9]
)


@LONG_NAMES
@pytest.mark.parametrize("title", ["Denoise", "Calibrate classic filters"])
def test_dock_is_no_wider_for_a_long_name(viewer, qtbot, noisy, name, title):
    viewer.add_image(noisy, name=name)
    dock = open_dock(viewer, title)
    room(dock.findChild(QScrollArea))
    assert dock.width() < 1280 / 2


@LONG_NAMES
def test_nothing_is_cut_off_for_a_long_name(viewer, dock, page, qtbot, noisy, tiny, endless, name):
    cells = viewer.add_image(noisy, name="cells")
    cells.name = name
    run(qtbot, dock, tiny)
    assert f"{name} denoised" in dock.status.text()
    room(page)
    begin(dock, endless)
    assert dock.status.text().startswith(name)
    room(page)


def test_tab_goes_down_the_dock(viewer, dock, page, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.hidden_pixels.show_button.click()
    for section in dock.findChildren(Section):
        section.unfold()
    room(page)

    tops, widget = [], dock.images.native
    while page.widget().isAncestorOf(widget):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            tops.append(widget.mapTo(page.widget(), QPoint(0, widget.height() // 2)).y())
        widget = widget.nextInFocusChain()
    assert len(tops) > 30
    assert all(below >= above - 3 for above, below in pairwise(tops))


def test_results_are_told_apart_where_their_names_are_long(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="a name that is much too long for the width of a dock")
    for _ in range(2):
        run(qtbot, dock, tiny)
    choice = dock.compare.choice
    room = choice.fontMetrics().horizontalAdvance("a name that…oised [1]")
    newest, other = (choice.setCurrentIndex(row) or choice.short_name(room) for row in (0, 1))
    assert newest.startswith("a name")
    assert newest.endswith(" [1]")
    assert other.endswith(" denoised")
