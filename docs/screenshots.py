"""Make the screenshots of the documentation, in a real napari window.

xvfb-run -s "-screen 0 1280x800x24" python docs/screenshots.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

FOLDER = Path(__file__).parent / "images"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window.resize(1280, 800)
    viewer.open_sample("napari-noise2self", "simple")
    _, dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
    dock.form.preset.buttons.put("fast")
    wait(lambda: False, 1)
    dock.start()
    wait(lambda: len(dock.progress.plot.points) >= 5, 120)
    save(viewer, "dock-training")
    wait(lambda: dock.state.value == "idle", 300)
    save(viewer, "dock")
    viewer.close()


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
