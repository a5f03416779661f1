"""Noise that differs from place to place, beyond what brightness explains.

It does where uneven light was corrected, and weak light amplified with its noise; where tiles of
different exposure were stitched; where contrast was made even. Its variance is then taken for that
of one law, times a factor of the place. Law and factors are fitted in turn to the same windows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import FloatArray
from .estimate import SMOOTHED
from .fit import fit_line
from .limits import find_limits
from .model import SMALLEST_RISE, NoiseModel
from .windows import (
    Windows,
    by_brightness,
    flattest,
    joined,
    leaked,
    measure_windows,
    most_leaked,
    noise_energies,
)

_BLOCK, _BAND = 32, 1024  # side, and rows, in pixels
_FEWEST_BLOCKS, _FEWEST_WINDOWS = 4, 20  # of a plane, and of a block
_PHOTONS = 1.0  # with fewer, noise is hardly known
_MOST_CUT = 0.01  # of the pixels of windows as bright: little is left of their noise
_SHOWN = 0.5  # of the blocks with enough windows: so many must show noise alone
_DIFFERENT = 0.3
"""Standard deviation of the logarithm of the factors, at least; by chance it is 0.1 to 0.2."""
_MOST = math.log(64)
"""Either way: weaker noise than that is none."""
_ROUNDS, _STEADY = 8, 0.03
_LOCAL = 3.0  # pixels: what is smoother is brightness


def find_places(planes: Sequence[FloatArray], noise: NoiseModel) -> list[FloatArray] | None:
    """Return how strong the noise of planes is at each place; None if it follows one law.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W); what is not finite is missing.
    noise : NoiseModel
        As it was found for all places. Asked only how far its neighbours are alike, and whether it
        was found on windows.

    Returns
    -------
    list of ndarray, optional
        Standard deviation of the noise over that of one law, in the shapes of the planes.
    """
    if not noise.points or noise.limits != (None, None) or noise.note == SMOOTHED:
        return None
    spacing, limits = noise.correlation.spacing, find_limits(planes)
    blocks = [_Blocks.of(plane, spacing, *limits) for plane in planes]
    factors = [np.zeros(each.grid) for each in blocks]
    for _ in range(_ROUNDS):
        law = _law([each.evened(old) for each, old in zip(blocks, factors, strict=True)], spacing)
        if law is None:
            return None
        found, enough = zip(*(each.factors(law, spacing) for each in blocks), strict=True)
        shown = np.concatenate([each[np.isfinite(each)] for each in found])
        if shown.size < max(_FEWEST_BLOCKS, _SHOWN * sum(enough)) or shown.std() < _DIFFERENT:
            return None
        before, factors = factors, [_filled(each - np.median(shown)) for each in found]
        if all(np.abs(new - old).max() < _STEADY for old, new in zip(before, factors, strict=True)):
            break
    return [each.strength(these) for each, these in zip(blocks, factors, strict=True)]


def measure_places(plane: FloatArray, law: NoiseModel) -> FloatArray:
    """Return how strong the noise of one plane (H, W) is at each place, given its law."""
    spacing = law.correlation.spacing
    blocks = _Blocks.of(plane, spacing, *find_limits([plane]))
    factors, _ = blocks.factors(law, spacing)
    return blocks.strength(_filled(factors))


def evened(plane: FloatArray, strength: FloatArray) -> FloatArray:
    """Return a plane with noise that follows one law: what is not smooth, divided by its strength.

    What was cut off is still the lowest, or the highest, of all.
    """
    present = np.isfinite(plane)
    weight = ndimage.gaussian_filter(present.astype(np.float64), _LOCAL)
    mean = ndimage.gaussian_filter(np.where(present, plane, 0.0), _LOCAL)
    mean = np.divide(mean, weight, out=np.zeros_like(mean), where=present)
    even = mean + (plane - mean) / strength
    low, high = find_limits([plane])
    for cut, end in ((plane <= low, np.min), (plane >= high, np.max)):
        if cut.any():
            even[cut] = end(even[present])
    return np.asarray(even)


def _law(windows: Sequence[Windows], spacing: int) -> NoiseModel | None:
    """Return the law of the noise in windows, if there is any noise."""
    if sum(each.energy.size for each in windows) < _FEWEST_BLOCKS * _FEWEST_WINDOWS:
        return None
    line = fit_line(windows, spacing)
    level = float(line.variance.mean())
    if not level > 0:
        return None
    if line.gain * np.ptp(line.signal) < SMALLEST_RISE * level:
        return NoiseModel(0.0, float(np.median(line.variance)))
    return NoiseModel(line.gain, line.intercept)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """A plane, cut into blocks: what was measured in windows of each.

    Parameters
    ----------
    windows : Windows
        Of a brightness of which hardly any pixel was cut off.
    shape : tuple of int
        Of the plane.
    """

    windows: Windows
    shape: tuple[int, int]

    @classmethod
    def of(cls, plane: FloatArray, spacing: int, low: float, high: float) -> _Blocks:
        """Measure the windows of a plane, band by band, as that takes a lot of memory."""
        bands = []
        for top in range(0, len(plane), _BAND):
            found = measure_windows(plane[top : top + _BAND], spacing, low, high)
            bands.append(replace(found, row=found.row + top))
        windows = joined(bands)
        whole = np.zeros(windows.cut.size, dtype=bool)
        for group in by_brightness(windows.around):
            whole[group] = windows.cut[group].sum() < _MOST_CUT * group.size
        return cls(windows.where(whole & (windows.cut == 0)), (plane.shape[0], plane.shape[1]))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        height, width = (max(1, round(extent / _BLOCK)) for extent in self.shape)
        return height, width

    def factors(self, law: NoiseModel, spacing: int) -> tuple[FloatArray, int]:
        """Return the logarithm of the variance in each block over that of a law.

        NaN where too few windows are bright enough, or structure may add to their energy. Returned
        as well is how many blocks have enough windows.
        """
        usual = self._variance(law)
        windows = replace(self.windows, slope=self.windows.slope / usual)
        members = self._members(usual >= _PHOTONS * law.gain**2)
        medians = np.full((3, len(members)), np.nan)
        for number, chosen in enumerate(members):
            if chosen.size >= _FEWEST_WINDOWS:
                flat = flattest(windows, chosen)
                energies = (windows.energy, windows.coarse, windows.coarser)
                medians[:, number] = [np.median(each[flat] / usual[flat]) for each in energies]
        enough = int(np.isfinite(medians[0]).sum())
        if enough:
            leaks = leaked(*medians)
            medians[:, ~(leaks <= most_leaked(leaks)) | (medians[0] <= 0)] = np.nan
        return np.log(medians[0] / noise_energies(spacing)[2]).reshape(self.grid), enough

    def evened(self, factors: FloatArray) -> Windows:
        """Return the windows as if their noise were the same at all places."""
        row, column = (each.astype(np.intp) for each in (self.windows.row, self.windows.column))
        factor = self.strength(factors)[row, column] ** 2
        names = ("energy", "coarse", "coarser", "slope")
        return replace(
            self.windows, **{name: getattr(self.windows, name) / factor for name in names}
        )

    def strength(self, factors: FloatArray) -> FloatArray:
        """Return the standard deviation at each pixel, in the shape of the plane."""
        down, across = map(_between_blocks, self.shape, self.grid)
        return np.exp(down @ factors @ across.T / 2)

    def _variance(self, law: NoiseModel) -> FloatArray:
        """Return the variance that a law gives each window: no less than half a photon's."""
        least = max(law.gain**2 / 4, np.finfo(np.float64).tiny)
        return np.maximum(law.variance(self.windows.around), least)

    def _members(self, chosen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
        """Return which of the chosen windows are of each block."""
        windows, (rows, columns), (height, width) = self.windows, self.grid, self.shape
        row, column = windows.row * rows // height, windows.column * columns // width
        block = np.where(chosen, row * columns + column, -1)
        order = np.argsort(block, kind="stable")
        edges = np.searchsorted(block[order], np.arange(rows * columns + 1))
        return [order[first:last] for first, last in pairwise(edges)]


def _filled(factors: FloatArray) -> FloatArray:
    """Return factors, limited, of all blocks: like those nearby of the ones that tell nothing."""
    known = np.isfinite(factors)
    if not known.any():
        return np.zeros_like(factors)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(np.clip(factors[tuple(nearest)], -_MOST, _MOST))


def _between_blocks(extent: int, blocks: int) -> FloatArray:
    """Return the weight of each block at each pixel along one axis, shape (extent, blocks)."""
    centres = (np.arange(blocks) + 0.5) * (extent / blocks) - 0.5
    return np.stack([np.interp(np.arange(extent), centres, unit) for unit in np.eye(blocks)], 1)
