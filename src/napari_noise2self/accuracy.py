"""How good a result is, estimated without a clean image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .noise import NoiseModel


class ErrorEstimate:
    """Gathers the mean squared errors before and after denoising, plane by plane.

    Before: the noise model's variance at the denoised signal. After: the network's own error
    variance, which is in units of the noise variance in stabilised space and so scales with it.

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

    def add(
        self,
        mean: NDArray[np.float64],
        variance: NDArray[np.float64],
        noise: Sequence[NoiseModel],
    ) -> None:
        """Add a plane: denoised grey levels and error variances, both of shape (C, Y, X)."""
        before = np.stack([model.variance(m) for model, m in zip(noise, mean, strict=True)])
        reliable = all(model.reliable for model in noise)
        self._noise += float(before.sum()) if reliable else math.nan
        self._error += float((variance * before).sum()) if reliable else math.nan
        self._count += mean.size
        self._low, self._high = min(self._low, mean.min()), max(self._high, mean.max())

    def figures(self) -> dict[str, float | None]:
        """Return the estimated PSNRs in dB, None where they are not known."""
        return {
            "estimated_psnr_before": self._psnr(self._noise),
            "estimated_psnr": self._psnr(self._error),
        }

    def _psnr(self, total: float) -> float | None:
        span = self._full_range or self._high - self._low
        if not (total > 0 and span > 0):
            return None
        return round(10 * math.log10(span**2 * self._count / total), 2)
