"""Whether an image was compressed in blocks, as JPEG does: then its noise is none of a camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import FloatArray
from .robust import MEDIAN_TO_STD

_SMALLEST_SIDE = 64
BLOCK = 8
"""Side of the blocks of JPEG, in pixels."""
_EXCESS, _ERRORS = 0.15, 3.0
"""Of steps between blocks over those beside, at least; and in standard errors of their median."""
_MEDIAN_ERROR = 1.2533
"""Standard error of a median of Gaussian numbers over that of their mean."""


def in_blocks(planes: Sequence[FloatArray]) -> bool:
    """Tell whether steps are larger at every eighth pixel both ways than at the pixels beside.

    Against those beside, as structure differs from place to place; and at nearly all of them: the
    edges of a few boxes lie anywhere.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W), not finite where pixels are missing. Small ones are left out.
    """
    large = [plane for plane in planes if min(plane.shape) >= _SMALLEST_SIDE]
    return bool(large) and all(_larger_between_blocks(large, axis) for axis in (0, 1))


def _larger_between_blocks(planes: Sequence[FloatArray], axis: int) -> bool:
    """Tell the same along one axis."""
    known = [np.where(np.isfinite(plane), plane, np.nan) for plane in planes]
    excesses = [_excess(np.abs(np.diff(plane, axis=axis)), axis) for plane in known]
    found = []
    for phase in range(BLOCK):
        of_phase = np.concatenate([excess[phase::BLOCK] for excess in excesses])
        median = float(np.median(of_phase))
        scatter = MEDIAN_TO_STD * float(np.median(np.abs(of_phase - median)))
        found.append((median, _MEDIAN_ERROR * scatter / np.sqrt(of_phase.size)))
    most, error = max(found)
    return bool(most > max(_EXCESS, _ERRORS * error))


def _excess(steps: FloatArray, axis: int) -> FloatArray:
    """Return by how much the mean step of each line is above those beside, over their mean."""
    line = np.nan_to_num(steps).mean(axis=1 - axis)
    beside = (line[:-2] + line[2:]) / 2
    return np.asarray((line[1:-1] - beside) / np.maximum((line[1:-1] + beside) / 2, 1e-12))
