"""A first look: the plane on view, denoised by a calibrated classic in about a second."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...axes import middle
from ...progress import Control
from ...settings import Prediction
from .image import result_dtype

_WITHIN_PLANE = "CSYX"
_TILE = 512
_MARGIN = 32
_LARGEST = 2**23  # values: two seconds
_POSTERIOR_WORK = 2**22  # values times subsets: half a second


@dataclass(frozen=True)
class FirstLook:
    """A plane denoised by a classic.

    Parameters
    ----------
    image : ndarray
        With all axes of the whole image; those that number planes have length 1.
    corner : tuple of int
        Where in the whole image its first pixel is.
    figures : dict
        Of the calibration.
    """

    image: NDArray[Any]
    corner: tuple[int, ...]
    figures: dict[str, Any]


def first_look(image: Any, axes: str, place: Sequence[int], control: Control) -> FirstLook | None:
    """Denoise one plane with the instant classic; None if that would take too long.

    The classic is calibrated on the middle of the plane. A large plane is filtered in tiles, which
    is quicker than at once, can be cancelled, and shows no seams.

    Parameters
    ----------
    image : array
        Of any kind that slices to NumPy; only the plane is read.
    axes : str
        One letter for each axis.
    place : sequence of int
        Indices along all axes, of which those that number planes say which plane.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    from ...calibration import INSTANT, calibrate

    corner = tuple(
        0 if letter in _WITHIN_PLANE else at for letter, at in zip(axes, place, strict=True)
    )
    cut = tuple(
        slice(None) if letter in _WITHIN_PLANE else slice(at, at + 1)
        for letter, at in zip(axes, corner, strict=True)
    )
    extents = dict(zip(axes, image.shape, strict=True))
    size = math.prod(extents[letter] for letter in axes if letter in _WITHIN_PLANE)
    if size > _LARGEST:
        return None
    plane = np.asarray(image[cut])
    part = _window(axes, *(middle(extents[letter], _TILE) for letter in "YX"))
    calibration = calibrate(plane[part], axes=axes, methods=INSTANT, control=control)
    light = size * calibration.partition.n_subsets <= _POSTERIOR_WORK
    prediction: Prediction = "posterior" if light else "single-pass"
    result = np.empty(plane.shape, plane.dtype if "S" in axes else np.float32)
    for rows, outer_rows, inner_rows in _tiles(extents["Y"]):
        for columns, outer_columns, inner_columns in _tiles(extents["X"]):
            control.check()
            denoised = calibration.denoise(
                plane[_window(axes, outer_rows, outer_columns)],
                axes=axes,
                dtype=result_dtype(axes),
                prediction=prediction,
                control=control,
            )
            inner = _window(axes, inner_rows, inner_columns)
            result[_window(axes, rows, columns)] = denoised[inner]
    return FirstLook(result, corner, {**calibration.figures, "prediction": prediction})


def _window(axes: str, rows: slice, columns: slice) -> tuple[slice, ...]:
    """Return the index of a window of a plane."""
    spans = {"Y": rows, "X": columns}
    return tuple(spans.get(letter, slice(None)) for letter in axes)


def _tiles(extent: int) -> Iterator[tuple[slice, slice, slice]]:
    """Cut an axis into stretches: each in the axis, with margins, and within those margins."""
    count = math.ceil(extent / _TILE)
    edges = [extent * number // count for number in range(count + 1)]
    for start, stop in itertools.pairwise(edges):
        outer = slice(max(0, start - _MARGIN), min(extent, stop + _MARGIN))
        yield slice(start, stop), outer, slice(start - outer.start, stop - outer.start)
