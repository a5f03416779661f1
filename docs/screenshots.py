"""Make the screenshots of the documentation, in a real napari window.

xvfb-run -s "-screen 0 1280x800x24" python docs/screenshots.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

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


def denoise(viewer: napari.Viewer) -> None:
    """Take pictures of the first look, the training, the result and its residual."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
    dock.form.preset.buttons.put("fast")
    wait(lambda: False, 1)
    dock.start_button.click()
    wait(lambda: len(viewer.layers) > 1, 60)
    save(viewer, "dock-first-look")
    wait(lambda: len(dock.plot.points) >= 2, 120)
    save(viewer, "dock-training")
    wait_until_idle(dock)
    save(viewer, "dock")
    dock.compare.residual.click()
    wait_until_idle(dock)
    save(viewer, "dock-residual")
    viewer.window.remove_dock_widget(dock)


def calibrate(viewer: napari.Viewer) -> None:
    """Take a picture of the curves, with the true errors."""
    noisy = viewer.layers[0]
    clean = simulate_cells().clean.astype(np.float32)
    viewer.add_image(clean, name="Clean cells", visible=False)
    _, dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Calibrate classic filters")
    dock.images.value, dock.clean.value = noisy, viewer.layers["Clean cells"]
    dock.start_button.click()
    wait_until_idle(dock)
    save(viewer, "calibrate")


def wait_until_idle(dock: Any) -> None:
    wait(lambda: dock.state.value == "idle", 300)


def save(viewer: napari.Viewer, name: str) -> None:
    wait(lambda: False, 0.5)
    viewer.screenshot(str(FOLDER / f"{name}.png"), canvas_only=False, flash=False)


def wait(ready: Callable[[], bool], seconds: float) -> None:
    """Let the window work until something is ready, or time is up."""
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
