"""Images with fewer details than pixels, on a coarse grid that has as many pixels as details.

Deconvolution, structured illumination and enlargement leave nothing at the highest frequencies, of
the image or of its noise. On a coarse grid, such an image loses nothing, and the noise of its
pixels is as good as independent again. All is done by cosine transforms, which take an image for
mirrored at its borders. How coarse a grid is, is the number of pixels of the image that become one,
each way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft

from ..arrays import FloatArray
from ..axes import fullest
from .local_mean import filled

_SIDE = 512  # pixels, of the part of a plane that is looked at
SMALLEST = 64  # pixels of a side of the coarse grids that are found
_BESIDE = 0.6
"""Of the highest frequency that a coarse grid can hold: from there on an image is mostly noise."""
_EMPTY = 0.05
"""Of the power there: so much may there be beyond."""
_SOFT = 0.4
"""Of the frequencies of a coarse grid: over so many beyond its own, the filter falls to 0."""


def coarse(plane: NDArray[Any], coarseness: int) -> FloatArray:
    """Return a plane on a coarse grid.

    Parameters
    ----------
    plane : ndarray
        Shape (H, W), any real dtype.
    coarseness : int
        Of the grid.

    Returns
    -------
    ndarray
        float64 of shape (H / coarseness, W / coarseness), rounded up; NaN where any of the pixels
        that become one is not finite.
    """
    blocks = _blocks(_filled(plane), coarseness)
    rows, _, columns, _ = blocks.shape
    spectrum = fft.dctn(blocks.reshape(rows * coarseness, -1), norm="ortho")
    kept = _folded(_folded(spectrum, rows).T, columns).T
    image = fft.idctn(kept / coarseness, norm="ortho")
    return np.where(_blocks(np.isfinite(plane), coarseness).all(axis=(1, 3)), image, np.nan)


def fine(image: FloatArray, coarseness: int, shape: tuple[int, ...]) -> FloatArray:
    """Return a finite image of a coarse grid on the fine one, of the given shape."""
    rows, columns = image.shape
    spectrum = np.zeros((coarseness * rows, coarseness * columns))
    spectrum[:rows, :columns] = coarseness * fft.dctn(image, norm="ortho")
    return np.asarray(fft.idctn(spectrum, norm="ortho")[: shape[0], : shape[1]])


def lost(plane: NDArray[Any], coarseness: int) -> float:
    """Return the mean square of what a plane (H, W) has at frequencies no coarse grid can hold."""
    power = fft.dctn(_filled(plane), norm="ortho") ** 2
    rows, columns = (-(-extent // coarseness) for extent in plane.shape)
    power[:rows, :columns] = 0
    return float(power.sum() / plane.size)


def is_empty_beyond(plane: NDArray[Any], coarseness: int) -> bool:
    """Tell whether a plane (H, W) has next to nothing at what a coarse grid can't hold.

    Nothing is told of small planes.
    """
    part = plane[fullest(np.isfinite(plane), _SIDE)]
    if min(part.shape) < coarseness * SMALLEST or not np.isfinite(part).any():
        return False
    power = fft.dctn(_filled(part), norm="ortho") ** 2
    rows, columns = (coarseness * np.arange(extent) / extent for extent in part.shape)
    frequency = np.maximum(rows[:, None], columns)
    beside = power[(frequency >= _BESIDE) & (frequency < 1)].mean()
    return bool(power[frequency >= 1].mean() < _EMPTY * beside)


def _folded(spectrum: FloatArray, count: int) -> FloatArray:
    """Return the first frequencies along the first axis, a little of the next ones folded in.

    A sharp end would let borders and missing pixels be seen all over the image. What is next to it
    is empty, but near these.
    """
    width = int(_SOFT * count)
    kept, beyond = spectrum[:count].copy(), spectrum[count + 1 : count + 1 + width]
    share = np.cos(np.pi / 2 * np.arange(1, width + 1) / (width + 1)) ** 2
    kept[count - width :] -= (share[:, None] * beyond)[::-1]
    return kept


def _blocks(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """Return blocks of pixels, of shape (rows, side, columns, side)."""
    even = np.pad(plane, [(0, -extent % side) for extent in plane.shape], mode="edge")
    return even.reshape(len(even) // side, side, -1, side)


def _filled(plane: NDArray[Any]) -> FloatArray:
    values = np.where(np.isfinite(plane), plane, np.nan).astype(np.float64)
    return np.asarray(filled(torch.from_numpy(values)).numpy())
