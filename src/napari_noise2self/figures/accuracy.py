"""How good a result is, estimated without a clean image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from ..noise.model import NoiseModel


@dataclass(frozen=True, eq=False)
class PlanePrediction:
    """A denoised plane with what is believed of it; arrays of shape (C, Y, X).

    Parameters
    ----------
    mean : ndarray
        Denoised grey levels.
    error : ndarray
        Variance of the error that remains, on the stabilised scale.
    noise : ndarray
        Variance of the noise over what the noise model says; 0 where it is not known.
    present : ndarray
        bool: pixels that have a value in the noisy image. The others don't count.
    lines_taken, lines_left : float
        Variance in grey levels of the line noise that was taken away first, and that was not.
    """

    mean: FloatArray
    error: FloatArray
    noise: FloatArray
    present: NDArray[np.bool_]
    lines_taken: float = 0.0
    lines_left: float = 0.0


class ErrorEstimate:
    """Gathers the mean squared errors before and after denoising, plane by plane.

    Before: the variance of the noise. After: the error that `Predictor.predict` expects, which is
    known on the stabilised scale; `NoiseModel.stretch` leads from there to grey levels. Both with
    their line noise.

    The range of the clean image is that of the denoised one, but its lowest and highest pixels owe
    something to their errors: they are taken for a standard deviation of these less extreme.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the noisy image.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._full_range = 255.0 if dtype == np.uint8 else None
        self._low, self._high = math.inf, -math.inf
        self._noise = self._error = 0.0
        self._count = 0
        self._known = True

    def add(self, plane: PlanePrediction, models: Sequence[NoiseModel]) -> None:
        """Add a plane, with the noise model in grey levels of each of its channels."""
        pairs = list(zip(models, plane.mean, strict=True))
        noise = plane.noise * np.stack([model.variance(mean) for model, mean in pairs])
        error = plane.error * np.stack([model.stretch(mean) for model, mean in pairs])
        deviation = np.sqrt(error)
        error += plane.lines_left
        noise += plane.lines_taken + plane.lines_left
        self._noise += float(noise.sum(where=plane.present))
        self._error += float(error.sum(where=plane.present))
        self._known &= all(model.fitted for model in models)
        self._known &= bool(plane.noise.any(axis=(1, 2)).all())
        self._count += int(plane.present.sum())
        low = (plane.mean + deviation).min(where=plane.present, initial=math.inf)
        high = (plane.mean - deviation).max(where=plane.present, initial=-math.inf)
        self._low, self._high = min(self._low, float(low)), max(self._high, float(high))

    def figures(self) -> dict[str, float | None]:
        """Return the estimated PSNRs in dB; None if the noise of any channel follows no model."""
        return {
            "estimated_psnr_before": self._psnr(self._noise),
            "estimated_psnr": self._psnr(self._error),
        }

    def _psnr(self, total: float) -> float | None:
        span = self._full_range or self._high - self._low
        if not (self._known and total > 0 and span > 0):
            return None
        return round(10 * math.log10(span**2 * self._count / total), 2)
