"""What all docks share, with the keyboard and for screen readers."""

import pytest
from drive import open_dock, wait_for_training, wait_until_idle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QProgressBar,
    QScrollArea,
    QWidget,
)

from napari_noise2self.widgets.form.prose import Prose


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    """A window: without one, nothing has the keyboard's focus."""
    return make_napari_viewer_proxy(show=True)


def is_control(widget):
    """Whether one can do something with a widget, or it says how far a job is."""
    parts_of_others = QLineEdit, QListView, QScrollArea, Prose
    if isinstance(widget, parts_of_others) or of_a_menu(widget):
        return False
    return isinstance(widget, QProgressBar) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def of_a_menu(widget):
    """Whether a widget is in a menu, as pyqtgraph's for plots, which are not shown."""
    while widget is not None and not isinstance(widget, QMenu):
        widget = widget.parentWidget()
    return widget is not None


def is_named(control):
    """Whether a control has a name, or a label beside it: more than what is chosen in it."""
    labels = [label for label in control.window().findChildren(QLabel) if label.buddy() is control]
    text = control.text() if isinstance(control, QAbstractButton) else ""
    return bool(control.accessibleName() or text or [label for label in labels if label.text()])


def test_space_bar_ends_no_job_that_it_began(viewer, dock, qtbot, noisy, endless):
    def press_twice(button):
        dock.window().activateWindow()
        button.setFocus()
        qtbot.waitUntil(button.hasFocus)
        for _ in range(2):
            QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)

    viewer.add_image(noisy, name="cells")
    dock.form.set_settings(endless)
    press_twice(dock.start_button)
    wait_for_training(qtbot, dock)
    press_twice(dock.progress.stop)
    wait_until_idle(qtbot, dock)
    assert "cells denoised" in viewer.layers
    assert dock.start_button.hasFocus()

    dock.reuse.unfold()
    press_twice(dock.models.apply)
    wait_until_idle(qtbot, dock)
    assert "cells denoised [1]" in viewer.layers
    assert dock.models.apply.hasFocus()


@pytest.mark.parametrize("title", ["Denoise", "Calibrate classic filters"])
def test_screen_readers_are_told_what_each_control_is(viewer, qtbot, noisy, title):
    viewer.add_image(noisy, name="cells")
    dock = open_dock(viewer, title)
    dock.plot.show()
    controls = [widget for widget in dock.findChildren(QWidget) if is_control(widget)]
    assert len(controls) > 5
    assert [control for control in controls if not is_named(control)] == []
