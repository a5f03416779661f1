"""Whether an image was compressed in blocks, as JPEG does: then its noise is none of a camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

from ..arrays import FloatArray
from .robust import MEDIAN_TO_STD

_SMALLEST_SIDE = 64
BLOCK = 8
"""Side of the blocks of JPEG, in pixels."""
_EXCESS, _ERRORS = 0.15, 3.0
"""Of steps between blocks over those beside, at least; and in standard errors of their median."""
_MEDIAN_ERROR = 1.2533
"""Standard error of a median of Gaussian numbers over that of their mean."""
_FREQUENCIES = ((0, 1, 1, 0, 2, 1, 2, 0, 3), (1, 0, 1, 2, 0, 2, 1, 3, 0))
"""Down and across: the lowest but the mean, which are quantised the finest, but seldom to 0."""
_PERIOD = 2
"""Blocks after which a checkerboard of them comes back."""
_STEPS = np.geomspace(0.05, 2, 300)
"""Of quantisation, over the largest of most coefficients."""
_LARGEST, _FEWEST, _ENOUGH = 0.9, 8, 4096
_QUANTISED = 3.5
"""In standard errors; chance alone brings the best of all steps to 2.5."""


def in_blocks(planes: Sequence[FloatArray]) -> bool:
    """Tell whether an image consists of blocks of 8×8 pixels, whose cosines were quantised.

    Steps between such blocks are larger than those beside, as structure differs from place to
    place; and nearly all of them: the edges of a few boxes lie anywhere. Regular patterns may have
    the same, but the noise of a camera takes any value.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W), not finite where pixels are missing. Small ones are left out.
    """
    large = [plane for plane in planes if min(plane.shape) >= _SMALLEST_SIDE]
    if not large:
        return False
    top, left = (_first_block(large, axis) for axis in (0, 1))
    if top is None or left is None:
        return False
    return _quantised([plane[top:, left:] for plane in large])


def _first_block(planes: Sequence[FloatArray], axis: int) -> int | None:
    """Return where blocks begin along an axis; None if there are none."""
    known = [np.where(np.isfinite(plane), plane, np.nan) for plane in planes]
    excesses = [_excess(np.abs(np.diff(plane, axis=axis)), axis) for plane in known]
    found = []
    for phase in range(BLOCK):
        of_phase = np.concatenate([excess[phase::BLOCK] for excess in excesses])
        median = float(np.median(of_phase))
        scatter = MEDIAN_TO_STD * float(np.median(np.abs(of_phase - median)))
        found.append((median, _MEDIAN_ERROR * scatter / np.sqrt(of_phase.size), phase))
    most, error, phase = max(found)
    # the first excess is that of the second step, which leads to the third line
    return (phase + 2) % BLOCK if most > max(_EXCESS, _ERRORS * error) else None


def _excess(steps: FloatArray, axis: int) -> FloatArray:
    """Return by how much the mean step of each line is above those beside, over their mean."""
    line = np.nan_to_num(steps).mean(axis=1 - axis)
    beside = (line[:-2] + line[2:]) / 2
    return np.asarray((line[1:-1] - beside) / np.maximum((line[1:-1] + beside) / 2, 1e-12))


def _quantised(planes: Sequence[FloatArray]) -> bool:
    """Tell whether the cosines of blocks, the first at the origin, are multiples of some steps.

    As their differences are: in these, patterns that come back with the blocks, and would be
    multiples of themselves, cancel out.
    """
    differences = np.abs(np.concatenate([_differences(plane) for plane in planes]))
    some = differences[:: -(-len(differences) // _ENOUGH) or 1]
    return bool(np.median([_comb(values[values > 0]) for values in some.T]) > _QUANTISED)


def _differences(plane: FloatArray) -> FloatArray:
    """Return how cosines of blocks differ two blocks further on, shape (n, frequencies)."""
    down, across = (side // BLOCK for side in plane.shape)
    blocks = plane[: BLOCK * down, : BLOCK * across].reshape(down, BLOCK, across, BLOCK)
    cosines = fft.dctn(blocks, axes=(1, 3), norm="ortho")[:, _FREQUENCIES[0], :, _FREQUENCIES[1]]
    along = [cosines[:, _PERIOD:] - cosines[:, :-_PERIOD]]
    along.append(cosines[:, :, _PERIOD:] - cosines[:, :, :-_PERIOD])
    found = np.concatenate([each.reshape(len(cosines), -1) for each in along], axis=1).T
    return np.asarray(found[np.isfinite(found).all(axis=1)])


def _comb(values: FloatArray) -> float:
    """Return how surely values are multiples of a step, in standard errors of a mean cosine.

    Without those that round to 0: many may be there of themselves.
    """
    if not len(values):
        return 0.0
    most = 0.0
    for step in _STEPS * np.quantile(values, _LARGEST):
        above = values[values > step / 2]
        if above.size >= _FEWEST:
            phases = 2 * np.pi * above / step
            most = max(most, float(np.cos(phases).mean()) * np.sqrt(2 * above.size))
    return most
