"""Use the dock as a user does."""

from qtpy.QtCore import QPoint, QPointF, Qt, QThreadPool
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication
from superqt.utils import WorkerBase

from napari_noise2self.widgets.dock import State


def open_dock(viewer, name="Denoise"):
    """Open a dock from napari's menu; wait till all of it is there."""
    return viewer.window.add_plugin_dock_widget("napari-noise2self", name)[1].dock


def begin(dock, settings):
    """Press the button, with these settings."""
    dock.form.set_settings(settings)
    assert dock.start_button.isEnabled()
    dock.start_button.click()


def wait_for_training(qtbot, dock):
    """Wait until the training has shown its first progress."""
    qtbot.waitUntil(lambda: dock.progress.stage.text().startswith("Training:"), timeout=30_000)


def wait_for_first_look(qtbot, dock, viewer, count=2):
    """Wait until the first look is the last of so many layers."""
    qtbot.waitUntil(lambda: len(viewer.layers) == count, timeout=30_000)
    return viewer.layers[-1]


def wait_until_idle(qtbot, dock, timeout=30_000):
    """Wait until the dock is ready for the next job."""
    qtbot.waitUntil(lambda: dock.state is State.IDLE, timeout=timeout)


def wait_for_threads(qtbot):
    """Wait until no worker is left."""
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(
        lambda: not WorkerBase._worker_set and pool.activeThreadCount() == 0, timeout=30_000
    )


def run(qtbot, dock, settings):
    """Run one job to its end."""
    begin(dock, settings)
    wait_until_idle(qtbot, dock)
    wait_for_threads(qtbot)


def turn_wheel(widget):
    """Turn the mouse wheel over a widget; return whether it took it."""
    middle, down = QPointF(widget.rect().center()), QPoint(0, -120)
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    phase = Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(middle, middle, QPoint(), down, no_button, no_key, phase, False)
    QApplication.sendEvent(widget, turn)
    return turn.isAccepted()
