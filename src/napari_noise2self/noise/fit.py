"""A line through the variance of the noise against brightness, of images with structure in them.

A high-pass filter removes what is smooth, and its energy in small windows is the variance of the
noise where there is no structure. Windows are grouped by the brightness *around* them, whose noise
has nothing to do with their own; those on the steepest slopes are left out, and so are those with
more energy than noise has. The line goes through energy against mean brightness of the groups
(after Foi et al. 2008; grouping is how Wald 1940 fits a line through points with errors in both
coordinates, which would make it too flat).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from ..arrays import FloatArray

_WINDOW = 5
_STEP = 3  # from window to window
_TAPS = np.array([1.0, -2.0, 1.0]) / math.sqrt(6)  # of the high-pass filter, in each direction
_RING = 1  # width in pixels of what is around a window
_SLOPE_WIDTH, _SLOPE_TRUNCATE, _SLOPE_REACH = 2.5, 2.0, 5
_GROUPS = 24
_SMALLEST_GROUP = 50
FLAT_SHARE = 0.5  # of the windows of a group
_NOISE_SHARE = 0.97  # of windows of noise alone are kept; structure that stands out is not
_ROUNDS = 20
_PILE = 0.002  # share of the pixels at a limit
_MOST_CUT, _FEWEST_GROUPS = 0.1, 0.25  # share of a group's pixels at a limit; of groups to keep
_FEWEST_LEFT = 10  # windows of a group that are not cut
_MASKED = 0.9


@dataclass(frozen=True, eq=False)
class Windows:
    """What was measured in windows of an image; arrays of shape (n,).

    Parameters
    ----------
    mean : ndarray
        Brightness, with the pixels weighed as in `energy`: both see the same mixture.
    energy : ndarray
        Of the high-pass filter: the variance of the noise where there is no structure.
    around : ndarray
        Brightness of the pixels around the window.
    slope : ndarray
        Squared gradient.
    cut : ndarray
        Share of its pixels that were cut off.
    """

    mean: FloatArray
    energy: FloatArray
    around: FloatArray
    slope: FloatArray
    cut: FloatArray


class NoisePoint(NamedTuple):
    """One point to which the line was fitted: a group of windows of about the same brightness.

    Parameters
    ----------
    signal : float
        Mean brightness of its windows.
    variance : float
        Of the noise in them.
    weight : float
        Share of the group's flat windows that are behind the point, above 0 and up to 1; the
        others have more energy than noise has.
    """

    signal: float
    variance: float
    weight: float


@dataclass(frozen=True, eq=False)
class VarianceLine:
    """The line ``variance = gain * signal + intercept``, and the groups of windows behind it.

    Parameters
    ----------
    gain, intercept : float
        Of the line.
    dark : float
        Brightness of the darkest group.
    signal, variance : ndarray
        Brightness of each group, and its noise variance taken by itself, shape (groups,).
    points : tuple of NoisePoint
        To which the line was fitted, some 30 at most: without what the line left out as structure.
    """

    gain: float
    intercept: float
    dark: float
    signal: FloatArray
    variance: FloatArray
    points: tuple[NoisePoint, ...]


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
    size = _WINDOW + 2
    constant = ndimage.maximum_filter(plane, size) == ndimage.minimum_filter(plane, size)
    constant &= np.isfinite(plane)
    if not constant.any():
        return plane
    values, counts = np.unique(plane[constant], return_counts=True)
    mask = plane == values[counts.argmax()]
    patches = ndimage.maximum_filter(constant, size)
    return np.where(mask & patches, np.nan, plane) if patches[mask].mean() > _MASKED else plane


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
    inner = _WINDOW + 2 * spacing
    outer = inner + 2 * _RING
    margin = max(outer // 2, _WINDOW // 2 + _SLOPE_REACH)
    if min(plane.shape) <= 2 * margin:
        nothing = np.empty(0)
        return Windows(nothing, nothing, nothing, nothing, nothing)
    missing = ~np.isfinite(plane)
    plane = np.where(missing, 0.0, plane)
    taps = np.zeros(2 * spacing + 1)
    taps[::spacing] = _TAPS
    sums = [size**2 * ndimage.uniform_filter(plane, size) for size in (inner, outer)]
    slope = ndimage.gaussian_gradient_magnitude(plane, _SLOPE_WIDTH, truncate=_SLOPE_TRUNCATE)
    energy = ndimage.uniform_filter(_filtered(plane, taps) ** 2, _WINDOW)
    mean = ndimage.uniform_filter(_filtered(plane, taps**2), _WINDOW)
    around = (sums[1] - sums[0]) / (outer**2 - inner**2)
    cut = ((plane <= low) | (plane >= high)).astype(np.float64)
    inside = (slice(margin, -margin, _STEP),) * 2
    whole = ~_spread(missing, 2 * margin + 1)[inside]
    return Windows(
        mean=mean[inside][whole],
        energy=energy[inside][whole],
        around=around[inside][whole],
        slope=ndimage.uniform_filter(slope**2, _WINDOW)[inside][whole],
        cut=np.rint(inner**2 * ndimage.uniform_filter(cut, inner))[inside][whole] / inner**2,
    )


def _spread(marked: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Mark also what has a marked pixel in a square around it."""
    return np.asarray(ndimage.maximum_filter(marked, size)) if marked.any() else marked


def _filtered(plane: FloatArray, taps: FloatArray) -> FloatArray:
    return np.asarray(ndimage.convolve1d(ndimage.convolve1d(plane, taps, 0), taps, 1))


def fit_line(windows: Sequence[Windows], spacing: int = 1) -> VarianceLine:
    """Fit noise variance against brightness in windows of images; see `measure_windows`.

    Whether a window has more energy than noise has depends on the line: it is fitted again until
    it agrees with the windows it is fitted to.
    """
    found = joined(windows)
    means, energies = found.mean, found.energy
    floor = 1e-3 * float(energies.mean())
    group, flat, spared = _group(found)
    dark = float(np.median(means[group == 0]))  # of few hot pixels, the mean is not
    means, energies, group = means[flat], energies[flat], group[flat]
    energies = energies / spared[group]
    most, share, median = _noise_energies(spacing)
    groups = int(group.max()) + 1
    signal = _means(means, group, groups)
    variance = np.array([np.median(energies[group == each]) for each in range(groups)]) / median
    least = max(0.05 * float(np.median(variance)), floor)
    gain, intercept = _weighted_line(signal, variance, np.ones(groups))
    x, y, weights = signal, variance, np.ones(groups)
    for _ in range(_ROUNDS):
        smallest = max(least, gain**2 / 4)  # half a photon's: single photons are not structure
        weights = np.sqrt(weights) / np.maximum(gain * x + intercept, smallest)
        gain, intercept = _weighted_line(x, y, weights)
        kept = energies < most * np.maximum(gain * means + intercept, smallest)
        x = _means(means[kept], group[kept], groups)
        y = _means(energies[kept], group[kept], groups) / share
        weights = np.bincount(group[kept], minlength=groups).astype(float)
    parts = np.round(weights / np.bincount(group, minlength=groups), 3)
    triples = np.stack([x, y, parts], axis=1)[parts > 0].tolist()
    points = tuple(NoisePoint(*triple) for triple in triples)
    return VarianceLine(gain, intercept, dark, signal, variance, points)


def joined(windows: Sequence[Windows]) -> Windows:
    """Return the windows of several images together."""
    names = [field.name for field in fields(Windows)]
    return Windows(*(np.concatenate([getattr(each, name) for each in windows]) for name in names))


def _group(windows: Windows) -> tuple[NDArray[np.intp], NDArray[np.bool_], FloatArray]:
    """Return the group of each window, from dark to bright, and whether it is not too steep.

    Windows that lost pixels to a limit are in no group, -1; and so are all of groups that lost
    more than a few, for what is left of them is structure. The windows that remain are those whose
    noise happened to end before the limit: returned as well is which share of the variance such
    noise has, of each group.
    """
    members, slopes, cut = by_brightness(windows.around), windows.slope, windows.cut
    lost = np.array([np.median(cut[chosen]) for chosen in members])
    left = np.array([np.count_nonzero(cut[chosen] == 0) for chosen in members])
    group = np.full(cut.size, -1)
    flat = np.zeros(cut.size, dtype=bool)
    most = max(_MOST_CUT, np.quantile(lost, _FEWEST_GROUPS))
    kept = np.flatnonzero((lost <= most) & (left >= min(_FEWEST_LEFT, left.max())))
    for number, index in enumerate(kept):
        chosen = members[index][cut[members[index]] == 0]
        group[chosen] = number
        flat[chosen] = slopes[chosen] <= np.quantile(slopes[chosen], FLAT_SHARE)
    return group, flat, _truncated_variance(lost[kept])


def by_brightness(around: FloatArray) -> list[NDArray[np.intp]]:
    """Return which windows are of each group: equally many, but the brightest are halved again.

    So a few bright objects in a dark field have groups of their own.
    """
    groups = min(_GROUPS, max(1, around.size // _SMALLEST_GROUP))
    members = np.array_split(np.argsort(around, kind="stable"), groups)
    while len(members[-1]) >= 2 * _SMALLEST_GROUP:
        members[-1:] = np.array_split(members[-1], 2)
    return members


def _truncated_variance(lost: FloatArray) -> FloatArray:
    """Return the variance of normal noise of which a share at one end is missing.

    In units of the variance of all; the formula of the truncated normal distribution.
    """
    lost = np.clip(lost, 1e-12, _MOST_CUT)
    limit = special.ndtri(1 - lost)
    hazard = np.exp(-0.5 * limit**2) / math.sqrt(2 * math.pi) / (1 - lost)
    return np.asarray(1 - limit * hazard - hazard**2)


def _means(values: FloatArray, group: NDArray[np.intp], groups: int) -> FloatArray:
    number = np.maximum(np.bincount(group, minlength=groups), 1)
    return np.asarray(np.bincount(group, values, groups) / number)


def _weighted_line(x: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    design = np.stack([x, np.ones_like(x)], axis=1) * weights[:, None]
    (slope, level), *_ = np.linalg.lstsq(design, y * weights, rcond=None)
    return float(slope), float(level)


@lru_cache
def _noise_energies(spacing: int) -> tuple[float, float, float]:
    """Return the energies that windows of white noise of variance 1 have.

    The most that nearly all have, the mean of those that have less, and the median of all.
    """
    energy = measure_windows(np.random.default_rng(0).standard_normal((512, 512)), spacing).energy
    most = float(np.quantile(energy, _NOISE_SHARE))
    return most, float(energy[energy < most].mean()), float(np.median(energy))
