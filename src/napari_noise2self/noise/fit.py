"""A line through the variance of the noise against brightness, of images with structure in them.

Windows are grouped by the brightness *around* them, whose noise has nothing to do with their own;
those on the steepest slopes are left out, and so are those with more energy than noise has, and
those to whose energy structure adds. The line goes through energy against mean brightness of the
groups (after Foi et al. 2008; grouping is how Wald 1940 fits a line through points with errors in
both coordinates, which would make it too flat).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..arrays import FloatArray
from .windows import Windows, by_brightness, flattest, joined, leaked, most_leaked, noise_energies

_ROUNDS = 20
_MOST_CUT, _FEWEST_GROUPS = 0.1, 0.25  # share of a group's pixels at a limit; of groups to keep
_FEWEST_LEFT = 10  # windows of a group that are not cut
_LEAK_OF_ONE = 8.0  # window, over that of a group: few pixels tell little
_NARROW = 0.5  # of the range of brightness


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
    narrow : bool
        Whether these are of about one brightness, as groups of others show no noise alone.
    points : tuple of NoisePoint
        To which the line was fitted, some 30 at most: without what the line left out as structure.
    """

    gain: float
    intercept: float
    dark: float
    signal: FloatArray
    variance: FloatArray
    narrow: bool
    points: tuple[NoisePoint, ...]


def fit_line(windows: Sequence[Windows], spacing: int = 1) -> VarianceLine:
    """Fit noise variance against brightness in windows of images; see `windows.py`.

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
    most, share, median = noise_energies(spacing)
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
    levels = [np.median(found.mean[chosen]) for chosen in by_brightness(found.around)]
    narrow = bool(np.ptp(signal) < _NARROW * np.ptp(levels))
    return VarianceLine(gain, intercept, dark, signal, variance, narrow, points)


def _group(windows: Windows) -> tuple[NDArray[np.intp], NDArray[np.bool_], FloatArray]:
    """Return the group of each window, from dark to bright, and whether it shows noise alone.

    Windows that lost pixels to a limit are in no group, -1; and so are all of groups that lost
    more than a few, for what is left of them is structure, and of groups that structure leaks
    into. The windows that remain are those whose noise happened to end before the limit: returned
    as well is which share of the variance such noise has, of each group.
    """
    lost, whole = _whole(windows)
    flat_ones = [flattest(windows, chosen) for chosen in whole]
    medians = np.array([np.median(_energies(windows, chosen), axis=1) for chosen in flat_ones])
    leaks = leaked(*medians.T)
    most = most_leaked(leaks)
    group = np.full(windows.cut.size, -1)
    flat = np.zeros(windows.cut.size, dtype=bool)
    kept = np.flatnonzero(leaks <= most)
    for number, index in enumerate(kept):
        chosen, noise = flat_ones[index], medians[index, 0]
        own = leaked(noise, windows.coarse[chosen], windows.coarser[chosen])
        group[whole[index]] = number
        flat[chosen[own <= max(_LEAK_OF_ONE * most, float(np.median(own)))]] = True
    return group, flat, _truncated_variance(lost[kept])


def _whole(windows: Windows) -> tuple[FloatArray, list[NDArray[np.intp]]]:
    """Return which windows of each group lost no pixel to a limit, and which share all of it lost.

    Without the groups that lost more than a few.
    """
    cut, members = windows.cut, by_brightness(windows.around)
    lost = np.array([np.median(cut[chosen]) for chosen in members])
    left = np.array([np.count_nonzero(cut[chosen] == 0) for chosen in members])
    most = max(_MOST_CUT, np.quantile(lost, _FEWEST_GROUPS))
    kept = np.flatnonzero((lost <= most) & (left >= min(_FEWEST_LEFT, left.max())))
    return lost[kept], [members[index][cut[members[index]] == 0] for index in kept]


def _energies(windows: Windows, chosen: NDArray[np.intp]) -> FloatArray:
    """Return the energies at all three scales, shape (3, n)."""
    return np.stack([each[chosen] for each in (windows.energy, windows.coarse, windows.coarser)])


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
