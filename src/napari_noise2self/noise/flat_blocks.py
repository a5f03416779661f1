"""The variance of the noise from the flattest parts of an image, at each brightness or in all.

In small blocks, the coefficients of the discrete cosine transform tell structure, which is in the
low frequencies, from noise, which is in all. White noise at high frequencies is independent of that
at low ones, so blocks that are chosen because they have little structure have no less noise (after
Ponomarenko et al. 2007, "An automatic approach to lossy compression of AVIRIS images").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..arrays import FloatArray

Moments = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_SIDE, _FRAME = 8, 2
_FREQUENCY = np.add.outer(np.arange(_SIDE), np.arange(_SIDE))
_NOISE = _FREQUENCY >= 9  # the 21 coefficients of the highest frequencies, and
_STRUCTURE = (_FREQUENCY >= 1) & (_FREQUENCY <= 6)  # the 27 of the lowest, but the mean
_SMALLEST_STEP, _MOST_BLOCKS = 3, 40_000
_FLATTEST = 0.1
_FEWEST_BLOCKS = 100  # of a brightness
_FLATTEST_OF_ALL, _FEWEST_OF_ALL = 0.03, 20
_LOWEST = (_FREQUENCY >= 1) & (_FREQUENCY <= 4)
_MIDDLE = (_FREQUENCY >= 5) & (_FREQUENCY <= 8)
_HIGHEST = _FREQUENCY >= 10
_WHITE = 1.2  # as much energy at middle frequencies as at the highest


def flat_noise(planes: Sequence[FloatArray], assumed: Moments, edges: FloatArray) -> FloatArray:
    """Measure the noise variance at each brightness, over the assumed one.

    Parameters
    ----------
    planes : sequence of ndarray
        Stabilised images of shape (H, W); blocks with non-finite pixels are left out.
    assumed : callable
        Returns the assumed variance of the noise, and its excess kurtosis, at expectations of
        shape (n,).
    edges : ndarray
        Between the groups of brightness, ascending, shape (groups - 1,).

    Returns
    -------
    ndarray
        Shape (groups,): true noise variance over assumed, NaN where there are too few blocks.
    """
    framed = _blocks(planes, _SIDE + 2 * _FRAME)
    factors = np.full(len(edges) + 1, np.nan)
    if not len(framed):
        return factors
    blocks = framed[:, _FRAME:-_FRAME, _FRAME:-_FRAME]
    variance, kurtosis = assumed(blocks.mean(axis=(1, 2)))
    energy = _energies(blocks) / variance[:, None, None]
    noise, structure = (energy[:, part].mean(axis=1) for part in (_NOISE, _STRUCTURE))
    # noise of few photons is skewed: by their own mean alone, blocks which are dim by chance would
    # have more of it
    group = np.searchsorted(edges, framed.mean(axis=(1, 2)))
    for number in range(len(factors)):
        here = group == number
        if here.sum() >= _FEWEST_BLOCKS:
            flat = structure[here] <= np.quantile(structure[here], _FLATTEST)
            factors[number] = _without_choice(
                noise[here][flat], structure[here][flat], kurtosis[here][flat]
            )
    return factors


def _without_choice(noise: FloatArray, structure: FloatArray, kurtosis: FloatArray) -> float:
    """Return the energy of the noise as it would be, had its blocks not been chosen.

    Low and high frequencies of noise that is not Gaussian are uncorrelated, but not independent:
    the energies at two frequencies covary by the excess kurtosis over the number of pixels. So
    blocks with little energy at the low ones have less noise at the high ones, too; this
    undoes the line by which the one follows the other.
    """
    together = float(kurtosis.mean()) / _SIDE**2
    slope = together / (2 / np.count_nonzero(_STRUCTURE) + together)
    high, low = float(noise.mean()), float(structure.mean())
    return (high - slope * min(low, high)) / (1 - slope)  # what is above noise is structure


class FlattestNoise(NamedTuple):
    """Variance of the noise where there is least structure; NaN where too little is known.

    Parameters
    ----------
    fine : float
        From high frequencies alone: that of white noise.
    whole : float
        From all: that of correlated noise, too, but also of slopes.
    white : bool
        Whether middle frequencies have as much energy as the highest, where the lowest have least.
        Noise that neighbours share is everywhere, and has more of it at lower frequencies; noise
        that was sharpened has less.
    """

    fine: float
    whole: float
    white: bool


def flattest_noise(planes: Sequence[FloatArray]) -> FlattestNoise:
    """Measure the noise where there is least structure, for an image that is full of it.

    Structure that is left there counts as noise, so this is the most that noise can be, if it is
    as strong everywhere.

    Parameters
    ----------
    planes : sequence of ndarray
        Images of shape (H, W); blocks with non-finite pixels are left out.
    """
    blocks = _blocks(planes, _SIDE)
    blocks = blocks[np.ptp(blocks, axis=(1, 2)) > 0]  # what is cut off or masked has no noise
    if len(blocks) < _FEWEST_BLOCKS:
        return FlattestNoise(math.nan, math.nan, False)
    energy = _energies(blocks)
    flat = _with_least(energy, _STRUCTURE)
    fine, whole = (float(flat[:, part].mean()) for part in (_NOISE, _FREQUENCY > 0))
    flat = _with_least(energy, _LOWEST)
    middle, highest = (float(flat[:, part].mean()) for part in (_MIDDLE, _HIGHEST))
    white = middle <= _WHITE * highest and highest <= _WHITE * middle
    return FlattestNoise(fine, whole, white)


def _with_least(energy: FloatArray, frequencies: NDArray[np.bool_]) -> FloatArray:
    """Return the energies of the blocks that have least at some frequencies."""
    count = max(_FEWEST_OF_ALL, round(_FLATTEST_OF_ALL * len(energy)))
    return energy[np.argsort(energy[:, frequencies].mean(axis=1))[:count]]


def _blocks(planes: Sequence[FloatArray], side: int) -> FloatArray:
    """Return blocks of all planes that are whole, evenly spaced, shape (n, side, side)."""
    area = sum(plane.size for plane in planes)
    step = max(_SMALLEST_STEP, math.ceil(math.sqrt(area / _MOST_BLOCKS)))
    return np.concatenate([_blocks_of(plane, side, step) for plane in planes])


def _energies(blocks: FloatArray) -> FloatArray:
    """Return the energy of each block at each frequency, in the shape of the blocks."""
    return np.asarray(fft.dctn(blocks, axes=(1, 2), norm="ortho") ** 2)


def _blocks_of(plane: FloatArray, side: int, step: int) -> FloatArray:
    if min(plane.shape) < side:
        return np.empty((0, side, side))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (side, side))[::step, ::step]
    blocks = windows.reshape(-1, side, side)
    return np.asarray(blocks[np.isfinite(blocks).all(axis=(1, 2))])
