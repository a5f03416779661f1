"""Which pixels are hidden in a step of pre-training, and which noise goes with that.

The weights must serve every setting of the package, so all its partitions, exclusions and fills
take part. Correlated noise takes part where an exclusion hides as much as the noise reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import get_args

import numpy as np

from ..partition import Partition
from ..settings import ExclusionKind, Fill, PartitionKind, Settings
from .camera import NO_CORRELATION, WHITE_SHAPE, NoiseShape
from .drawing import chance, log_uniform

_EXCLUSIONS: tuple[ExclusionKind, ...] = get_args(ExclusionKind)
_EXCLUSION_SHARES = 0.5, 0.1, 0.1, 0.08, 0.22
_RADIUS_SHARES = 0.25, 0.35, 0.25, 0.15
_SIDES = (2, 3, 4, 5, 6, 7, 8, 9, 10)
_SIDE_SHARES = 0.05, 0.2, 0.3, 0.15, 0.1, 0.05, 0.05, 0.05, 0.05
_RANDOM = 0.15
_ZERO = 0.15
_DIED_AWAY = 0.05
_UNSEEN = 0.25


@dataclass(frozen=True)
class Hiding:
    """What is hidden, and what stands in its place."""

    partition: Partition
    fill: Fill

    @classmethod
    def draw(cls, random: np.random.Generator) -> Hiding:
        """Draw one of all that a user can ask for, the usual ones more often."""
        exclusion = _EXCLUSIONS[random.choice(len(_EXCLUSIONS), p=_EXCLUSION_SHARES)]
        radius = int(random.choice([1, 2, 3, 4], p=_RADIUS_SHARES))
        kind: PartitionKind = "random" if chance(random, _RANDOM) else "grid"
        size: int | None = int(random.choice(_SIDES, p=_SIDE_SHARES))
        if kind == "random":
            size = round(log_uniform(random, 4, 100))
        if exclusion != "none" and chance(random, 0.6):
            size = None  # what the package itself would take
        settings = Settings(
            partition=kind,
            partition_size=size,
            exclusion=exclusion,
            exclusion_radius=radius,
            seed=int(random.integers(2**31 - 1)),
        )
        fill: Fill = "zero" if chance(random, _ZERO) else "interpolate"
        return cls(Partition.from_settings(settings), fill)

    def draw_noise(self, random: np.random.Generator) -> NoiseShape:
        """Draw a noise that this hiding is good for: white, or correlated no farther than it."""
        exclusion = self.partition.exclusion
        if chance(random, 0.7 if exclusion.kind == "none" else 0.2):
            return WHITE_SHAPE
        # a correlation of exp(-d²/4σ²) at distance d has died away beyond the exclusion; without
        # one, it is so small that the package does not see it
        distance, limit = (
            (1, _UNSEEN) if exclusion.kind == "none" else (exclusion.radius + 1, _DIED_AWAY)
        )
        largest = distance / (4 * log(1 / limit)) ** 0.5
        sigma = largest * random.uniform(0.3, 1)
        across = down = _gaussian(sigma)
        if exclusion.kind == "horizontal" or (exclusion.kind == "none" and chance(random, 0.3)):
            down = NO_CORRELATION
        elif exclusion.kind == "vertical" or (exclusion.kind == "none" and chance(random, 0.3)):
            across = NO_CORRELATION
        return NoiseShape(across, down, crossed=exclusion.kind == "plus")


def _gaussian(sigma: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a kernel that gives white noise a correlation of exp(-d²/4σ²)."""
    reach = int(4 * sigma + 1)
    return np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
