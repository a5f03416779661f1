"""A layer that shows one plane over an image layer, and is no image of its own."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from ..form.image_choice import PREVIEW
from .source import LIE, Source
from .transient import TransientLayer

if TYPE_CHECKING:
    from napari.viewer import Viewer


class PlaneLayer(TransientLayer):
    """Lies exactly on an image layer, and shows the same plane wherever that is scrolled to.

    Parameters
    ----------
    viewer : Viewer
        Where the layer goes. What the user has selected there stays selected.
    suffix : str
        Of the layer's name, after that of the image.
    parent : QObject
        Owns it.
    """

    def __init__(self, viewer: Viewer, suffix: str, parent: QObject) -> None:
        super().__init__(viewer, parent)
        self._suffix = suffix
        self._over: weakref.ReferenceType[Image] | None = None
        self.plane: NDArray[Any] = np.empty((0, 0))
        """What is shown."""
        self._axes = ""

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
            self._keep()
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
        self._look_after(layer)

    def _look_after(self, layer: Image) -> None:
        super()._look_after(layer)
        for event in self._moves:
            event.connect(self._follow)

    def _let_go(self) -> Image | None:
        layer, self.plane = super()._let_go(), np.empty((0, 0))
        if layer is not None:
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
