"""How noisy each intensity is, read off the image itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .correlation import WHITE, Correlation, measure_correlation

FloatArray = NDArray[np.float64]

_WINDOW = 7
_BINS = 24
_QUIET_SHARE = 0.35
_MINIMUM_WINDOWS = 400
_RESOLUTION = 1e-6  # of float32, relative to the image's standard deviation


@dataclass(frozen=True)
class NoiseModel:
    """Poisson-Gaussian noise: the variance at signal x is ``gain * x + intercept``.

    Parameters
    ----------
    gain : float
        Grey levels per detected photon; 0 for purely Gaussian noise.
    intercept : float
        Variance at signal 0, in squared grey levels: read variance less gain times offset.
    reliable : bool
        False where the image did not allow a trustworthy fit. Then `intercept` is only a rough
        variance, used to bring the image to a sensible scale.
    note : str
        One sentence for the user.
    correlation : Correlation
        Of the noise of neighbouring pixels.
    """

    gain: float
    intercept: float
    reliable: bool = True
    note: str = ""
    correlation: Correlation = WHITE

    def variance(self, signal: FloatArray) -> FloatArray:
        """Return the noise variance at each signal, in squared grey levels."""
        return np.maximum(self.gain * np.asarray(signal) + self.intercept, 0.0)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NoiseModel:
        """Make a model from what `dataclasses.asdict` gave, after its way through JSON."""
        return cls(**{**values, "correlation": Correlation.from_dict(values["correlation"])})

    def stabilise(self, image: FloatArray) -> FloatArray:
        """Make the noise variance 1 at every signal: the generalised Anscombe transform."""
        if self.gain <= 0:
            return image / math.sqrt(self.intercept)
        squared = self.gain * image + (0.375 * self.gain**2 + self.intercept)
        return np.sqrt(np.maximum(squared, 0)) * (2 / self.gain)

    def unstabilise(self, stable: FloatArray) -> FloatArray:
        """Undo `stabilise` for expectations, without the bias of the algebraic inverse.

        The closed form of the exact unbiased inverse (Mäkitalo & Foi 2013, eq. 10), at gain 1.
        """
        if self.gain <= 0:
            return stable * math.sqrt(self.intercept)
        z = np.maximum(stable, 2 * math.sqrt(0.375))
        root = math.sqrt(1.5)
        counts = z**2 / 4 + root / (4 * z) - 11 / (8 * z**2) + 5 * root / (8 * z**3) - 0.125
        return self.gain * counts - self.intercept / self.gain


def estimate_noise(planes: Sequence[FloatArray]) -> NoiseModel:
    """Fit a noise model to one channel of one or many images.

    A high-pass filter removes what is smooth. Windows of similar mean are compared with each
    other; the quietest of them hold noise alone, and show its variance at that mean. A line
    through variance against mean gives the model (the idea of Foi et al. 2008, made robust by
    using only quiet windows).

    Parameters
    ----------
    planes : sequence of ndarray
        Floating-point images of shape (H, W). Non-finite pixels are ignored.
    """
    model = _fit(planes, spacing=1)
    correlation = measure_correlation([model.stabilise(plane) for plane in planes])
    if correlation.reach:
        model = _fit(planes, spacing=correlation.reach + 1)
    return replace(model, correlation=correlation)


def _fit(planes: Sequence[FloatArray], spacing: int) -> NoiseModel:
    """Fit a noise model with a high-pass filter whose taps are so many pixels apart.

    The filter's response to noise is known only if the noise at its taps is independent.
    """
    samples = [_windows(np.asarray(plane, dtype=np.float64), spacing) for plane in planes]
    means, energies = (np.concatenate(part) for part in zip(*samples, strict=True))
    if means.size < _MINIMUM_WINDOWS or not np.any(energies > 0):
        return _rough_model(planes, "The image is too small or too flat to measure its noise.")
    signal, variance, weights = _quiet_bins(means, energies)
    gain, intercept = _robust_line(signal, variance, weights)
    level = float(np.average(variance, weights=weights))
    rough = _rough_model(planes, "No noise was found.")
    if level <= _RESOLUTION**2 * rough.intercept:
        return rough
    if gain * np.ptp(signal) < 0.2 * level:
        return NoiseModel(0.0, level, note="The noise is the same at all intensities.")
    if np.median(gain * signal + intercept) <= 0:
        return _rough_model(planes, "The noise does not grow with the signal in a known way.")
    return NoiseModel(gain, intercept, note="The noise grows with the signal.")


def _windows(plane: FloatArray, spacing: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return mean and high-pass energy (noise variance where flat) of windows of a plane."""
    if min(plane.shape) < _WINDOW + 2 * spacing:
        return np.empty(0), np.empty(0)
    finite = np.isfinite(plane)
    plane = np.where(finite, plane, 0.0)
    second = np.zeros(2 * spacing + 1)
    second[::spacing] = 1.0, -2.0, 1.0
    kernel = np.outer(second, second) / 6.0
    clipped = _clipped(plane) | ~finite
    bad = ndimage.maximum_filter(clipped, size=_WINDOW + 2 * spacing)
    energy = ndimage.uniform_filter(ndimage.convolve(plane, kernel) ** 2, _WINDOW)
    mean = ndimage.uniform_filter(plane, _WINDOW)
    margin = _WINDOW // 2 + spacing
    inside = slice(margin, -margin, 3)
    good = ~bad[inside, inside]
    return mean[inside, inside][good], energy[inside, inside][good]


def _clipped(plane: FloatArray) -> NDArray[np.bool_]:
    """Mark pixels piled up at the lowest or highest value, whose noise has been cut off."""
    clipped = np.zeros(plane.shape, dtype=bool)
    low, high = plane.min(), plane.max()
    for value in (low, high):
        at_limit = plane == value
        if at_limit.mean() > 0.002:
            clipped |= at_limit
    return clipped


def _quiet_bins(
    means: FloatArray, energies: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean signal, noise variance and weight of bins of windows of similar mean."""
    order = np.argsort(means)
    bins = np.array_split(order, min(_BINS, means.size // 50))
    expected = _quiet_expectation()
    signal, variance = [], []
    for chosen in bins:
        quiet = chosen[np.argsort(energies[chosen])[: max(1, round(_QUIET_SHARE * chosen.size))]]
        signal.append(means[quiet].mean())
        variance.append(energies[quiet].mean() / expected)
    counts = np.array([len(chosen) for chosen in bins], dtype=float)
    return np.array(signal), np.array(variance), counts


def _quiet_expectation() -> float:
    """Return the mean energy of the quietest windows of white noise of variance 1."""
    white = np.random.default_rng(0).standard_normal((512, 512))
    _, energies = _windows(white)
    energies.sort()
    return float(energies[: round(_QUIET_SHARE * energies.size)].mean())


def _robust_line(
    signal: FloatArray, variance: FloatArray, weights: FloatArray
) -> tuple[float, float]:
    """Fit variance = gain * signal + intercept, with relative errors and outliers in mind."""
    robust = np.ones_like(signal)
    gain, intercept = 0.0, float(np.median(variance))
    for _ in range(8):
        fitted = np.maximum(gain * signal + intercept, 0.05 * np.median(variance) + 1e-12)
        strength = np.sqrt(weights * robust) / fitted
        design = np.stack([signal, np.ones_like(signal)], axis=1) * strength[:, None]
        (gain, intercept), *_ = np.linalg.lstsq(design, variance * strength, rcond=None)
        relative = (variance - (gain * signal + intercept)) / fitted
        spread = 1.4826 * np.median(np.abs(relative)) + 1e-6
        robust = 1.0 / (1.0 + (relative / (2.0 * spread)) ** 2)
    return float(gain), float(intercept)


def _rough_model(planes: Sequence[FloatArray], note: str) -> NoiseModel:
    """Return a stand-in with the variance of the images, for scaling only."""
    values = np.concatenate([np.ravel(plane)[np.isfinite(np.ravel(plane))] for plane in planes])
    variance = float(np.var(values, dtype=np.float64)) if values.size else 0.0
    return NoiseModel(0.0, variance if variance > 0 else 1.0, reliable=False, note=note)
