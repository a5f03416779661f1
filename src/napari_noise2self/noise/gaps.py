"""Pixels that are missing one by one, filled so that the noise of an image can be measured.

Windows without any gap become rare where a few per cent of the pixels are missing. A mean of
neighbours would have less noise, and a neighbour's value would be alike to it: so the value of a
pixel farther away is taken, beyond the reach of the filters that measure noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_AWAY = (3, 0), (-3, 0), (0, 3), (0, -3)
"""Rows down and columns to the right."""
_AROUND, _MOST = 15, 0.25
"""Side of a square, and the share of it that may be missing; larger holes stay."""


def without_gaps(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an image (H, W) in which few pixels are missing one by one.

    Parameters
    ----------
    plane : ndarray
        float64; what is not finite is missing.
    """
    missing = ~np.isfinite(plane)
    if not missing.any():
        return plane
    single = ndimage.uniform_filter(missing.astype(np.float64), _AROUND, mode="nearest") < _MOST
    filled = plane.copy()
    for away in _AWAY:
        gaps = missing & single & ~np.isfinite(filled)
        other = ndimage.shift(plane, away, order=0, cval=np.nan, prefilter=False)
        filled[gaps] = other[gaps]
    return filled
