"""Line noise: offsets that all pixels of a row, or of a column, share.

Cameras and scanners make them. Neighbours in a line tell of such noise, so a network would predict
it, and no exclusion is as long as a line. But an offset shows in all parts of its line alike, and
it has nothing to do with the lines beside it: little of what optics let through is like that. So it
is taken away before anything else, as far as it can be told from the image. A pixel has a share in
the offset of its line, but no more of one than the line has pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, special

from .progress import Control
from .settings import Settings

FloatArray = NDArray[np.float64]

_PARTS, _FEWEST_PARTS, _NARROWEST = 16, 8, 8
"""Parts of each line, and their least number and width in pixels."""
_NOTHING = 1e-6
"""Of the largest power of a part: empty ones have less."""
_FEWEST_LINES = 32
_HIGH, _MIDDLE = 1 / 3, 1 / 6
"""Cycles a line: above the first there are lines alone, and above the second as many."""
_CHANCE = 1e-6
"""That an image without line noise seems to have some."""
_EVEN = 0.4
"""Least power at high frequencies over that at middle ones; of what is blurred it is less."""
_OUTLIER = 6.0
"""Standard deviations from the lines around: a thin thing along a line, or a frame around all."""
_MEDIAN_TO_STD = 1.4826
"""Of the absolute deviations of Gaussian numbers."""
_UNUSUAL = 2.0
"""Most power over what is usual that is taken for line noise."""
_SMOOTH = 17
"""Frequencies whose power is averaged,"""
_SCATTER = (2 / _SMOOTH) ** 0.5
"""and the standard deviation of that mean, relative."""


@dataclass(frozen=True, eq=False)
class LineNoise:
    """The line noise of a plane, in grey levels; all 0 where there is none.

    Parameters
    ----------
    rows, columns : ndarray
        Offsets of the rows, (C, Y), and of the columns, (C, X), as far as they are known.
    left : float
        Variance of the offsets that could not be told from the image.
    """

    rows: FloatArray
    columns: FloatArray
    left: float

    @classmethod
    def of(cls, plane: NDArray[Any]) -> Self:
        """Measure the line noise of a plane (C, Y, X) of any real dtype."""
        rows, rows_left = zip(*(_offsets(channel) for channel in plane), strict=True)
        columns, columns_left = zip(*(_offsets(channel.T) for channel in plane), strict=True)
        return cls(np.stack(rows), np.stack(columns), fmean(rows_left) + fmean(columns_left))

    def taken_from(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the plane without its line noise: itself where there is none, else as floats.

        Its darkest and brightest pixels stay as they are, as they may be cut off there.
        """
        if not self:
            return plane
        offsets = self.rows[:, :, None] + self.columns[:, None, :]
        finite = np.where(np.isfinite(plane), plane, plane.dtype.type(0))
        ends = [end(finite, axis=(1, 2), keepdims=True) for end in (np.min, np.max)]
        even = (plane - offsets).astype(np.result_type(plane.dtype, np.float32))
        return np.where((plane == ends[0]) | (plane == ends[1]), plane, even)

    @property
    def taken(self) -> float:
        """Variance of the offsets, of rows and columns together."""
        return self.row_std**2 + self.column_std**2

    @property
    def row_std(self) -> float:
        """Root mean square of the offsets of rows."""
        return float(np.sqrt(np.mean(self.rows**2)))

    @property
    def column_std(self) -> float:
        """Root mean square of the offsets of columns."""
        return float(np.sqrt(np.mean(self.columns**2)))

    def __bool__(self) -> bool:
        return bool(self.rows.any() or self.columns.any())


def without_line_noise(
    planes: Sequence[NDArray[Any]], settings: Settings, control: Control
) -> Sequence[NDArray[Any]]:
    """Return planes (C, Y, X) without their line noise, if the settings say so.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    if not settings.takes_line_noise:
        return planes
    even = []
    for plane in planes:
        control.check()
        even.append(LineNoise.of(plane).taken_from(plane))
    return even


def _offsets(plane: NDArray[Any]) -> tuple[FloatArray, float]:
    """Return the offsets of the rows of a plane (H, W), and the variance of what is not in them.

    The offsets of a row are the mean of its parts, weighted by how little each changes from row to
    row. What the parts disagree in is its error. At high frequencies the rest is line noise, and
    as much of it is at all others, where most is image (a Wiener filter).
    """
    height = plane.shape[0]
    none = np.zeros(height), 0.0
    parts = _parts(plane)
    if height < _FEWEST_LINES or not len(parts):
        return none
    frequency = np.arange(height) / (2 * height)
    high, middle = frequency > _HIGH, (frequency > _MIDDLE) & (frequency <= _HIGH)
    powers = (_spectra(parts)[:, high] ** 2).mean(axis=1)
    some = powers > _NOTHING * powers.max()
    if np.count_nonzero(some) < _FEWEST_PARTS:
        return none
    parts, powers = parts[some], powers[some]
    weights = 1 / powers / (1 / powers).sum()
    parts, thin = _without_thin_things(parts, weights)
    spectra = _spectra(parts)
    mean = weights @ spectra
    error = weights**2 @ (spectra - mean) ** 2 / (1 - weights @ weights)
    unknown = float(error[high].mean())
    usual = _usual_power(mean, high)
    freedom = np.count_nonzero(high), np.count_nonzero(high) * (len(parts) - 1)
    if not unknown or special.fdtrc(*freedom, usual / unknown) > _CHANCE:
        return none
    strength = min(float((mean[high] ** 2).mean()), _UNUSUAL * usual) - unknown
    if strength < _EVEN * (mean**2 - error)[middle].mean():
        return none
    error = _smooth(error)
    beyond = _smooth(mean**2) - (1 + _SCATTER) * (strength + error)
    image = np.where(high, 0, beyond.clip(min=0))
    share = strength / (strength + error + image)
    share[0] = 0  # the mean of all rows is the image's
    left = (1 - share) ** 2 * strength + share**2 * (image + error)
    offsets = np.asarray(fft.idct(share * mean, norm="ortho"))
    return np.where(thin, 0, offsets), float(left.mean())


def _parts(plane: NDArray[Any]) -> FloatArray:
    """Return the means of the parts of each row, (parts, H); without those that lack pixels."""
    width = plane.shape[1]
    cuts = np.linspace(0, width, 1 + min(_PARTS, width // _NARROWEST)).astype(int)
    parts = [plane[:, low:high] for low, high in pairwise(cuts)]
    whole = [part for part in parts if np.isfinite(part).all()]
    return np.array([part.mean(axis=1, dtype=np.float64) for part in whole])


def _without_thin_things(
    parts: FloatArray, weights: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Replace rows that are unlike those around by what is between these; tell which they were."""
    mean = weights @ parts
    apart = np.abs(mean - ndimage.median_filter(mean, 5, mode="nearest"))
    thin = apart > _OUTLIER * _MEDIAN_TO_STD * np.median(apart)
    rows = np.arange(mean.size)
    others = rows[~thin]
    return np.array([np.interp(rows, others, part[others]) for part in parts]), thin


def _usual_power(spectrum: FloatArray, chosen: NDArray[np.bool_]) -> float:
    """Return the power of white noise at some frequencies.

    That of steps and edges is in few lines, and that of gratings at few frequencies: what most of
    them have counts.
    """
    lines = np.asarray(fft.idct(np.where(chosen, spectrum, 0), norm="ortho"))
    medians = np.median(spectrum[chosen] ** 2), np.median(lines**2) / chosen.mean()
    return float(_MEDIAN_TO_STD**2 * min(medians))


def _spectra(parts: FloatArray) -> FloatArray:
    """Return cosine transforms, in which white noise has its variance at each frequency but 0."""
    return np.asarray(fft.dct(parts - parts.mean(axis=1, keepdims=True), norm="ortho", axis=1))


def _smooth(power: FloatArray) -> FloatArray:
    return np.asarray(ndimage.uniform_filter1d(power, _SMOOTH, mode="nearest"))
