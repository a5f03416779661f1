"""A layer that shows one plane over an image layer, and is no image of its own."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from ..form.image_choice import PREVIEW
from ..garbage import only_new_garbage
from .placeholder import fade, when_drawn
from .source import LIE, Source

if TYPE_CHECKING:
    from napari.viewer import Viewer


class PlaneLayer(QObject):
    """Lies exactly on an image layer, and shows the same plane wherever that is scrolled to.

    A layer that the user renames is the user's own from then on, and stays as it is.

    Parameters
    ----------
    viewer : Viewer
        Where the layer goes. What the user has selected there stays selected.
    suffix : str
        Of the layer's name, after that of the image.
    parent : QObject
        Owns it.
    """

    lost = Signal()
    """The user deleted the layer, or made it their own."""

    def __init__(self, viewer: Viewer, suffix: str, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._suffix = viewer, suffix
        self._layer: Image | None = None
        self._over: weakref.ReferenceType[Image] | None = None
        self.plane: NDArray[Any] = np.empty((0, 0))
        """What is shown."""
        self._axes = ""
        self._farewell = when_drawn(self, self.remove)
        self._faded_from: float | None = None

    @property
    def layer(self) -> Image | None:
        """The layer, while there is one."""
        return self._layer

    def show(self, source: Source, plane: NDArray[Any], **look: Any) -> None:
        """Show a plane over a source.

        Parameters
        ----------
        source : Source
            Of which image layer.
        plane : ndarray
            (Y, X), or (Y, X, 3) in colour. It is kept, and written to by the next call.
        **look
            Of a new layer: colormap and so on.
        """
        if self._layer is not None and self._fits(source, plane):
            self.plane[...] = plane
            self._farewell.stop()
            if self._faded_from is not None:
                self._layer.opacity, self._faded_from = self._faded_from, None
            # all that has changed is what is on view: nothing else is made anew
            self._layer.refresh(thumbnail=False, highlight=False, extent=False)
            return
        self.remove()
        self.plane, self._over, self._axes = plane, source.layer, source.axes
        lies = source.look_now
        look |= {name: lies[name] for name in LIE}
        self._add(
            Image(
                _spread(plane, source),
                rgb=plane.ndim == 3,
                name=f"{source.name} {self._suffix}",
                metadata={PREVIEW: True},
                blending="translucent_no_depth",
                interpolation2d="nearest",
                **look,
            )
        )

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

    def _fits(self, source: Source, plane: NDArray[Any]) -> bool:
        """Tell whether the layer can show another plane as it is."""
        assert self._layer is not None
        return (
            self._over is source.layer
            and self._axes == source.axes
            and self._layer.data.shape == _spread_shape(plane, source)
            and self._layer.data.dtype == plane.dtype
        )

    def _add(self, layer: Image) -> None:
        layers = self._viewer.layers
        selected = set(layers.selection)
        layers.append(layer)
        layers.selection = selected
        self._layer = layer
        layer.events.name.connect(self._on_name)
        layers.events.removed.connect(self._on_removed)
        for event in self._moves:
            event.connect(self._follow)

    def _let_go(self) -> Image | None:
        """Forget the layer, and hear nothing more; return it."""
        self._farewell.stop()
        self._faded_from = None
        layer, self._layer, self.plane = self._layer, None, np.empty((0, 0))
        if layer is not None:
            layer.events.name.disconnect(self._on_name)
            self._viewer.layers.events.removed.disconnect(self._on_removed)
            for event in self._moves:
                event.disconnect(self._follow)
        return layer

    @property
    def _moves(self) -> list[Any]:
        """The events of the image layer lying elsewhere."""
        over = None if self._over is None else self._over()
        return [] if over is None else [getattr(over.events, name) for name in LIE]

    def _follow(self, event: Any) -> None:
        """Lie where the image lies now."""
        setattr(self._layer, event.type, getattr(event.source, event.type))

    def _on_name(self, event: object) -> None:
        self._let_go()
        self.lost.emit()

    def _on_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._let_go()
            self.lost.emit()


def _spread_shape(plane: NDArray[Any], source: Source) -> tuple[int, ...]:
    """Return the shape of a source, with the plane's colours, if any, for its own."""
    ndim = len(source.axes.replace("S", ""))
    return (*source.data.shape[:ndim], *plane.shape[2:])


def _spread(plane: NDArray[Any], source: Source) -> NDArray[Any]:
    """View a plane as an array of the source's shape, in which all planes are that one."""
    if source.axes.index("Y") > source.axes.index("X"):
        plane = plane.swapaxes(0, 1)
    others = [axis for axis, letter in enumerate(source.axes) if letter not in "YXS"]
    return np.broadcast_to(np.expand_dims(plane, others), _spread_shape(plane, source))
