"""Make the screenshots of the documentation, in a real napari window.

xvfb-run -s "-screen 0 1280x800x24" python docs/screenshots.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # not the settings of whoever makes them

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QTimer

from napari_noise2self import Settings
from napari_noise2self.samples import simulate_cells

FOLDER = Path(__file__).parent / "images"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window.resize(1280, 800)
    viewer.open_sample("napari-noise2self", "simple")
    denoise(viewer)
    del viewer.layers[1:]
    calibrate(viewer)
    viewer.close()
    film()


def denoise(viewer: napari.Viewer) -> None:
    """Take pictures of a training, of its result, and of what can be done with that."""
    dock = open_dock(viewer, "Denoise")
    wait(lambda: False, 1)
    dock.start_button.click()
    wait(lambda: len(dock.plot.points) >= 4, 120)
    save(viewer, "dock-training")
    wait_until_idle(dock)
    save(viewer, "dock")
    draw_noise(dock)
    compare(viewer, dock)
    hide_pixels(viewer, dock)
    compare_sizes(viewer, dock)
    viewer.window.remove_dock_widget(dock.parent())


def film() -> None:
    """Take a picture of a frame of a film, half noisy and half denoised."""
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window.resize(1280, 800)
    viewer.open_sample("napari-noise2self", "film")
    viewer.dims.set_current_step(0, 6)
    dock = open_dock(viewer, "Denoise")
    wait(lambda: False, 1)
    dock.form.preset.buttons.put("fast")
    dock.start_button.click()
    wait_until_idle(dock)
    dock.compare.wipe.setValue(50)
    save(viewer, "film")
    viewer.close()


def draw_noise(dock: Any) -> None:
    """Take a picture of the noise model alone."""
    dock.figures.details.unfold()
    wait(lambda: False, 0.5)
    dock.figures.noise.grab().save(str(FOLDER / "noise.png"))
    dock.figures.details.unfold(wanted=False)


def compare(viewer: napari.Viewer, dock: Any) -> None:
    """Wipe between noisy and denoised, of the newer of two results; then show the residual."""
    dock.form.preset.buttons.put("balanced")
    dock.start_button.click()
    wait_until_idle(dock)
    dock.compare.wipe.setValue(50)
    save(viewer, "dock-compare")
    dock.compare.wipe.setValue(0)
    dock.compare.residual.click()
    wait_until_idle(dock)
    save(viewer, "dock-residual")
    dock.compare.residual.click()


def hide_pixels(viewer: napari.Viewer, dock: Any) -> None:
    """Look at single pixels, some of them hidden with their neighbours."""
    dock.form.editor("partition_size").put(5)
    dock.form.editor("exclusion").put("plus")
    for result in viewer.layers[1:]:
        result.visible = False
    camera = viewer.scene.camera
    zoom, center = camera.zoom, camera.center
    camera.zoom, camera.center = 14, (0, 215, 180)
    dock.hidden_pixels.show_button.click()
    save(viewer, "dock-hidden")
    dock.hidden_pixels.show_button.click()
    camera.zoom, camera.center = zoom, center


def compare_sizes(viewer: napari.Viewer, dock: Any) -> None:
    """Take a picture of the chart of the partition sizes."""
    dock.form.set_settings(Settings())
    dock.hidden_pixels.sizes.switch.click()
    wait_until_idle(dock)
    save(viewer, "dock-sizes")
    dock.hidden_pixels.sizes.switch.click()


def calibrate(viewer: napari.Viewer) -> None:
    """Take a picture of the curves, with the true errors."""
    noisy = viewer.layers[0]
    clean = simulate_cells().clean.astype(np.float32)
    viewer.add_image(clean, name="Clean cells", visible=False)
    dock = open_dock(viewer, "Calibrate classic filters")
    dock.images.value, dock.clean.value = noisy, viewer.layers["Clean cells"]
    dock.start_button.click()
    wait_until_idle(dock)
    save(viewer, "calibrate")


def open_dock(viewer: napari.Viewer, name: str) -> Any:
    """Open a dock from napari's menu; wait till all of it is there."""
    return viewer.window.add_plugin_dock_widget("napari-noise2self", name)[1].dock


def wait_until_idle(dock: Any) -> None:
    wait(lambda: dock.state.value == "idle", 300)


def save(viewer: napari.Viewer, name: str) -> None:
    wait(lambda: False, 0.5)
    viewer.screenshot(str(FOLDER / f"{name}.png"), canvas_only=False, flash=False)


def wait(ready: Callable[[], bool], seconds: float) -> None:
    """Let the window work until something is ready, or time is up."""
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        loop = QEventLoop()
        QTimer.singleShot(50, loop.quit)
        loop.exec()


if __name__ == "__main__":
    main()
