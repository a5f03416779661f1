"""How close a denoised image is to a clean one; for benchmarks and the demo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import metrics


def data_range(clean: NDArray[Any]) -> float:
    """Return the range that PSNR and SSIM refer to: 255 for 8-bit images, else max - min."""
    if clean.dtype == np.uint8:
        return 255.0
    return float(clean.max()) - float(clean.min())


def psnr(clean: NDArray[Any], image: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio in dB; NaN if the clean image is constant."""
    error = float(np.mean((clean.astype(np.float64) - image.astype(np.float64)) ** 2))
    span = data_range(clean)
    if span == 0:
        return math.nan
    return 10 * math.log10(span**2 / error) if error else math.inf


def ssim(clean: NDArray[Any], image: NDArray[Any]) -> float:
    """Return the structural similarity (Wang et al. 2004), at most 1."""
    pair = clean.astype(np.float64), image.astype(np.float64)
    return float(metrics.structural_similarity(*pair, data_range=data_range(clean)))
