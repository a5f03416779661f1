"""The noise of images most of which is cut off at the darkest level, such as backgrounds set to 0.

Few windows are whole then. But of normal noise that is cut off at a level, mean and variance are
known, and so is the noise that it was before, from how the variance compares with the mean's height
above the level (the moments of the censored normal distribution).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from ..arrays import FloatArray
from .windows import by_brightness, flattest, joined, measure_windows

_SIGNAL = np.linspace(-3.5, 6, 2000)
"""Of normal noise of variance 1, before it is cut off at 0."""
_LOWEST, _HIGHEST = 0.3, 4.0
"""Mean above the level, in standard deviations: lower, hardly any noise is left; higher, a window's
structure would count for noise."""
_WHOLE, _DEEP, _STEPS = 12.0, 8.0, 4000
"""Standard deviations to where noise is whole, and to where there is none left."""
_LEAST = 0.002
"""Of the variance: a mean is hardly known to be that far beyond."""
_FEWEST = 2
"""Groups of windows."""
_TAIL = 0.5
"""Pixels within a standard deviation of the level, at least, over those within the next: of noise
that is cut off there are more; between a mask and an image there are none."""


def measure_cut_noise(planes: Sequence[FloatArray], level: float) -> float:
    """Return the variance of the noise before it was cut off, or NaN if nothing shows it.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W); NaN where pixels are missing.
    level : float
        Below which everything was cut off; minus infinity if nothing was.
    """
    if level == -np.inf:
        return np.nan
    windows = joined([measure_windows(plane) for plane in planes])
    if not windows.around.size:
        return np.nan
    ratio, mean = _moments()
    found = []
    for group in by_brightness(windows.around):
        flat = flattest(windows, group)
        height, energy = windows.mean[flat].mean() - level, windows.energy[flat].mean()
        if height > 0 and energy > 0:
            above = np.interp(np.log(energy / height**2), ratio, mean)
            if _LOWEST < above < _HIGHEST:
                found.append(height / above)
    if len(found) < _FEWEST:
        return np.nan
    std = float(np.median(found))
    heights = np.concatenate([plane[np.isfinite(plane)] for plane in planes]) - level
    near, next_to_it = ((heights > k * std) & (heights <= (k + 1) * std) for k in (0, 1))
    return std**2 if near.sum() > _TAIL * next_to_it.sum() else np.nan


def cut_off(low: float | None, high: float | None, entries: int) -> tuple[FloatArray, FloatArray]:
    """Return the variance that is left of normal noise of variance 1 where some is cut off.

    Parameters
    ----------
    low, high : float or None
        Where it is cut off; one of them is given.
    entries : int
        Length of the result.

    Returns
    -------
    mean, variance : ndarray
        Equidistant expectations of what is left, and its variance at each.
    """
    low = (high or 0.0) - _WHOLE if low is None else low
    high = low + _WHOLE if high is None else high
    signal = np.linspace(low - _DEEP, high + _DEEP, _STEPS)
    below, above = low - signal, high - signal
    first, last = special.ndtr(below), special.ndtr(-above)
    tails = _normal(below) - _normal(above)
    # moments about the signal
    mean = tails + below * first + above * last
    square = 1 - first - last + below * _normal(below) - above * _normal(above)
    square += below**2 * first + above**2 * last
    variance = np.maximum(square - mean**2, _LEAST)
    expected = np.linspace(low, high, entries)
    return expected, np.interp(expected, signal + mean, variance)


def _normal(values: FloatArray) -> FloatArray:
    """Return the density of the normal distribution."""
    return np.asarray(np.exp(-(values**2) / 2) / np.sqrt(2 * np.pi))


def _moments() -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of variance over squared mean of noise that is cut off, and the mean."""
    tail, share = _normal(_SIGNAL), special.ndtr(_SIGNAL)
    mean = _SIGNAL * share + tail
    variance = (_SIGNAL**2 + 1) * share + _SIGNAL * tail - mean**2
    return np.log(variance / mean**2)[::-1], mean[::-1]
