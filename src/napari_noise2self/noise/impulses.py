"""Impulse noise: many pixels anywhere that tell nothing of their light, such as salt and pepper.

A single such pixel is known by its neighbours, which are unlike it (see `outliers`). Where they are
many, some touch. As they lie anywhere, so many of them make only so many pairs, triples and so on
by chance, as in percolation theory; groups of a size that is much more frequent are structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import FloatArray
from ..axes import fullest
from .robust import MEDIAN_TO_STD

Mask = NDArray[np.bool_]

_SIDE = 5
"""Of the square whose median is compared with a pixel."""
STANDS_OUT, _AMONG_MANY = 8.0, 5.0
"""Standard deviations of the noise; less is enough where impulses are frequent."""
LARGEST_NEIGHBOUR, NOISE = 0.05, 2.5
"""Of the height of what stands out, what pixels around it may have of it; and that much noise. Even
a point half a pixel wide (standard deviation) gives its four neighbours 0.14."""
_TOUCHING = np.ones((3, 3), bool)
_SHAPES = np.array([1, 4, 20, 110, 638, 3832, 23592])
"""Of groups of 1, 2, ... touching pixels: fixed polyplets."""
_AROUND = np.array([8, 11, 13.5, 16, 18.5, 21, 23.5])
"""Pixels around such a group, about."""
_DENSEST = 1 / (1 + _AROUND[0])
"""Where impulses are more frequent, fewer of them are alone again."""
_OFTEN = 3.0
"""Times as frequent as by chance, and not too often yet."""
_FREQUENT, _FEWEST = 5e-4, 20
"""Share and number of impulses that are alone, for there to be impulse noise."""
_ONE_SIGN, _ONE_VALUE = 0.75, 0.5
"""Shares of them: photons, too, hit single pixels, but only brighten them, each differently."""
_ROUNDS = 50
_GROUPS = 16
_LOOK = 256
"""Side of the part that is looked at first: 60 ms."""


def without_impulses(plane: FloatArray) -> FloatArray:
    """Return an image with NaN where it has impulse noise, before anything is known of its noise.

    Impulses must be dark as well as bright, or mostly of one value: in a faint image, single
    photons are all there is.

    Parameters
    ----------
    plane : ndarray
        Shape (H, W); NaN where pixels are missing.
    """
    part = plane[fullest(np.isfinite(plane), _LOOK)]
    groups = _Groups.of(_height(part))
    if not (groups.frequent and groups.like_no_photons(part)):
        return plane
    return np.where(_find(_height(plane)), np.nan, plane)


def find_impulses(plane: FloatArray, std: FloatArray) -> Mask:
    """Find impulses, single and touching ones, in an image whose noise is known.

    Parameters
    ----------
    plane : ndarray
        Shape (H, W); NaN where pixels are missing.
    std : ndarray
        Standard deviation of the noise, of the same shape; positive.

    Returns
    -------
    ndarray
        bool of the same shape; False everywhere if impulses are rare.
    """
    return _find(_height(plane, std))


def are_frequent(single: int, pixels: int) -> bool:
    """Tell whether so many single ones of all pixels are impulse noise."""
    return single >= max(_FEWEST, _FREQUENT * pixels)


def _find(height: FloatArray) -> Mask:
    """Return which pixels are impulses; see `_height`."""
    if not _Groups.of(height).frequent:
        return np.zeros(height.shape, bool)
    groups = _Groups.of(height, _AMONG_MANY)
    return np.asarray(np.isin(groups.sizes, groups.sizes_by_chance)[groups.labels])


@dataclass(frozen=True, eq=False)
class _Groups:
    """Touching pixels that are far from the median around them.

    Parameters
    ----------
    labels : ndarray
        int of shape (H, W): the number of the group of each pixel, 0 for those in none.
    sizes : ndarray
        Number of pixels of each group; 0 for those with more of their kind around them.
    bright : ndarray
        bool of shape (H, W): whether a pixel is brighter than that median.
    """

    labels: NDArray[np.int32]
    sizes: NDArray[np.intp]
    bright: Mask

    @classmethod
    def of(cls, height: FloatArray, stands_out: float = STANDS_OUT) -> Self:
        """Find the groups of an image; see `_height`."""
        far = np.abs(height) > stands_out
        labels, _ = ndimage.label(far, _TOUCHING)
        above, below = (
            ndimage.maximum_filter(np.where(far, -np.inf, sign * height), footprint=_TOUCHING)
            for sign in (1, -1)
        )
        like = np.where(height > 0, above, below)
        in_structure = far & (like > LARGEST_NEIGHBOUR * np.abs(height) + NOISE)
        sizes = np.bincount(labels.ravel())
        sizes[np.unique(labels[in_structure])] = 0
        sizes[0] = 0
        return cls(labels, sizes, height > 0)

    @property
    def single(self) -> Mask:
        """Which pixels are groups of their own."""
        return np.asarray((self.sizes == 1)[self.labels])

    @property
    def frequent(self) -> bool:
        """Whether there is impulse noise."""
        return are_frequent(int(np.count_nonzero(self.sizes == 1)), self.labels.size)

    @property
    def sizes_by_chance(self) -> list[int]:
        """The sizes of groups that are about as frequent as chance makes them."""
        pixels = self.labels.size
        counts = np.bincount(self.sizes, minlength=1 + len(_SHAPES))[1 : 1 + len(_SHAPES)]
        density = 0.0
        for _ in range(_ROUNDS):  # until so many are alone
            density = min(counts[0] / pixels / (1 - density) ** _AROUND[0], _DENSEST)
        powers = np.arange(1, 1 + len(_SHAPES))
        expected = pixels * _SHAPES * density**powers * (1 - density) ** _AROUND
        usual = counts <= np.maximum(_OFTEN * expected, 1)
        return [1, *takewhile(lambda size: usual[size - 1], range(2, 1 + len(_SHAPES)))]

    def like_no_photons(self, plane: FloatArray) -> bool:
        """Tell whether single ones are dark as often as bright, or mostly of one value."""
        bright = float(self.bright[self.single].mean())
        _, counts = np.unique(plane[self.single], return_counts=True)
        most = counts.max() / counts.sum()
        return bool(1 - _ONE_SIGN < bright < _ONE_SIGN or most > _ONE_VALUE)


def _height(plane: FloatArray, std: FloatArray | None = None) -> FloatArray:
    """Return how far pixels are above the median around them, in standard deviations of the noise.

    0 where they are missing.
    """
    around = _median(plane)
    std = _rough_std(plane, around) if std is None else std
    return np.nan_to_num((plane - around) / std)


def _rough_std(plane: FloatArray, around: FloatArray) -> FloatArray:
    """Return the standard deviation of the noise, at most, where it is as bright around a pixel.

    At least the distance between two grey levels.
    """
    deviation = np.abs(plane - around).ravel()
    levels = np.unique(plane[np.isfinite(plane)])
    least = float(np.diff(levels).min(initial=np.inf))
    std = np.ones(plane.size)
    for group in np.array_split(np.argsort(around, axis=None), _GROUPS):
        known = deviation[group][np.isfinite(deviation[group])]
        if known.size:
            std[group] = max(MEDIAN_TO_STD * float(np.median(known)), least)
    return std.reshape(plane.shape)


def _median(plane: FloatArray) -> FloatArray:
    """Return the median around each pixel."""
    known = np.isfinite(plane)
    if known.any() and not known.all():
        plane = np.where(known, plane, np.median(plane[known]))
    return np.asarray(ndimage.median_filter(plane, _SIDE))
