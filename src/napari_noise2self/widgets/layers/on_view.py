"""Where the viewer's sliders point to in a layer, whichever units both have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.components import Dims


def place_on_view(layer: Layer, shape: Sequence[int], dims: Dims) -> tuple[int, ...] | None:
    """Return the indices of the pixel that the sliders point to, and so of the plane on view.

    Parameters
    ----------
    layer : Layer
        The layer.
    shape : sequence of int
        Of its data; axes beyond those of the layer are colours.
    dims : Dims
        Of the viewer.

    Returns
    -------
    tuple of int, optional
        One for each axis of the data; None in 3D view, where no single plane is on view.
    """
    if dims.ndisplay != 2:
        return None
    point = np.array(dims.point[-layer.ndim :]) * viewer_units(layer, dims)
    inside = np.clip(
        np.nan_to_num(np.rint(layer.world_to_data(point))), 0, np.array(shape[: layer.ndim]) - 1
    )
    colours = [0] * (len(shape) - layer.ndim)
    return (*inside.astype(int).tolist(), *colours)


def plane_on_view(layer: Layer, shape: Sequence[int], dims: Dims) -> tuple[int | slice, ...] | None:
    """Return the plane on view as napari reads it, by an index and slices; see `place_on_view`."""
    place = place_on_view(layer, shape, dims)
    if place is None:
        return None
    outer = dims.ndim - layer.ndim
    return tuple(
        slice(None) if axis >= layer.ndim or axis + outer in dims.displayed else index
        for axis, index in enumerate(place)
    )


def viewer_units(layer: Layer, dims: Dims) -> NDArray[np.float64]:
    """Return how many of a layer's own units one of the viewer's is, for each axis of the layer.

    The viewer has one for all its layers, whose transforms know only their own; none if those
    have nothing in common.
    """
    if dims.units is None or len(dims.units) < layer.ndim:
        return np.ones(layer.ndim)
    pairs = zip(dims.units[-layer.ndim :], layer.units, strict=True)
    return np.array([(1.0 * seen).m_as(own) for seen, own in pairs])
