"""Images of so few photons that nearly all pixels have seen none: their noise needs no measuring.

Rare events that are independent of each other are Poisson distributed, whatever their rates. What
looks like them is a drawing, whose few bright pixels lie side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import FloatArray
from .model import GROWS, NoiseModel

_FEWEST, _SPARSE = 30, 0.1
"""Pixels that have seen light: at least, and at most of all."""
_WHOLE = 1e-6
_DISPERSION = 0.3
"""How far the variance of the counts over their mean may be from 1, which bright places raise."""
_ALONE = 0.5
"""Share of them that have no other beside."""
_BESIDE = ndimage.generate_binary_structure(2, 1)


def single_photons(planes: Sequence[FloatArray]) -> NoiseModel | None:
    """Return the noise of images of single photons; None if they are no such images.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W); not finite where pixels are missing.
    """
    values = np.concatenate([plane[np.isfinite(plane)] for plane in planes])
    dark = float(values.min(initial=np.inf))
    lit = values[values > dark]
    if not _FEWEST <= lit.size <= _SPARSE * values.size:
        return None
    photon = float(lit.min()) - dark
    counts = (lit - dark) / photon
    dispersion = (counts**2).sum() / counts.sum() - counts.sum() / values.size
    whole = (np.abs(counts - np.rint(counts)) < _WHOLE).all()
    alone = sum(_alone(plane > dark) for plane in planes)
    if not whole or abs(dispersion - 1) > _DISPERSION or alone < _ALONE * lit.size:
        return None
    return NoiseModel(photon, -photon * dark, offset=dark, note=GROWS)


def _alone(lit: NDArray[np.bool_]) -> int:
    """Count the pixels without another one beside."""
    groups, _ = ndimage.label(lit, _BESIDE)
    return int(np.count_nonzero(np.bincount(groups.ravel())[1:] == 1))
