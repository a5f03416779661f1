"""A layer that goes again, unless the user makes it their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from ..form.image_choice import PREVIEW
from ..garbage import only_new_garbage

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


class TransientLayer(QObject):
    """Looks after one layer, and takes it away in the end.

    Its metadata tell that it is no image to work on (`PREVIEW`). A layer that the user renames is
    the user's own from then on, and stays as it is.

    Parameters
    ----------
    viewer : Viewer
        Where the layer is.
    parent : QObject, optional
        Owns it.
    """

    lost = Signal()
    """The user deleted the layer, or made it their own."""

    def __init__(self, viewer: Viewer, parent: QObject | None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Image | None = None
        self._farewell = when_drawn(self, self.remove)
        self._faded_from: float | None = None

    @property
    def layer(self) -> Image | None:
        """The layer, while there is one."""
        return self._layer

    def fade(self) -> None:
        """Make the layer invisible, if there is one, till it is shown again."""
        if self._layer is not None and self._faded_from is None:
            self._faded_from, self._layer.opacity = self._layer.opacity, 0

    def dismiss(self) -> None:
        """Hide the layer, if there is one, and take it away when the window has been drawn."""
        if self._layer is not None:
            self.fade()
            fade(self._layer)
            self._farewell.start()

    def remove(self) -> None:
        """Take the layer away at once, if there is one."""
        layer = self._let_go()
        if layer is not None and layer in self._viewer.layers:
            with only_new_garbage():
                self._viewer.layers.remove(layer)

    def _look_after(self, layer: Image) -> None:
        """Follow what becomes of a layer in the viewer."""
        self._layer = layer
        events = self._viewer.layers.events
        events.renamed.connect(self._on_renamed, position="first")  # docks offer it only then
        events.removed.connect(self._on_removed)

    def _keep(self) -> None:
        """Show the layer again, if it was to go."""
        self._farewell.stop()
        if self._layer is not None and self._faded_from is not None:
            self._layer.opacity, self._faded_from = self._faded_from, None

    def _let_go(self) -> Image | None:
        """Forget the layer, and hear nothing more; return it."""
        self._farewell.stop()
        self._faded_from = None
        layer, self._layer = self._layer, None
        if layer is not None:
            self._viewer.layers.events.renamed.disconnect(self._on_renamed)
            self._viewer.layers.events.removed.disconnect(self._on_removed)
        return layer

    def _on_renamed(self, event: Any) -> None:
        layer = self._layer
        if layer is not None and event.source[event.index] is layer:
            self._let_go()
            layer.metadata.pop(PREVIEW, None)
            self.lost.emit()

    def _on_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._let_go()
            self.lost.emit()
