"""Layers, docks, windows and programs that go away while a training runs."""

import gc
import os
import resource
import subprocess
import sys
import time
import weakref

import numpy as np
import pytest
from drive import begin, open_dock, run, wait_for_threads, wait_for_training, wait_until_idle

from napari_noise2self import denoise
from napari_noise2self.widgets.dock import Dock, State


def start_endless(viewer, dock, qtbot, noisy, endless):
    """Begin a training that does not end by itself."""
    layer = viewer.add_image(noisy, name="cells", scale=(2, 3))
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    return layer


def test_layer_deleted(viewer, dock, qtbot, noisy, endless):
    start_endless(viewer, dock, qtbot, noisy, endless)
    viewer.layers.remove("cells")
    dock.stop()
    wait_until_idle(qtbot, dock)
    (result,) = viewer.layers
    assert result.name == "cells denoised"
    np.testing.assert_array_equal(result.scale, (2, 3))
    assert dock.status.text().startswith("Done")
    assert "other data" not in dock.status.text()


def test_data_replaced(viewer, dock, qtbot, noisy, endless, tiny):
    layer = start_endless(viewer, dock, qtbot, noisy, endless)
    layer.data = np.zeros((8, 8))
    dock.stop()
    wait_until_idle(qtbot, dock)
    assert viewer.layers["cells denoised"].data.shape == noisy.shape
    assert "'cells' has other data by now" in dock.status.text()


def test_layer_renamed(viewer, dock, qtbot, noisy, tiny):
    layer = viewer.add_image(noisy, name="cells")
    begin(dock, tiny)
    layer.name = "other"
    wait_until_idle(qtbot, dock)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, denoise(noisy, tiny))


def test_dock_closed(viewer, dock, qtbot, noisy, endless, denoisers):
    """The test keeps the widget alive, as a user's console may: only the dock goes."""
    start_endless(viewer, dock, qtbot, noisy, endless)
    started = time.monotonic()
    viewer.window.remove_dock_widget(dock.parent())
    wait_for_threads(qtbot)
    assert time.monotonic() - started < 2
    assert dock.state is State.IDLE
    assert [layer.name for layer in viewer.layers] == ["cells"]
    assert [denoiser() for denoiser in denoisers] == [None]
    viewer.layers.clear()


def test_closed_dock_leaves_nothing(viewer, qtbot, noisy, endless):
    dock = open_dock(viewer)
    container = dock.parent().parent()
    start_endless(viewer, dock, qtbot, noisy, endless)
    gone = weakref.ref(dock)
    del dock
    viewer.window.remove_dock_widget(container)
    del container
    wait_for_threads(qtbot)
    gc.collect()
    assert gone() is None
    viewer.add_image(noisy)  # nobody is there to follow


def test_closed_docks_hear_of_no_layers(viewer, qtbot, noisy, monkeypatch):
    """They may outlive their closing by some time, each as slow to follow as an open one."""
    openings = []
    for name in ("Denoise", "Calibrate classic filters"):
        openings.append(open_dock(viewer, name).parent())
        viewer.window.remove_dock_widget(openings[-1])
    monkeypatch.setattr(Dock, "_refresh", lambda self: pytest.fail("it was told"))
    layer = viewer.add_image(noisy)
    layer.name = "other"
    viewer.dims.ndisplay = 3
    viewer.canvas.grid.enabled = True
    viewer.layers.clear()
    for opening in openings:
        opening.deleteLater()
    qtbot.wait(10)


def test_widget_destroyed(viewer, dock, qtbot, noisy, endless, denoisers):
    start_endless(viewer, dock, qtbot, noisy, endless)
    dock.parent().setParent(None)
    wait_for_threads(qtbot)
    assert [denoiser() for denoiser in denoisers] == [None]


def test_viewer_closed(make_napari_viewer, qtbot, noisy, endless, denoisers):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    start_endless(viewer, dock, qtbot, noisy, endless)
    del dock
    started = time.monotonic()
    viewer.close()
    wait_for_threads(qtbot)
    assert time.monotonic() - started < 2
    assert [denoiser() for denoiser in denoisers] == [None]


def test_task_cancelled_by_napari(viewer, dock, qtbot, noisy, endless, tiny):
    """As it does to all its tasks when a window closes."""
    start_endless(viewer, dock, qtbot, noisy, endless)
    dock._job._worker.quit()
    wait_until_idle(qtbot, dock)
    assert dock.status.text().startswith("Cancelled")
    run(qtbot, dock, tiny)
    assert "cells denoised" in viewer.layers


CLOSED_WINDOW = """
import sys, time
import napari
from napari_noise2self import Settings
from napari_noise2self.samples import simulate_cells
from qtpy.QtCore import QTimer

moments = {
    "loading": lambda dock: dock.progress.stage.text() == "Getting ready",
    "training": lambda dock: dock.progress.stage.text().startswith("Training:"),
    "denoising": lambda dock: dock.progress.stage.text() == "Denoising",
}
is_now = moments[sys.argv[1]]
viewer = napari.Viewer()
viewer.add_image(simulate_cells(256).noisy)
dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")[1].dock
dock.form.set_settings(Settings(preset="fast", width=8, max_steps=1_000_000, max_seconds=600.0))
QTimer.singleShot(0, dock.start)

def look():
    if is_now(dock):
        timer.stop()
        print(time.time(), time.process_time(), flush=True)
        viewer.close()
    elif sys.argv[1] == "denoising" and dock.progress.stop.isEnabled():
        dock.stop()

timer = QTimer()
timer.timeout.connect(look)
timer.start(20)
napari.run()
"""


@pytest.mark.parametrize("moment", ["loading", "training", "denoising"])
def test_window_closed(moment):
    """The process ends within two seconds; of its own time, as others may share the processor."""
    command = [sys.executable, "-c", CLOSED_WINDOW, moment]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NAPARI_CONFIG": ""}
    done = subprocess.run(
        command, check=True, timeout=120, capture_output=True, text=True, env=environment
    )
    now, after = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    closed, spent = map(float, done.stdout.split())
    spent_in_all = sum(after[:2]) - sum(before[:2])
    assert spent_in_all - spent < 2
    assert now - closed < 10
    assert "Traceback" not in done.stderr


def test_program_closed():
    code = """
import napari
from napari_noise2self import Settings
from napari_noise2self.samples import simulate_cells
from qtpy.QtCore import QTimer

viewer = napari.Viewer(show=False)
viewer.add_image(simulate_cells(64).noisy)
dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")[1].dock
dock.form.set_settings(Settings(width=4, depth=1, max_steps=1_000_000, max_seconds=600.0))
QTimer.singleShot(0, dock.start)

def close_when_training():
    if dock.progress.stage.text().startswith("Training:"):
        napari.qt.get_qapp().quit()

timer = QTimer()
timer.timeout.connect(close_when_training)
timer.start(50)
napari.run(force=True)
print("closed")
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    assert "closed" in done.stdout
    assert "Traceback" not in done.stderr
