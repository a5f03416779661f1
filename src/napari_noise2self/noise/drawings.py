"""Drawings, which have no noise at all: whether an image is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import FloatArray
from .limits import find_limits

_EQUAL, _FEWEST_PAIRS = 0.75, 50  # neighbours
_ONE_LEVEL = 0.5  # most of the pixels


def drawn(planes: Sequence[FloatArray]) -> bool:
    """Tell whether nearly all neighbours between the limits are equal, but not all pixels there.

    With noise, few are, unless it is so weak that only one level is left above the ground.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W), not finite where pixels are missing.
    """
    limits, equal, pairs = find_limits(planes), 0, _FEWEST_PAIRS
    between = [
        np.where(np.isfinite(plane) & ~np.isin(plane, limits), plane, np.nan) for plane in planes
    ]
    for axis in (0, 1):
        for plane in between:
            steps = np.diff(plane, axis=axis)
            equal += int(np.count_nonzero(steps == 0))
            pairs += int(np.count_nonzero(np.isfinite(steps)))
    values = np.concatenate([plane[np.isfinite(plane)] for plane in between])
    counts = np.unique(values, return_counts=True)[1]
    return equal > _EQUAL * pairs and bool(counts.max() < _ONE_LEVEL * values.size)
