"""Levels at which an image ends: where pixels were cut off, padded or masked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..arrays import FloatArray

_PILE = 0.002
"""Share of the pixels at a limit, at least."""
_PATCH = 7
"""Side in pixels of a patch of one value, which a mask has and noise has not."""
_MASKED = 0.9
"""Share of the pixels of that value that are in such patches."""


def find_limits(planes: Sequence[FloatArray]) -> tuple[float, float]:
    """Return the lowest and highest value where pixels are piled up there; else infinities.

    Piled up are more pixels than at the next value: noise that was not cut off tails away.
    """
    values = np.concatenate([plane[np.isfinite(plane)] for plane in planes])
    low, high = (sign * _pile(sign * values) for sign in (1, -1))
    return low, high


def _pile(values: FloatArray) -> float:
    """Return the lowest value if pixels are piled up there, else minus infinity."""
    if not values.size:
        return -math.inf
    low = float(values.min())
    above = float(values.min(where=values > low, initial=math.inf))
    number, next_number = (int(np.count_nonzero(values == level)) for level in (low, above))
    return low if number > max(_PILE * values.size, next_number) else -math.inf


def without_mask(plane: FloatArray) -> FloatArray:
    """Return a plane with NaN where it was padded or masked with some value.

    Such a value fills whole patches and is found hardly anywhere else.
    """
    constant = ndimage.maximum_filter(plane, _PATCH) == ndimage.minimum_filter(plane, _PATCH)
    constant &= np.isfinite(plane)
    if not constant.any():
        return plane
    values, counts = np.unique(plane[constant], return_counts=True)
    mask = plane == values[counts.argmax()]
    patches = ndimage.maximum_filter(constant, _PATCH)
    return np.where(mask & patches, np.nan, plane) if patches[mask].mean() > _MASKED else plane
