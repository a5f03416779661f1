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

from ..arrays import FloatArray
from ..progress import Control
from .gaps import without_gaps
from .periodic import most_alike
from .robust import MEDIAN_TO_STD

_PARTS, _FEWEST_PARTS, _NARROWEST = 16, 8, 8
"""Parts of each line, and their least number and width in pixels."""
_NOTHING = 1e-6
"""Of the largest variance of a part: empty ones have less."""
_FEWEST_LINES = 32
_HIGH, _MIDDLE = 1 / 3, 1 / 6
"""Cycles a line: above the first there are lines alone, and above the second as many."""
_CHANCE = 1e-6
"""That an image without line noise seems to have some."""
_EVEN = 0.4
"""Least power at high frequencies over that at middle ones; of what is blurred it is less."""
_OUTLIER = 6.0
"""Standard deviations from the lines around: a thin thing along a line, or a frame around all."""
_UNUSUAL = 2.0
"""Most power over what is usual that is taken for line noise."""
_GRATING = 0.8
"""Correlation of lines with others farther away, of which offsets know nothing."""
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
        known: Sequence[NDArray[Any]] = list(plane)
        if plane.dtype.kind == "f":
            known = [without_gaps(channel.astype(np.float64)) for channel in plane]
        rows, rows_left = zip(*(_offsets(channel) for channel in known), strict=True)
        columns, columns_left = zip(*(_offsets(channel.T) for channel in known), strict=True)
        return cls(np.stack(rows), np.stack(columns), fmean(rows_left) + fmean(columns_left))

    def taken_from(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the plane without its line noise: itself where there is none, else as floats.

        Its darkest and brightest pixels stay as they are, as they may be cut off there.
        """
        if not self:
            return plane
        dtype = np.result_type(plane.dtype, np.float32)
        channels = zip(plane, self.rows, self.columns, strict=True)
        return np.stack([_even(*channel, dtype) for channel in channels])

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


NO_LINE_NOISE = LineNoise(np.zeros((1, 1)), np.zeros((1, 1)), 0.0)
"""Of a plane of any shape."""


def without_line_noise(
    planes: Sequence[NDArray[Any]], takes_line_noise: bool, control: Control
) -> Sequence[NDArray[Any]]:
    """Return planes (C, Y, X) without their line noise, if that is to be taken away.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    if not takes_line_noise:
        return planes
    even = []
    for plane in planes:
        control.check()
        even.append(LineNoise.of(plane).taken_from(plane))
    return even


def _even(
    channel: NDArray[Any], rows: FloatArray, columns: FloatArray, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Take offsets away from a plane (Y, X), but for its darkest and brightest pixels."""
    finite = channel[np.isfinite(channel)]
    if not finite.size:
        return channel.astype(dtype)
    even = (channel - (rows[:, None] + columns)).astype(dtype)
    return np.where((channel == finite.min()) | (channel == finite.max()), channel, even)


def _offsets(plane: NDArray[Any]) -> tuple[FloatArray, float]:
    """Return the offsets of the rows of a plane (H, W), and the variance of what is not in them.

    The offsets of a row are the mean of its parts, weighted by how little each changes from row to
    row. What the parts disagree in is its error.
    """
    none = np.zeros(len(plane)), 0.0
    parts = _parts(plane)
    if len(plane) < _FEWEST_LINES or len(parts) < _FEWEST_PARTS:
        return none
    high = _frequencies(len(plane)) > _HIGH
    weights = 1 / (_spectra(parts)[:, high] ** 2).mean(axis=1)
    weights /= weights.sum()
    parts, thin = _without_thin_things(parts, weights)
    if most_alike((weights @ parts)[:, None])[0] > _GRATING:
        return none
    spectra = _spectra(parts)
    mean = weights @ spectra
    error = weights**2 @ (spectra - mean) ** 2 / (1 - weights @ weights)
    strength = _strength(mean, error, len(parts))
    if not strength:
        return none
    share, left = _share(mean, error, strength)
    offsets = np.asarray(fft.idct(share * mean, norm="ortho"))
    return np.where(thin, 0, offsets), float(left.mean())


def _strength(mean: FloatArray, error: FloatArray, parts: int) -> float:
    """Return the variance of line noise, by its high frequencies; 0 if there seems to be none.

    Parameters
    ----------
    mean, error : ndarray
        The mean spectrum of parts of rows, and the variance of its error; shape (H,).
    parts : int
        Their number.
    """
    frequency = _frequencies(mean.size)
    high, middle = frequency > _HIGH, (frequency > _MIDDLE) & (frequency <= _HIGH)
    unknown, usual = float(error[high].mean()), _usual_power(mean, high)
    freedom = np.count_nonzero(high), np.count_nonzero(high) * (parts - 1)
    if not unknown or special.fdtrc(*freedom, usual / unknown) > _CHANCE:
        return 0.0
    strength = min(float((mean[high] ** 2).mean()), _UNUSUAL * usual) - unknown
    even = strength >= _EVEN * (mean**2 - error)[middle].mean()
    return strength if even else 0.0


def _share(mean: FloatArray, error: FloatArray, strength: float) -> tuple[FloatArray, FloatArray]:
    """Return which share of each frequency is line noise (Wiener), and how much of it is left.

    The parameters are as above. At high frequencies all that is no error is line noise; at others
    it is as strong, and what there is beyond is image.
    """
    error = _smooth(error)
    beyond = _smooth(mean**2) - (1 + _SCATTER) * (strength + error)
    image = np.where(_frequencies(mean.size) > _HIGH, 0, beyond.clip(min=0))
    share = strength / (strength + error + image)
    share[0] = 0  # the mean of all rows is the image's
    return share, (1 - share) ** 2 * strength + share**2 * (image + error)


def _parts(plane: NDArray[Any]) -> FloatArray:
    """Return the means of the parts of each row, (parts, H).

    Without those that lack pixels, or in which there is nothing.
    """
    width = plane.shape[1]
    cuts = np.linspace(0, width, 1 + min(_PARTS, width // _NARROWEST)).astype(int)
    parts = [plane[:, low:high] for low, high in pairwise(cuts)]
    whole = [part for part in parts if np.isfinite(part).all()]
    means = np.array([part.mean(axis=1, dtype=np.float64) for part in whole])
    change = means.var(axis=1) if whole else np.zeros(0)
    return np.asarray(means[change > _NOTHING * change.max(initial=0)])


def _without_thin_things(
    parts: FloatArray, weights: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Replace rows that are unlike those around by what is between these; tell which they were."""
    mean = weights @ parts
    apart = np.abs(mean - ndimage.median_filter(mean, 5, mode="nearest"))
    thin = apart > _OUTLIER * MEDIAN_TO_STD * np.median(apart)
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
    return float(MEDIAN_TO_STD**2 * min(medians))


def _frequencies(height: int) -> FloatArray:
    """Return the frequencies of a cosine transform, in cycles a row."""
    return np.arange(height) / (2 * height)


def _spectra(parts: FloatArray) -> FloatArray:
    """Return cosine transforms, in which white noise has its variance at each frequency but 0."""
    return np.asarray(fft.dct(parts - parts.mean(axis=1, keepdims=True), norm="ortho", axis=1))


def _smooth(power: FloatArray) -> FloatArray:
    return np.asarray(ndimage.uniform_filter1d(power, _SMOOTH, mode="nearest"))
