"""The classic filters, each with one strength to calibrate.

They work on planes whose noise has variance 1, so that the same strengths suit every image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy import ndimage
from skimage import morphology, restoration

Plane = NDArray[np.float32]

_WAVELET = "db2"
_WAVELET_LEVELS = 4
_SHIFTS = ((0, 0), (1, 2), (2, 1), (3, 3))
"""Rows and columns: the wavelet's own grid would show in the result of one alone."""


@dataclass(frozen=True)
class Classic:
    """A filter and the strengths to try.

    Parameters
    ----------
    name : str
        Key in `CLASSICS`.
    quantity : str
        What the strength is, with its unit; labels the axis of a plot.
    strengths : tuple of float
        From doing next to nothing to smoothing much.
    apply : callable
        Takes a float32 plane of shape (H, W), finite and of noise variance 1, and a strength;
        returns the filtered plane.
    """

    name: str
    quantity: str
    strengths: tuple[float, ...]
    apply: Callable[[Plane, float], NDArray[Any]]


def _gaussian(plane: Plane, sigma: float) -> NDArray[Any]:
    """Local averaging."""
    return np.asarray(ndimage.gaussian_filter(plane, sigma))


def _median(plane: Plane, radius: float) -> NDArray[Any]:
    """Local averaging that keeps edges."""
    return np.asarray(ndimage.median_filter(plane, footprint=morphology.disk(int(radius))))


def _nlm(plane: Plane, cut_off: float) -> NDArray[Any]:
    """Self-similarity: non-local means (Buades et al. 2005)."""
    return np.asarray(
        restoration.denoise_nl_means(plane, patch_size=5, patch_distance=6, h=cut_off)
    )


def _wavelet(plane: Plane, sigma: float) -> NDArray[Any]:
    """Sparsity: BayesShrink (Chang et al. 2000), averaged over shifts of the image."""
    levels = min(_WAVELET_LEVELS, pywt.dwtn_max_level(plane.shape, _WAVELET))
    if levels < 1:  # smaller than the wavelet
        return plane
    shrink = partial(
        restoration.denoise_wavelet,
        sigma=sigma,
        wavelet=_WAVELET,
        wavelet_levels=levels,
        rescale_sigma=False,
    )
    total = np.zeros_like(plane)
    for rows, columns in _SHIFTS:
        shifted = shrink(np.roll(plane, (rows, columns), (0, 1)))
        total += np.roll(shifted, (-rows, -columns), (0, 1))
    return total / len(_SHIFTS)


def _tv(plane: Plane, weight: float) -> NDArray[Any]:
    """Total variation (Chambolle 2004)."""
    return np.asarray(restoration.denoise_tv_chambolle(plane, weight=weight))


_ALL = (
    Classic(
        "gaussian",
        "standard deviation of the blur (pixels)",
        (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0),
        _gaussian,
    ),
    Classic("median", "radius (pixels)", (1, 2, 3, 4, 5), _median),
    Classic(
        "nlm",
        "cut-off distance of patches (noise standard deviations)",
        (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0),
        _nlm,
    ),
    Classic(
        "wavelet",
        "noise taken off (noise standard deviations)",
        (0.3, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0),
        _wavelet,
    ),
    Classic(
        "tv",
        "weight (noise standard deviations)",
        (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0),
        _tv,
    ),
)

CLASSICS: dict[str, Classic] = {classic.name: classic for classic in _ALL}
"""All classics by name; of equal losses, the first wins."""

INSTANT = ("tv",)
"""The methods for a first result at once: the best of the quick ones."""
