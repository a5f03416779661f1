"""Which pixels of an image lie on the left of the part that is on view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.viewer import Viewer


def left_of_view(layer: Image, viewer: Viewer, share: float) -> NDArray[np.bool_]:
    """Tell which pixels lie left of a border that goes down the screen.

    Parameters
    ----------
    layer : Image
        In 2D view. Where it is turned, the border is along its columns or rows, whichever
        go down rather.
    viewer : Viewer
        It is in.
    share : float
        Of what is on view of the layer, from 0 to 1: so much is left of the border.

    Returns
    -------
    ndarray of bool
        Broadcasts to the shape of the layer's data.
    """
    axis, goes_right = _across(layer, viewer)
    extent = layer.data.shape[axis]
    first, last = layer.corner_pixels[:, axis]
    if last <= first:  # napari has not drawn it yet
        first, last = 0, extent - 1
    left = round(share * (last + 1 - first))
    pixels = np.arange(extent)
    is_left = pixels < first + left if goes_right else pixels > last - left
    shaped: NDArray[np.bool_] = is_left.reshape(-1, *[1] * (layer.data.ndim - axis - 1))
    return shaped


def _across(layer: Image, viewer: Viewer) -> tuple[int, bool]:
    """Return the axis of a layer that goes across the screen, and whether it goes right."""
    outer = viewer.dims.ndim - layer.ndim
    shown = [axis - outer for axis in viewer.dims.order if axis >= outer][-2:]
    origin = np.array(layer.data_to_world(np.zeros(layer.ndim)))

    def rightwards(axis: int) -> float:
        step = (layer.data_to_world(np.eye(layer.ndim)[axis]) - origin)[shown]
        return float(np.arctan2(step[-1], abs(step[0])))

    axis = max(reversed(shown), key=lambda axis: abs(rightwards(axis)))
    is_mirrored = viewer.scene.camera.orientation2d[-1] == "left"
    return axis, (rightwards(axis) > 0) != is_mirrored
