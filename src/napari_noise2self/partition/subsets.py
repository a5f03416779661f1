"""The split of all pixels into the subsets that are hidden together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..settings import Fill, PartitionKind, Settings
from .exclusion import NO_EXCLUSION, Exclusion
from .fill import fill

if TYPE_CHECKING:
    from torch import Tensor  # loaded where tensors are made: the docks do without

Coordinates = TypeVar("Coordinates", "Tensor", NDArray[np.integer])

GRID_SIDE = 3
"""Of the grid partition: with 4 results are no better, and take nearly twice as long."""
RANDOM_SUBSETS = 25
"""Number of subsets of a random partition in the paper."""
_OTHER_SEED = 2**31
"""Added to the seed of a partition where what is drawn must have nothing to do with its subsets."""


@dataclass(frozen=True)
class Partition:
    """A split of all the pixels of the plane into subsets, each pixel in exactly one.

    Parameters
    ----------
    kind : {"grid", "random"}
        Grid: pixels at the same place of n×n cells form a subset. Random: each pixel belongs to
        a subset drawn by a hash of its coordinates, so that any window of an image can be
        computed by itself.
    size : int
        Side n of the grid, or number of subsets of the random partition.
    seed : int
        Shifts the grid, or draws another random partition.
    exclusion : Exclusion
        Neighbours that are hidden with each pixel of a subset.
    """

    kind: PartitionKind = "grid"
    size: int = GRID_SIDE
    seed: int = 0
    exclusion: Exclusion = NO_EXCLUSION

    @classmethod
    def from_settings(cls, settings: Settings, exclusion: Exclusion | None = None) -> Partition:
        """Return the partition that the settings ask for.

        Parameters
        ----------
        settings : Settings
            Uses `partition`, `partition_size`, `exclusion`, `exclusion_radius` and `seed`.
        exclusion : Exclusion, optional
            Takes the place of the settings' "auto".
        """
        if settings.exclusion != "auto":
            radius = 0 if settings.exclusion == "none" else settings.exclusion_radius or 1
            exclusion = Exclusion(settings.exclusion, radius)
        exclusion = exclusion or NO_EXCLUSION
        size = settings.partition_size
        if size is None:
            side = max(GRID_SIDE, exclusion.smallest_grid)
            size = side if settings.partition == "grid" else max(RANDOM_SUBSETS, side**2)
        if settings.partition == "grid" and exclusion.kind == "square":
            size = max(size, 2 * exclusion.radius + 2)  # smaller cells would hide every pixel
        elif settings.partition == "random" and exclusion.radius:
            size = max(size, exclusion.area)  # leaves a third of the pixels visible
        return cls(settings.partition, size, settings.seed, exclusion)

    @property
    def n_subsets(self) -> int:
        """Number of subsets: n² for a 2-D grid."""
        return self.size**2 if self.kind == "grid" else self.size

    def label(self, rows: Coordinates, columns: Coordinates) -> Coordinates:
        """Return the subset of the pixels at some coordinates.

        Parameters
        ----------
        rows, columns : Tensor or ndarray
            int64 tensors or uint32 arrays; they broadcast.

        Returns
        -------
        Tensor or ndarray
            Of the same dtype, values from 0 to `n_subsets` - 1.
        """
        if self.kind == "random":
            return _hash(rows, columns, self.seed) % self.size
        down, across = divmod(_mix(self.seed) % self.size**2, self.size)
        return (rows + down) % self.size * self.size + (columns + across) % self.size

    def labels(self, shape: tuple[int, int], origins: Tensor | None = None) -> Tensor:
        """Return the subset of each pixel of one or many windows.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the windows.
        origins : Tensor, optional
            int64 of shape (B, 2): the windows' first pixels. One window at (0, 0) if None.

        Returns
        -------
        Tensor
            int64 of shape (B, height, width), values from 0 to `n_subsets` - 1.
        """
        import torch

        if origins is None:
            origins = torch.zeros((1, 2), dtype=torch.int64)
        rows, columns = (
            torch.arange(extent, device=origins.device) + origins[:, axis, None]
            for axis, extent in enumerate(shape)
        )
        return self.label(rows[:, :, None], columns[:, None, :])

    def drawn(self, shape: tuple[int, int], share: float) -> Tensor:
        """Return a share of all pixels of a plane, drawn by a hash of their coordinates.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the plane.
        share : float
            From 0 to 1; of each subset as of the whole.

        Returns
        -------
        Tensor
            bool of shape (height, width).
        """
        import torch

        rows, columns = (torch.arange(extent) for extent in shape)
        return _hash(rows[:, None], columns, self.seed + _OTHER_SEED) < share * 2**32

    def hide(self, targets: Tensor) -> Tensor:
        """Return all that is hidden for targets (B, 1, H, W): they and their exclusion."""
        return self.exclusion.hide(targets)

    def fill(self, image: Tensor, hidden: Tensor, method: Fill = "interpolate") -> Tensor:
        """Replace hidden pixels; see `fill`."""
        return fill(image, hidden, method, self.fill_radius)

    @property
    def fill_radius(self) -> int:
        """How far a hidden pixel must look to find a visible one."""
        return self.exclusion.radius + 1


def _mix(seed: int) -> int:
    """Spread a small seed over 31 bits (Knuth's multiplicative hash)."""
    return ((seed + 1) * 2654435761 >> 5) & 0x7FFFFFFF


def _hash(rows: Coordinates, columns: Coordinates, seed: int) -> Coordinates:
    """Return a well mixed number of 32 bits for each pixel and seed.

    The finaliser of MurmurHash3 with 32-bit arithmetic inside int64, so that it is the same on
    every device; NumPy's uint32, which are faster, wrap to the same.
    """
    mask = 0xFFFFFFFF
    seeded = _mix(seed) * 0xC2B2AE3D & mask
    value = (rows * 0x9E3779B1 + columns * 0x85EBCA77 + seeded) & mask
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        value = ((value ^ (value >> shift)) * factor) & mask
    return value
