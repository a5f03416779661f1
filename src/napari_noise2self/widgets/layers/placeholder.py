"""A layer that stands in for another till that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer

from ..garbage import only_new_garbage
from .source import LIE

if TYPE_CHECKING:
    from napari.viewer import Viewer

_DRAWN = 50  # milliseconds


def when_drawn(parent: QObject, do: Callable[[], None]) -> QTimer:
    """Return a timer that does something once the window has been drawn.

    So a layer can be hidden at once and be removed when that is seen: napari collects all garbage
    as a layer goes, which takes up to a second.

    Parameters
    ----------
    parent : QObject
        If that is gone by then, nothing is done.
    do : callable
        Is called without arguments. A method of the parent, or something that does not hold it:
        Qt keeps a lambda, which would keep the parent.
    """
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(_DRAWN)
    timer.timeout.connect(do)
    return timer


def fade(layer: Layer) -> None:
    """Make a layer invisible that is going to be removed.

    Not by its `visible`: napari 0.9 crashes in OpenGL at the next drawing after a layer was
    removed while that was off.
    """
    layer.opacity = 0
    layer.visible = True


class Placeholder:
    """Shows one layer first, and later makes it another, or takes it away.

    Its place in the list of layers and what the user changed of its looks are kept. A layer
    that the user renamed is the user's own from then on, and stays as it is.

    Parameters
    ----------
    viewer : Viewer
        Where the layer goes.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Layer | None = None
        self._name = ""
        self._limits: Sequence[float] = ()
        self._look: dict[str, Any] = {}

    def show(self, image: Any, look: dict[str, Any]) -> None:
        """Add the layer that stands in, or change it; nothing if the user did not want it.

        Parameters
        ----------
        image, look
            As of `become`.
        """
        if self._name and not self._is_there:
            return
        self._layer = self.become(image, look)
        self._name = self._layer.name

    def become(self, image: Any, look: dict[str, Any]) -> Layer:
        """Show another image in its place, or on top if there is none; return the layer.

        Parameters
        ----------
        image : array
            Data of an image layer.
        look : dict
            How a new layer looks. One that is there already only takes over what is known of it, its
            name, where it lies if that is elsewhere by now, and contrast limits if nobody changed
            them.
        """
        shown, before, self._look = self._take(), self._look, look
        if shown is None:
            layer = Layer.create(image, look, "image")
            self._viewer.add_layer(layer)
            self._limits = layer.contrast_limits
            return layer
        # napari needs a tenth of a second to make the controls of a new layer; not of this one
        shown.data = image
        for name in LIE:
            if not np.array_equal(look[name], before[name]):
                setattr(shown, name, look[name])
        limits = list(look["contrast_limits"])
        if list(shown.contrast_limits) == list(self._limits) != limits:
            shown.contrast_limits = limits
        shown.metadata = look["metadata"]
        if shown.name != look["name"]:
            shown.name = look["name"]
        return shown

    def remove(self) -> None:
        """Take it away, if it is there."""
        layer = self._take()
        if layer is not None:
            with only_new_garbage():
                self._viewer.layers.remove(layer)

    def dismiss(self, parent: QObject) -> None:
        """Hide it at once, and take it away when the window has been drawn.

        Parameters
        ----------
        parent : QObject
            If that is gone by then, the layer stays.
        """
        if self._is_there:
            assert self._layer is not None
            fade(self._layer)
            timer = when_drawn(parent, lambda: self.remove())  # keeps self alive; a method does not
            timer.timeout.connect(timer.deleteLater)
            timer.start()

    @property
    def _is_there(self) -> bool:
        """Whether the layer is still there, and not the user's own."""
        layer = self._layer
        return layer is not None and layer in self._viewer.layers and layer.name == self._name

    def _take(self) -> Layer | None:
        """Return the layer if it is there, and let go of it."""
        layer = self._layer if self._is_there else None
        self._layer = None
        return layer
