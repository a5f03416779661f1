"""The pixels that are hidden together, coloured over the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from ...partition import Partition
from ...partition.view import HIDDEN, NEIGHBOUR, VISIBLE, draw
from .on_view import viewer_units
from .plane_layer import PlaneLayer
from .source import Source

if TYPE_CHECKING:
    from napari.viewer import Viewer

_COLOURS = {
    VISIBLE: (0.0, 0.0, 0.0, 0.0),
    NEIGHBOUR: (1.0, 0.8, 0.2, 0.35),
    HIDDEN: (1.0, 0.3, 0.1, 0.9),
}
_CLOSE = 10.0  # screen pixels for each pixel of the image


class PartitionOverlay(QObject):
    """Colours the pixels of one subset, and more weakly their neighbours hidden with them.

    Where the image's pixels are smaller than those of the screen, only some of them would be
    drawn, in a pattern that isn't there. Instead all then have the mean colour.

    Parameters
    ----------
    viewer : Viewer
        Where the image is.
    parent : QObject
        Owns it.
    """

    lost = Signal()
    """The user took it away."""
    zoomed = Signal()
    """Whether it `is_crisp` is not as before."""

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._camera = viewer.scene.camera
        self._shown = PlaneLayer(viewer, "hidden pixels", self)
        self._shown.lost.connect(self._on_lost)
        self._source: Source | None = None
        self._drawn: object = None
        self._was_crisp = True

    @property
    def is_crisp(self) -> bool:
        """Whether the screen has a pixel for each one of the image."""
        return self._pixel >= 1

    def show(self, source: Source, partition: Partition, subset: int) -> None:
        """Colour a subset over an image."""
        drawn = (source.layer, source.axes, source.data.shape, partition, subset)
        if drawn == self._drawn:
            return
        if self._source is None:
            self._camera.events.zoom.connect(self._on_zoom)
        self._source, self._drawn = source, drawn
        drawing = draw(partition, plane_shape(source), subset)
        self._shown.show(source, drawing, colormap=_CRISP, contrast_limits=(VISIBLE, HIDDEN))
        self._colour()

    def dismiss(self) -> None:
        """Hide it, and take it away a moment later."""
        self._forget()
        self._shown.dismiss()

    def remove(self) -> None:
        """Take it away at once."""
        self._forget()
        self._shown.remove()

    def zoom_in(self) -> None:
        """Come so close that single pixels are seen."""
        self._camera.zoom *= _CLOSE / self._pixel

    @property
    def _pixel(self) -> float:
        """How large a pixel of the image is on the screen, in pixels of that."""
        layer: Image | None = None if self._source is None else self._source.layer()
        if self._source is None or layer is None:
            return 1.0
        origin = np.array(layer.data_to_world(np.zeros(layer.ndim)))
        units = viewer_units(layer, self._viewer.dims)
        steps = [
            np.linalg.norm((layer.data_to_world(step) - origin) / units)
            for step, letter in zip(np.eye(layer.ndim), self._source.axes, strict=False)
            if letter in "YX"
        ]
        return float(min(steps) * self._camera.zoom)

    def _on_zoom(self, event: object) -> None:
        if self.is_crisp != self._was_crisp:
            self._colour()

    def _colour(self) -> None:
        """Choose the colours that can be seen."""
        self._was_crisp = self.is_crisp
        assert self._shown.layer is not None
        colormap = _CRISP if self._was_crisp else _mean(self._shown.plane)
        if not colormap.same_colors(self._shown.layer.colormap):
            self._shown.layer.colormap = colormap
        self.zoomed.emit()

    def _forget(self) -> None:
        if self._source is not None:
            self._camera.events.zoom.disconnect(self._on_zoom)
        self._source = self._drawn = None

    def _on_lost(self) -> None:
        self._forget()
        self.lost.emit()


def plane_shape(source: Source) -> tuple[int, int]:
    """Return height and width of a plane."""
    extents = dict(zip(source.axes, source.data.shape, strict=True))
    return extents["Y"], extents["X"]


def _colormap(colours: list[NDArray[np.float64]]) -> Colormap:
    """Return a colormap of one colour for each value."""
    return Colormap(np.array(colours), name="hidden pixels", interpolation="zero")


_CRISP = _colormap([np.array(_COLOURS[value]) for value in sorted(_COLOURS)])


def _mean(drawing: NDArray[np.uint8]) -> Colormap:
    """Return the colormap of the one colour that a drawing has from afar."""
    colours = np.array([_COLOURS[value] for value in (NEIGHBOUR, HIDDEN)])
    counts = [np.count_nonzero(drawing == value) for value in (NEIGHBOUR, HIDDEN)]
    weights = np.array(counts) / drawing.size * colours[:, 3]
    weight = weights.sum()
    colour = np.array([*(weights @ colours[:, :3] / max(weight, 1e-9)), weight])
    return _colormap([colour] * len(_COLOURS))
