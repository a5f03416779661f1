"""A noise model read off the image itself, and when there is none to be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from .compression import BLOCK, in_blocks
from .correlation import WHITE, Correlation, measure_correlation
from .cut_off import measure_cut_noise
from .drawings import drawn
from .fit import fit_line
from .flat_blocks import flattest_noise
from .gaps import without_gaps
from .impulses import without_impulses
from .limits import find_limits, without_mask
from .model import GROWS, SMALLEST_RISE, NoiseModel
from .periodic import measure_windows_of_pattern, noise_left, period
from .single_photons import single_photons
from .small_image import SMALL, rough_line
from .windows import Windows, measure_windows

_ENOUGH, _BAND = 2**22, 128  # pixels to measure in all; rows of a band
_MINIMUM_WINDOWS = 100
_POOR = 0.5  # goodness: the variance is off by half on average
_LIFTED = 0.02  # mean square by which the transform may change pixels, of the mean variance
_WEAKER = 0.9  # of the variance: more than flattest parts differ from others by chance
_FEW_LEVELS = 8
_OTHER_END = 0.1  # of the pixels that are cut off at one end, so many may be at the other
_COUNTS = 0.2  # relative error of the gain of photon counts
_DARK_SHARE = 0.02
_RESOLUTION = 1e-6  # of float32, relative to the image's standard deviation

_WITHOUT = "so it is denoised without a noise model."
_TOO_LITTLE = (
    "The image is too small or too flat, or too much of it is cut off or missing, to measure its "
    f"noise, {_WITHOUT}"
)
_ON_PATTERN = "The noise was measured on a pattern that comes back, for all intensities together."
_NO_NOISE = "No noise was found: denoising can only make this image smoother."
_NO_LAW = (
    "The noise could not be told from the structure of the image, or follows no known law: it is "
    "taken to be no stronger than in the flattest parts."
)
_ONE_BRIGHTNESS = (
    "The noise was measured in parts of about one brightness, as all others are full of structure "
    "or cut off; it is taken to be the same at all intensities."
)
_CUT_OFF = (
    "Most of the image is cut off at its darkest or brightest level: its noise was measured on the "
    "rest."
)
_BETWEEN = (
    "Most of the image is cut off, and the rest is full of structure: its noise is taken to be no "
    "stronger than in the flattest parts."
)
SMOOTHED = (
    "The image looks already denoised, blurred or compressed: its noise can't be measured, and "
    "denoising it again may cost detail."
)


def estimate_noise(
    planes: Sequence[FloatArray], correlation: Correlation | None = None
) -> NoiseModel:
    """Fit a noise model to one channel of one or many images; see `fit`.

    Parameters
    ----------
    planes : sequence of ndarray
        Floating-point images of shape (H, W). Non-finite pixels are ignored.
    correlation : Correlation, optional
        Of the noise, if it is known; else it is measured.
    """
    exact = [np.asarray(band, dtype=np.float64) for band in bands(planes)]
    planes = [without_gaps(without_impulses(band)) for band in exact]
    counts = single_photons(exact) or _photon_counts(planes)
    if counts:
        return counts
    few = _few_levels(planes)
    if few:
        return _rough_model(planes, few)
    parts = [without_mask(plane) for plane in planes]
    model = _fit(parts)
    if model.note == _TOO_LITTLE:
        if drawn(planes):
            rough = _rough_model(planes, _NO_NOISE)
            return replace(rough, intercept=_RESOLUTION * rough.intercept, reliable=True)
        model = _cut_model(planes)
    if model.note == _TOO_LITTLE:
        model = _small_model(parts)
    if model.note in (_CUT_OFF, *SMALL):  # too little is left to be seen to be alike
        return replace(model, correlation=correlation or WHITE)
    if correlation is None:
        correlation = _correlation(model, parts)
        if correlation.reach and (on_pattern := _on_pattern(parts)):
            model, correlation = on_pattern, WHITE
    if in_blocks(planes):
        rough = _rough_model(planes, SMOOTHED)
        return replace(rough, points=model.points, correlation=correlation)
    if correlation.smooth and model.reliable:
        model = replace(model, note=SMOOTHED)
    elif correlation.reach and not correlation.smooth:
        model = _fit(parts, spacing=correlation.spacing)
    if model.note == _TOO_LITTLE and any(map(math.isfinite, find_limits(parts))):
        return _strongest(replace(model, note=_BETWEEN), parts)
    model = replace(model, correlation=correlation)
    if model.note in (_NO_LAW, _NO_NOISE, SMOOTHED):
        return _strongest(model, parts)
    return _weaker(model, parts) if model.reliable and model.gain == 0 else model


def _correlation(model: NoiseModel, planes: Sequence[FloatArray]) -> Correlation:
    """Measure the correlation; there is none if the flattest parts, stabilised, have white noise.

    What is left of fine structure in the quietest windows looks like it.
    """
    correlation = measure_correlation([model.stabilise(plane) for plane in planes])
    if not correlation.reach:
        return correlation
    flattest = flattest_noise([model.stabilise(plane) for plane in uncut(planes)])
    return WHITE if flattest.white else correlation


def _on_pattern(planes: Sequence[FloatArray]) -> NoiseModel | None:
    """Return the noise on a pattern that comes back, if there is one, and the noise is white."""
    lags = [(plane, lag) for plane in planes if (lag := period(plane))]
    if not lags:
        return None
    limits = find_limits(planes)
    model = _fit_windows(
        planes, [measure_windows_of_pattern(plane, lag, *limits) for plane, lag in lags]
    )
    if model.points and not model.fitted:  # fine patterns are as bright everywhere
        variance = float(np.median([point.variance for point in model.points]))
        model = replace(model, intercept=variance, reliable=True, note=_ON_PATTERN)
    stable = [noise_left(model.stabilise(plane), lag) for plane, lag in lags]
    white = model.reliable and not measure_correlation(stable).reach
    return model if white else None


def _strongest(model: NoiseModel, planes: Sequence[FloatArray]) -> NoiseModel:
    """Return the strongest Gaussian noise that the flattest parts of an image allow.

    For images that are full of structure, or nearly clean: with no model at all, they would be
    predicted without a look at their own pixels, and lose far more than their noise.
    """
    found = flattest_noise(uncut(planes))
    if math.isnan(found.fine):
        found = flattest_noise(planes)
    rough = _rough_model(planes, model.note)
    variance = max(found.fine, found.whole) if model.note == _NO_LAW else found.fine
    if not math.isnan(variance):
        least = _RESOLUTION * rough.intercept
        rough = replace(rough, intercept=max(variance, least), reliable=True)
    correlation = WHITE if found.white else model.correlation
    return replace(rough, points=model.points, correlation=correlation)


def _weaker(model: NoiseModel, planes: Sequence[FloatArray]) -> NoiseModel:
    """Take Gaussian noise for weaker if it is so where there is least structure."""
    found = flattest_noise(uncut(planes))
    weaker = found.white and found.fine < _WEAKER * model.intercept
    return replace(model, intercept=found.fine) if weaker else model


def uncut(planes: Sequence[FloatArray]) -> list[FloatArray]:
    """Return planes without the pixels at limits: little of their noise is left."""
    low, high = find_limits(planes)
    return [np.where((plane > low) & (plane < high), plane, np.nan) for plane in planes]


def bands(planes: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
    """Return evenly spaced bands of large images, of which all pixels would tell little more."""
    size = sum(plane.size for plane in planes)
    if size <= _ENOUGH:
        return planes
    step = BLOCK * math.ceil(_BAND * size / _ENOUGH / BLOCK)
    starts = [range(0, max(1, len(plane) - _BAND + 1), step) for plane in planes]
    pairs = zip(planes, starts, strict=True)
    return [plane[start : start + _BAND] for plane, tops in pairs for start in tops]


def _photon_counts(planes: Sequence[FloatArray]) -> NoiseModel | None:
    """Return the model of photon counts: noise ends at the lowest level, a photon is one level.

    Many zeros do not mean that anything was cut off there, and each pixel counts by itself.
    """
    low, _ = find_limits(planes)
    if low == -math.inf:
        return None
    model = _fit(planes, counts=True)
    above = min(float(plane[plane > low].min(initial=math.inf)) for plane in planes)
    ends = abs(model.gain * low + model.intercept) < _half_photon(model.gain)
    single = abs(model.gain / (above - low) - 1) < _COUNTS
    return model if model.reliable and ends and single else None


def _few_levels(planes: Sequence[FloatArray]) -> str:
    """Say so where the image has too few grey levels."""
    levels: set[float] = set()
    for plane in planes:
        levels.update(np.unique(plane[np.isfinite(plane)]).tolist())
        if len(levels) > _FEW_LEVELS:
            return ""
    if len(levels) < 2:
        return ""
    return f"The image has only {len(levels)} grey levels, too few to show its noise, {_WITHOUT}"


def _half_photon(gain: float) -> float:
    """Variance of a read noise of half a photon, which hardly matters anywhere."""
    return gain**2 / 4


def _fit(planes: Sequence[FloatArray], spacing: int = 1, counts: bool = False) -> NoiseModel:
    """Fit a noise model with a high-pass filter whose taps are so many pixels apart.

    Only `counts` of photons are measured where many pixels have the lowest level.
    """
    low, high = find_limits(planes)
    low = -math.inf if counts else low
    windows = [measure_windows(plane, spacing, low, high) for plane in planes]
    return _fit_windows(planes, windows, spacing, counts)


def _fit_windows(
    planes: Sequence[FloatArray], windows: Sequence[Windows], spacing: int = 1, counts: bool = False
) -> NoiseModel:
    """Fit a noise model to windows of planes."""
    energies = np.concatenate([each.energy[each.cut == 0] for each in windows])
    if energies.size < _MINIMUM_WINDOWS or not energies.any():
        return _rough_model(planes, _TOO_LITTLE)
    rough = _rough_model(planes, _NO_NOISE)
    if not counts and np.median(energies) <= _RESOLUTION**2 * rough.intercept:
        return rough
    line = fit_line(windows, spacing)
    level = float(line.variance.mean())
    if level <= _RESOLUTION**2 * rough.intercept:
        return rough
    gain, intercept, note = line.gain, line.intercept, GROWS
    if gain * np.ptp(line.signal) < SMALLEST_RISE * level:
        gain, intercept = 0.0, float(np.median(line.variance))
        note = _ONE_BRIGHTNESS if line.narrow else "The noise is the same at all intensities."
    fitted = np.maximum(gain * line.signal + intercept, _RESOLUTION * level)
    deviation = np.abs(line.variance - fitted) / (fitted + _half_photon(gain))
    goodness = 1 - float(np.minimum(deviation, 1).mean())
    model = NoiseModel(gain, intercept, True, line.dark, round(goodness, 3), note)
    if goodness < _POOR or _lifted(model, planes) > _LIFTED * level:
        model = _rough_model(planes, _NO_LAW)
    return replace(model, points=line.points)


def _lifted(model: NoiseModel, planes: Sequence[FloatArray]) -> float:
    """Return the mean square by which pixels lie below all that the transform can tell apart.

    A line that ends above dark parts of the image is not the law of their noise.
    """
    if model.gain <= 0:
        return 0.0
    values = np.concatenate([plane[plane > model.darkest] for plane in planes])
    lowest = -model.intercept / model.gain - 0.375 * model.gain
    return float((np.maximum(lowest - values, 0) ** 2).mean()) if values.size else 0.0


def _cut_model(planes: Sequence[FloatArray]) -> NoiseModel:
    """Return the model where too little is whole: Gaussian noise, if what is cut off shows it.

    Only where hardly anything is cut off at the other end: what lies between is structure.
    """
    low, high = find_limits(planes)
    shares = [sum(np.count_nonzero(plane == level) for plane in planes) for level in (low, high)]
    least, most = sorted(shares)
    if least < _OTHER_END * most:
        sign, level = (1, low) if shares[0] == most else (-1, -high)
        variance = measure_cut_noise([sign * plane for plane in planes], level)
        if not math.isnan(variance):
            rough = _rough_model(planes, _CUT_OFF)
            ends = (low, None) if sign == 1 else (None, high)
            return replace(rough, intercept=variance, reliable=True, limits=ends)
    return _rough_model(planes, _TOO_LITTLE)


def _small_model(planes: Sequence[FloatArray]) -> NoiseModel:
    """Return the rough noise of small images, if nothing is cut off."""
    rough = _rough_model(planes, _TOO_LITTLE)
    line = rough_line(planes)
    if line is None or any(map(math.isfinite, find_limits(planes))):
        return rough
    gain, intercept = line
    return replace(rough, gain=gain, intercept=intercept, reliable=True, note=SMALL[gain > 0])


def _rough_model(planes: Sequence[FloatArray], note: str) -> NoiseModel:
    """Return a stand-in with the variance of the images, for scaling only."""
    values = np.concatenate([plane[np.isfinite(plane)] for plane in planes])
    variance = float(values.var()) if values.size else 0.0
    dark = float(np.quantile(values, _DARK_SHARE)) if values.size else 0.0
    return NoiseModel(0.0, variance if variance > 0 else 1.0, False, dark, 0.0, note)
