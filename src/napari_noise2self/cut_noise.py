"""The noise of images most of which is cut off at the darkest level, such as backgrounds set to 0.

Few windows are whole then. But of normal noise that is cut off at a level, mean and variance are
known, and so is the noise that it was before, from how the variance compares with the mean's height
above the level (the moments of the censored normal distribution).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .noise_fit import FLAT_SHARE, FloatArray, by_brightness, joined, measure_windows

_SIGNAL = np.linspace(-3.5, 6, 2000)
"""Of normal noise of variance 1, before it is cut off at 0."""
_LOWEST, _HIGHEST = 0.3, 4.0
"""Mean above the level, in standard deviations: lower, hardly any noise is left; higher, a window's
structure would count for noise."""
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
        Below which everything was cut off.
    """
    windows = joined([measure_windows(plane) for plane in planes])
    if not windows.around.size:
        return np.nan
    ratio, mean = _moments()
    found = []
    for group in by_brightness(windows.around):
        flat = group[windows.slope[group] <= np.quantile(windows.slope[group], FLAT_SHARE)]
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


def _moments() -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of variance over squared mean of noise that is cut off, and the mean."""
    tail, share = np.exp(-(_SIGNAL**2) / 2) / np.sqrt(2 * np.pi), special.ndtr(_SIGNAL)
    mean = _SIGNAL * share + tail
    variance = (_SIGNAL**2 + 1) * share + _SIGNAL * tail - mean**2
    return np.log(variance / mean**2)[::-1], mean[::-1]
