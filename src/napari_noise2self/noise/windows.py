"""Small windows all over an image, in which the noise is measured.

A high-pass filter removes what is smooth: its energy is the variance of the noise where there is no
structure. At coarser scales white noise has the same energy, and structure more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import FloatArray

_SIDE = 5
_STEP = 3  # from window to window
_TAPS = np.array([1.0, -2.0, 1.0]) / math.sqrt(6)  # of the high-pass filter, in each direction
_RING = 1  # width in pixels of what is around a window
_SLOPE_WIDTH, _SLOPE_TRUNCATE, _SLOPE_REACH = 2.5, 2.0, 5
_GROUPS = 24
_SMALLEST_GROUP = 50
_FLAT_SHARE = 0.5  # of the windows of a group
_NOISE_SHARE = 0.97  # of windows of noise alone are kept; structure that stands out is not
_LEAK, _COMMON_LEAK = 0.5, 1.5  # of structure into windows; over what even the best have
_BEST = 0.25  # share of them
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Windows:
    """What was measured in windows of an image; arrays of shape (n,).

    Parameters
    ----------
    mean : ndarray
        Brightness, with the pixels weighed as in `energy`: both see the same mixture.
    energy : ndarray
        Of the high-pass filter: the variance of the noise where there is no structure.
    coarse, coarser : ndarray
        The same with the filter's taps two and four times as far apart.
    around : ndarray
        Brightness of the pixels around the window.
    slope : ndarray
        Squared gradient.
    cut : ndarray
        Share of its pixels that were cut off.
    row, column : ndarray
        Of its centre.
    """

    mean: FloatArray
    energy: FloatArray
    coarse: FloatArray
    coarser: FloatArray
    around: FloatArray
    slope: FloatArray
    cut: FloatArray
    row: FloatArray
    column: FloatArray

    def where(self, chosen: NDArray[np.bool_]) -> Windows:
        """Return some of the windows, chosen by a mask of shape (n,)."""
        return Windows(*(getattr(self, field.name)[chosen] for field in fields(self)))


def measure_windows(
    plane: FloatArray, spacing: int = 1, low: float = -math.inf, high: float = math.inf
) -> Windows:
    """Measure windows all over an image, but where pixels are missing.

    Parameters
    ----------
    plane : ndarray
        Shape (H, W).
    spacing : int
        Distance of the high-pass filter's taps. Its response to noise is known only if the noise
        at its taps is independent.
    low, high : float
        Levels at which pixels were cut off.
    """
    inner = _SIDE + 2 * spacing
    outer = inner + 2 * _RING
    margin = max(outer // 2, _SIDE // 2 + _SLOPE_REACH)
    if min(plane.shape) <= 2 * margin:
        return Windows(*[np.empty(0)] * len(fields(Windows)))
    missing = ~np.isfinite(plane)
    plane = np.where(missing, 0.0, plane)
    sums = [size**2 * ndimage.uniform_filter(plane, size) for size in (inner, outer)]
    slope = ndimage.gaussian_gradient_magnitude(plane, _SLOPE_WIDTH, truncate=_SLOPE_TRUNCATE)
    mean = ndimage.uniform_filter(_filtered(plane, _taps(spacing) ** 2), _SIDE)
    around = (sums[1] - sums[0]) / (outer**2 - inner**2)
    cut = ((plane <= low) | (plane >= high)).astype(np.float64)
    inside = (slice(margin, -margin, _STEP),) * 2
    whole = ~_spread(missing, 2 * margin + 1)[inside]
    centres = [np.arange(margin, extent - margin, float(_STEP)) for extent in plane.shape]
    row, column = np.meshgrid(*centres, indexing="ij")
    return Windows(
        mean=mean[inside][whole],
        energy=_energy(plane, spacing)[inside][whole],
        coarse=_energy(plane, 2 * spacing)[inside][whole],
        coarser=_energy(plane, 4 * spacing)[inside][whole],
        around=around[inside][whole],
        slope=ndimage.uniform_filter(slope**2, _SIDE)[inside][whole],
        cut=np.rint(inner**2 * ndimage.uniform_filter(cut, inner))[inside][whole] / inner**2,
        row=row[whole],
        column=column[whole],
    )


def _spread(marked: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Mark also what has a marked pixel in a square around it."""
    return np.asarray(ndimage.maximum_filter(marked, size)) if marked.any() else marked


def _energy(plane: FloatArray, spacing: int) -> FloatArray:
    """Return the mean square of the high-pass filtered plane around each pixel."""
    return np.asarray(ndimage.uniform_filter(_filtered(plane, _taps(spacing)) ** 2, _SIDE))


def _taps(spacing: int) -> FloatArray:
    taps = np.zeros(2 * spacing + 1)
    taps[::spacing] = _TAPS
    return taps


def _filtered(plane: FloatArray, taps: FloatArray) -> FloatArray:
    return np.asarray(ndimage.convolve1d(ndimage.convolve1d(plane, taps, 0), taps, 1))


def joined(windows: Sequence[Windows]) -> Windows:
    """Return the windows of several images together."""
    names = [field.name for field in fields(Windows)]
    return Windows(*(np.concatenate([getattr(each, name) for each in windows]) for name in names))


def by_brightness(around: FloatArray) -> list[NDArray[np.intp]]:
    """Return which windows are of each group: equally many, but the brightest are halved again.

    So a few bright objects in a dark field have groups of their own.
    """
    groups = min(_GROUPS, max(1, around.size // _SMALLEST_GROUP))
    members = np.array_split(np.argsort(around, kind="stable"), groups)
    while len(members[-1]) >= 2 * _SMALLEST_GROUP:
        members[-1:] = np.array_split(members[-1], 2)
    return members


def flattest(windows: Windows, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return which of the chosen windows are on the gentlest slopes."""
    slopes = windows.slope[chosen]
    return chosen[slopes <= np.quantile(slopes, _FLAT_SHARE)]


def leaked(noise: FloatArray, coarse: FloatArray, coarser: FloatArray) -> FloatArray:
    """Return how much of the energy of windows may be structure, over that of their noise.

    What structure adds falls from `coarser` to `coarse`, and is taken to fall as steeply from there
    to the energy itself: that of smooth structure vanishes, that of points and threads does not.

    Parameters
    ----------
    noise, coarse, coarser : ndarray
        Energy of the noise, and that of windows at the two coarser scales.
    """
    rise = np.maximum(coarse - noise, 0.0)
    before = np.maximum(coarser - noise, rise)
    return np.asarray(rise**2 / np.maximum(before * noise, _TINY))


def most_leaked(leaks: FloatArray) -> float:
    """Return how much may leak where noise is measured: little more than at the best places.

    Where neighbours share noise, all look as if structure leaked into them.
    """
    return max(_LEAK, _COMMON_LEAK * float(np.nanquantile(leaks, _BEST)))


@lru_cache
def noise_energies(spacing: int) -> tuple[float, float, float]:
    """Return the energies that windows of white noise of variance 1 have.

    The most that nearly all have, the mean of those that have less, and the median of all.
    """
    energy = measure_windows(np.random.default_rng(0).standard_normal((512, 512)), spacing).energy
    most = float(np.quantile(energy, _NOISE_SHARE))
    return most, float(energy[energy < most].mean()), float(np.median(energy))
