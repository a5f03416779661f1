"""Rows and columns of a camera that are dead, or all bright: they tell nothing of the light.

Such a line differs from those around along nearly all of its length, and those beside it don't
know of it. Optics let through nothing like that: the image of the thinnest line has brighter
neighbours, too. Its pixels are no outliers, which have no neighbours that are alike; nor is it line
noise, under which the light is still seen.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from .impulses import LARGEST_NEIGHBOUR, NOISE, STANDS_OUT
from .robust import MEDIAN_TO_STD

_SHORTEST = 32
_WIDEST = 2
_MOST, _MOST_OF_ALL = 4, 0.02
"""Dead lines of a small image; of the lines of a large one. More are a pattern."""
_AROUND = np.array([-4, -3, -2, 2, 3, 4])
"""Lines whose median is compared with a line: of two dead ones beside it, it knows nothing."""
_FAR, _NEARLY_ALL = 3.0, 0.9
"""Standard deviations of the noise, and the share of the pixels of a line that are as far."""
_LOOKS = 512
"""Pixels of a line that are looked at first."""


def dead_lines(plane: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels of a plane (C, Y, X) of any real dtype are of a dead row or column."""
    return np.stack([_dead_rows(channel)[:, None] | _dead_rows(channel.T) for channel in plane])


def without_dead_lines(plane: NDArray[Any]) -> NDArray[Any]:
    """Return a plane (C, Y, X) with NaN there: itself if it has none, else as floats."""
    dead = dead_lines(plane)
    if not dead.any():
        return plane
    return np.where(dead, np.nan, plane).astype(np.result_type(plane.dtype, np.float32))


def _dead_rows(plane: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which rows of a plane (Y, X) are dead."""
    rows = np.zeros(len(plane), bool)
    if min(plane.shape) < _SHORTEST:
        return rows
    some = plane[:, :: -(-plane.shape[1] // _LOOKS)]
    for first, last in _runs(_unlike_others(some)):
        rows[first : last + 1] = _is_dead(plane, first, last)
    return rows


def _unlike_others(plane: NDArray[Any]) -> NDArray[np.intp]:
    """Return the rows whose level is far from that of those around; none if they are many."""
    levels = _median(plane, axis=1)
    padded = np.pad(levels, -_AROUND[0], constant_values=np.nan)
    places = np.arange(levels.size)[:, None] - _AROUND[0]
    apart = np.abs(levels - _median(padded[places + _AROUND], axis=1))
    scatter = float(_median(np.abs(plane - levels[:, None]))) / np.sqrt(plane.shape[1])
    usual = MEDIAN_TO_STD * max(float(_median(apart)), scatter)  # levels may be whole numbers
    found = np.flatnonzero(apart > STANDS_OUT * usual)
    return found if found.size <= max(_MOST, _MOST_OF_ALL * levels.size) else found[:0]


def _runs(rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return first and last of the rows that lie beside each other, of those that are thin."""
    runs = [
        [int(row) for _, row in run]
        for _, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0])
    ]
    return [(run[0], run[-1]) for run in runs if len(run) <= _WIDEST]


def _is_dead(plane: NDArray[Any], first: int, last: int) -> bool:
    """Tell whether some rows are far from those around, nearly everywhere and alone."""
    if first == 0 or last == len(plane) - 1:  # may belong to what is seen no more
        return False
    dead = range(first, last + 1)
    run = [_height(plane, row, dead) for row in dead]
    beside = [_height(plane, row, dead) for row in (first - 1, last + 1)]
    if not all(height.size for height in beside):
        return False
    usual = min(MEDIAN_TO_STD * float(_median(np.abs(height))) for height in beside)
    sign, least = np.sign(_median(run[0])), min(abs(float(_median(height))) for height in run)
    far = all(np.mean(sign * height > _FAR * usual) > _NEARLY_ALL for height in run)
    mosts = [LARGEST_NEIGHBOUR * least + NOISE * usual / height.size**0.5 for height in beside]
    pairs = zip(beside, mosts, strict=True)
    return far and all(abs(float(_median(height))) <= most for height, most in pairs)


def _height(plane: NDArray[Any], row: int, dead: range) -> FloatArray:
    """Return by how much each known pixel of a row is above the median of the others around."""
    around = row + _AROUND
    around = around[(around >= 0) & (around < len(plane)) & ~np.isin(around, dead)]
    height = plane[row] - _median(plane[around].astype(np.float64), axis=0)
    return np.asarray(height[np.isfinite(height)])


def _median(values: NDArray[Any], axis: int | None = None) -> FloatArray:
    """Return the median of what is known; NaN where nothing is."""
    if values.dtype.kind != "f":
        return np.asarray(np.median(values, axis=axis))
    known = np.ma.masked_invalid(values.astype(np.float64))
    middle = np.ma.median(known, axis=axis)  # type: ignore[no-untyped-call]
    return np.ma.filled(middle, np.nan)
