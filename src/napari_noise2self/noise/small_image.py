"""A rough law of the noise where an image is too small, or too thin, for windows and blocks.

Second differences of pixels tell noise from what is smooth (after Immerkær 1996, "Fast noise
variance estimation"), at every other pixel, as next neighbours may share noise. They are
grouped by brightness: what is typical of each group knows little of edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..arrays import FloatArray
from .robust import MEDIAN_TO_STD

SMALL = tuple(
    f"The image is too small to measure its noise well: roughly, it {law}."
    for law in ("is the same at all intensities", "grows with the signal")
)
"""Sentences for the user: with a gain of 0, and with more."""
_SPACING, _SHORTEST = 2, 8
"""Pixels from one to the next of a difference; of an axis along which there are any."""
_DIFFERENCE = np.array([1.0, -2.0, 1.0]) / math.sqrt(6)
_GROUPS, _FEWEST_GROUPS, _FEWEST = 6, 4, 25
"""Of brightness, and second differences of each."""
_NOTHING = 1e-6
"""Of the variance of the image, by which numbers are rounded."""
_RISE, _LEAST = 0.5, 0.05
"""Of the mean variance."""


def rough_line(planes: Sequence[FloatArray]) -> tuple[float, float] | None:
    """Return gain and intercept of the noise; None where there is none, or too few pixels.

    The gain is 0 where the noise doesn't grow, or grows less than chance might make it.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W), not finite where pixels are missing.
    """
    long = [plane for plane in planes if max(plane.shape) >= _SHORTEST]
    differences, brightness = (
        np.concatenate([np.empty(0), *(_filtered(plane, taps).ravel() for plane in long)])
        for taps in (_DIFFERENCE, _DIFFERENCE**2)
    )
    known = np.isfinite(differences)
    differences, brightness = np.abs(differences[known]), brightness[known]
    groups = min(_GROUPS, brightness.size // _FEWEST)
    if groups < _FEWEST_GROUPS:
        return None
    members = np.array_split(np.argsort(brightness), groups)
    signal = np.array([brightness[group].mean() for group in members])
    variance = np.array([(MEDIAN_TO_STD * np.median(differences[group])) ** 2 for group in members])
    mean = float(variance.mean())
    if not mean > _NOTHING * brightness.var():
        return None
    if groups < _GROUPS:
        return 0.0, mean
    gain, intercept = np.polyfit(signal, variance, 1, w=1 / np.maximum(variance, _LEAST * mean))
    darkest = float(gain * signal[0] + intercept)
    if gain * np.ptp(signal) < _RISE * mean or darkest < _LEAST * mean:
        return 0.0, mean
    return float(gain), float(intercept)


def _filtered(plane: FloatArray, taps: FloatArray) -> FloatArray:
    """Return weighed sums of three pixels along each axis that is long enough for any."""
    spread = np.zeros(2 * _SPACING + 1)
    spread[::_SPACING] = taps
    for axis in (0, 1):
        if plane.shape[axis] >= _SHORTEST:
            windows = np.lib.stride_tricks.sliding_window_view(plane, spread.size, axis)
            plane = windows @ spread
    return plane
