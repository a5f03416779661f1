"""Model files dropped on the window, or opened from its menu, go to the dock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import napari

_NO_LAYER: list[tuple[None]] = [(None,)]
"""What a reader returns if it adds no layer."""


def model_reader(path: str | Sequence[str]) -> Callable[[Any], list[tuple[None]]] | None:
    """Return what opens a model file; None for several files at once.

    Parameters
    ----------
    path : str or sequence of str
        What napari is asked to open.
    """
    return open_model if isinstance(path, str) else None


def open_model(path: str) -> list[tuple[None]]:
    """Load a model into the dock of the current window, which is opened if it is not there.

    Nothing in the file is executed; whether it is a model turns out in the background.
    """
    viewer = napari.current_viewer()
    if viewer is not None:
        container, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
        container.show()
        container.raise_()  # it may be a tab behind another
        opening.dock.load(path)
    return _NO_LAYER
