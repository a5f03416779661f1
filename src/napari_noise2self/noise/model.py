"""How noisy each intensity is: the law of the noise, and the transform that makes it even."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import FloatArray
from .correlation import WHITE, Correlation
from .fit import NoisePoint

SMALLEST_RISE = 0.2
"""Of the variance over all intensities, by which photon noise is recognised."""
GROWS = "The noise grows with the signal."
_LARGEST_DEVIATION = 6.0  # of noise, in standard deviations
_COVERED = (
    "Structure covers the whole image: its noise is taken for white, and no stronger than in the "
    "flattest parts."
)


@dataclass(frozen=True)
class NoiseModel:
    """Poisson-Gaussian noise: the variance at signal x is ``gain * x + intercept``.

    Parameters
    ----------
    gain : float
        Grey levels per detected photon; 0 for purely Gaussian noise, negative in grey levels that
        fall as light grows.
    intercept : float
        Variance at signal 0, in squared grey levels: read variance less gain times offset.
    reliable : bool
        False where there was nothing to measure. Then `intercept` is only a rough variance, used to
        bring the image to a sensible scale.
    offset : float
        Grey level of no light: the darkest level that a sizeable part of the image has. Where
        the image has no dark background it lies above the camera's own offset, and
        `read_variance` above that of the camera.
    goodness : float
        Of the fit, from 0 to 1: one less the mean relative deviation of the noise variance from
        the model, over parts of the image of different brightness. Purely Gaussian noise has one
        too: how constant its variance is. 0 where the model is not reliable, and where structure
        allowed no fit: then it is a Gaussian noise as strong as that of the flattest parts.
    note : str
        One sentence for the user.
    correlation : Correlation
        Of the noise of neighbouring pixels.
    points : tuple of NoisePoint
        To which the line was fitted, from dark to bright, some 30 at most. Where the model is not
        reliable they are those of a fit that was given up; none where there was nothing to fit.
    limits : tuple of float or None
        Grey levels at which most of the image is cut off, with its noise.
    """

    gain: float
    intercept: float
    reliable: bool = True
    offset: float = 0.0
    goodness: float = 1.0
    note: str = ""
    correlation: Correlation = WHITE
    points: tuple[NoisePoint, ...] = ()
    limits: tuple[float | None, float | None] = (None, None)

    @property
    def fitted(self) -> bool:
        """Whether this is what was measured, and no stand-in for it."""
        return self.reliable and self.goodness > 0

    @property
    def falls(self) -> bool:
        """Whether bright parts are less noisy than dark ones, by much."""
        if not self.points:
            return False
        signal, variance, _ = np.transpose(self.points)
        slope = np.polyfit(signal, variance, 1)[0] if np.ptp(signal) > 0 else 0.0
        return bool(-slope * np.ptp(signal) > SMALLEST_RISE * variance.mean())

    @property
    def read_variance(self) -> float:
        """Noise variance without light, in squared grey levels."""
        return max(self.gain * self.offset + self.intercept, 0.0)

    @property
    def darkest(self) -> float:
        """Level below which no pixel can have seen light: it was masked, or is dead."""
        return float(self.darkest_at(np.ones(())))

    def darkest_at(self, factor: FloatArray) -> FloatArray:
        """Return the same where the variance is so many times that of the law.

        The offset lies d above the level x where the variance ends, for some d. Noise of standard
        deviation √(gain·d) reaches from there to no more than 9 gains below x, whatever d may
        be, if it deviates by six times that.
        """
        if self.gain <= 0 or not self.fitted:
            return np.full_like(factor, -math.inf)
        return -self.intercept / self.gain - _LARGEST_DEVIATION**2 / 4 * self.gain * factor

    def variance(self, signal: FloatArray) -> FloatArray:
        """Return the noise variance at each signal, in squared grey levels."""
        return np.maximum(self.gain * np.asarray(signal) + self.intercept, 0.0)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NoiseModel:
        """Make a model from what `dataclasses.asdict` gave, after its way through JSON."""
        correlation = Correlation.from_dict(values["correlation"])
        points = tuple(NoisePoint(*point) for point in values.get("points", ()))
        limits = tuple(values.get("limits", (None, None)))
        return cls(**{**values, "correlation": correlation, "points": points, "limits": limits})

    def stabilise(self, image: FloatArray, factor: FloatArray | float = 1.0) -> FloatArray:
        """Make the noise variance the same at every signal: the generalised Anscombe transform.

        Parameters
        ----------
        image : ndarray
            Grey levels.
        factor : ndarray or float
            Variance of the noise at each pixel over that of the law; that of the result is as
            large.
        """
        if self.gain <= 0:
            return image / math.sqrt(self.intercept)
        squared = self.gain * image + (0.375 * self.gain**2 * factor + self.intercept)
        return np.sqrt(np.maximum(squared, 0)) * (2 / self.gain)

    def weaker(self, factor: float) -> NoiseModel:
        """Return white noise of the same law with this share of the variance: a stand-in."""
        gain, intercept = factor * self.gain, factor * self.intercept
        return replace(
            self, gain=gain, intercept=intercept, goodness=0.0, note=_COVERED, correlation=WHITE
        )

    def stronger(self, factor: float) -> NoiseModel:
        """Return the same law with so many times the variance."""
        points = tuple(point._replace(variance=factor * point.variance) for point in self.points)
        gain, intercept = factor * self.gain, factor * self.intercept
        return replace(self, gain=gain, intercept=intercept, points=points)

    def stretch(self, signal: FloatArray) -> FloatArray:
        """Return by how much variances grow on the way back from the stabilised scale.

        The squared slope of the inverse transform, at each signal. Many photons: the variance.
        """
        return np.asarray(self.variance(signal) + 0.375 * self.gain**2)  # of few photons

    def unstabilise(self, stable: FloatArray, factor: FloatArray | float = 1.0) -> FloatArray:
        """Undo `stabilise` for expectations, without the bias of the algebraic inverse.

        The closed form of the exact unbiased inverse (Mäkitalo & Foi 2013, eq. 10), at gain 1.
        """
        if self.gain <= 0:
            return stable * math.sqrt(self.intercept)
        z = np.maximum(stable / np.sqrt(factor), 2 * math.sqrt(0.375))
        root = math.sqrt(1.5)
        counts = z**2 / 4 + root / (4 * z) - 11 / (8 * z**2) + 5 * root / (8 * z**3) - 0.125
        return self.gain * factor * counts - self.intercept / self.gain
