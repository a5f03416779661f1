"""What all docks share, with the keyboard and for screen readers."""

import pytest
from drive import wait_for_training, wait_until_idle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    """A window: without one, nothing has the keyboard's focus."""
    return make_napari_viewer_proxy(show=True)


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
