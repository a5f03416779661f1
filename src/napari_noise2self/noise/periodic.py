"""Noise on structure that comes back, such as gratings and lattices.

Fine ones are alike to noise that neighbours share: both are everywhere. But the correlation of
noise dies away within some pixels, and that of a pattern comes back. What is left of an image less
the same image some periods away is noise, of the same correlation and with the same law.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import fft, ndimage

from ..arrays import FloatArray
from .correlation import BLUR
from .windows import Windows, measure_windows

_NEAREST = 12
"""Pixels, beyond the reach of any noise that neighbours share."""
_FARTHEST = 1 / 3
"""Of the sides: enough must be left to be compared."""
_ALIKE = 0.25
"""Correlation; of images without a pattern it is below 0.2, nearly always."""

Lag = tuple[int, int]
"""Rows down and columns to the right."""


def period(plane: FloatArray) -> Lag | None:
    """Return how far away an image (H, W) is most alike to itself; None if it is nowhere.

    Whole periods, up to a fraction of a pixel; slow changes are left out.
    """
    alike, lag = most_alike(plane)
    return lag if alike > _ALIKE else None


def most_alike(plane: FloatArray) -> tuple[float, Lag]:
    """Return the largest correlation of an image with itself farther away, and how far."""
    known = np.isfinite(plane)
    if not known.any():
        return 0.0, (0, 0)
    whole = np.where(known, plane, np.median(plane[known]))
    rough = np.where(known, whole - ndimage.gaussian_filter(whole, BLUR), 0)
    farthest = [int(_FARTHEST * side) for side in plane.shape]
    alike = _autocorrelation(rough, farthest)
    down, across = np.indices(alike.shape)
    across -= farthest[1]
    alike[np.maximum(down, np.abs(across)) < _NEAREST] = 0
    best = int(alike.argmax())
    return float(alike.flat[best]), (int(down.flat[best]), int(across.flat[best]))


def _autocorrelation(image: FloatArray, farthest: list[int]) -> FloatArray:
    """Return how alike an image is to itself up to so far down, and across to either side."""
    shape = [
        fft.next_fast_len(sum(each), real=True) for each in zip(image.shape, farthest, strict=True)
    ]
    spectrum, squares, ones = (
        fft.rfft2(part, shape) for part in (image, image**2, np.ones(image.shape))
    )
    shared, first, second = (
        fft.irfft2(product, shape)
        for product in (np.abs(spectrum) ** 2, squares * ones.conj(), squares.conj() * ones)
    )
    lags = np.ix_(np.arange(farthest[0] + 1), np.arange(-farthest[1], farthest[1] + 1))
    energy = np.maximum(first, 0) * np.maximum(second, 0)
    least = (1e-6 * np.square(image).sum()) ** 2
    return np.asarray((shared / np.sqrt(np.maximum(energy, max(least, 1e-300))))[lags])


def noise_left(plane: FloatArray, lag: Lag) -> FloatArray:
    """Return what is left of an image less itself so far away, its noise as strong as before."""
    first, second = _overlap(plane, lag)
    return np.asarray((first - second) / math.sqrt(2))


def measure_windows_of_pattern(
    plane: FloatArray, lag: Lag, low: float = -math.inf, high: float = math.inf
) -> Windows:
    """Measure windows of an image that is alike so far away; see `measure_windows`.

    They are as bright as the mean of both, and as noisy as their difference, which has nothing to
    do with it: so they are grouped by their own brightness.
    """
    first, second = _overlap(plane, lag)
    bright = measure_windows((first + second) / 2, 1, low, high)
    noisy = measure_windows(noise_left(plane, lag))
    return replace(noisy, mean=bright.mean, around=bright.mean, cut=bright.cut)


def _overlap(plane: FloatArray, lag: Lag) -> tuple[FloatArray, FloatArray]:
    """Return the part of an image that is alike to another one, and that."""
    (down, across), (height, width) = lag, plane.shape
    left, right = max(-across, 0), max(across, 0)
    there = plane[down:, right : width - left]
    return plane[: height - down, left : width - right], there
