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


def coarse(plane: NDArray[Any], coarseness: int) -> FloatArray:
    """Return a plane on a coarse grid, without the frequencies that this can't hold.

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
    image = fft.idctn(spectrum[:rows, :columns] / coarseness, norm="ortho")
    return np.where(_blocks(np.isfinite(plane), coarseness).all(axis=(1, 3)), image, np.nan)


def fine(image: FloatArray, coarseness: int, shape: tuple[int, ...]) -> FloatArray:
    """Return a finite image of a coarse grid on the fine one, of the given shape."""
    rows, columns = image.shape
    spectrum = np.zeros((coarseness * rows, coarseness * columns))
    spectrum[:rows, :columns] = coarseness * fft.dctn(image, norm="ortho")
    return np.asarray(fft.idctn(spectrum, norm="ortho")[: shape[0], : shape[1]])


def lost(plane: NDArray[Any], coarseness: int) -> float:
    """Return the mean square of what a plane (H, W) loses on a coarse grid."""
    left = fine(_filled(coarse(plane, coarseness)), coarseness, plane.shape)
    return float(np.square(plane - left).mean(where=np.isfinite(plane)))


def coarsest(plane: NDArray[Any], most: int) -> int:
    """Return the largest coarseness, up to `most`, beyond which a plane has next to nothing.

    1 where even a grid half as fine can't hold all of it; and of small or missing planes.
    """
    part = plane[fullest(np.isfinite(plane), _SIDE)]
    if not np.isfinite(part).any():
        return 1
    power = fft.dctn(_filled(part), norm="ortho") ** 2
    rows, columns = (np.arange(extent) / extent for extent in part.shape)
    frequency = np.maximum(rows[:, None], columns)
    most = min(most, min(part.shape) // SMALLEST)
    nearly = (number for number in range(2, most + 1) if not _empty(power, number * frequency))
    return next(nearly, max(most, 1) + 1) - 1


def _empty(power: FloatArray, frequency: FloatArray) -> bool:
    """Tell whether there is next to nothing beyond a frequency of 1."""
    beside = power[(frequency >= _BESIDE) & (frequency < 1)].mean()
    return bool(power[frequency >= 1].mean() < _EMPTY * beside)


def _blocks(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """Return blocks of pixels, of shape (rows, side, columns, side)."""
    even = np.pad(plane, [(0, -extent % side) for extent in plane.shape], mode="edge")
    return even.reshape(len(even) // side, side, -1, side)


def _filled(plane: NDArray[Any]) -> FloatArray:
    values = np.where(np.isfinite(plane), plane, np.nan).astype(np.float64)
    return np.asarray(filled(torch.from_numpy(values)).numpy())
