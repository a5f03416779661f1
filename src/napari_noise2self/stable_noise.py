"""The noise that is left to account for after stabilisation, where photons are few.

The Anscombe transform gives Poisson noise variance 1 only above some five photons; below, the
variance falls to 0 as the counts do. Ignoring that, dark regions would be taken for noisier than
they are: the prediction would be trusted too much there, and weigh too little in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .stabilise import Stabiliser

_FEW_PHOTONS = 30.0
_ENTRIES = 256
_SMALLEST_VARIANCE = 0.05


@dataclass(frozen=True, eq=False)
class StableNoise:
    """Noise variance of stabilised images as a function of their expectation, for each channel.

    Parameters
    ----------
    unit : Tensor
        Shape (1, C, 1, 1): nominal noise variance, by which variances are measured.
    known : Tensor
        bool, shape (1, C, 1, 1): whether the channel's noise could be measured.
    table : Tensor
        Shape (C, entries): the variance at equidistant expectations, in nominal variances.
    start, step : Tensor
        Shape (1, C, 1, 1): the first expectation of the table, and their distance.
    """

    unit: Tensor
    known: Tensor
    table: Tensor
    start: Tensor
    step: Tensor

    @classmethod
    def of(cls, stabilisers: Sequence[Stabiliser]) -> StableNoise:
        """Collect the channels of an image."""
        first, last, poisson = _poisson_table()
        spans = [
            ((first - s.centre) * s.scale, (last - s.centre) * s.scale) for s in stabilisers
        ]
        rows = [poisson if s.noise.gain > 0 else torch.ones(_ENTRIES) for s in stabilisers]
        start, stop = (_channels([span[end] for span in spans]) for end in (0, 1))
        return cls(
            unit=_channels([s.scale**2 for s in stabilisers]),
            known=_channels([s.noise.reliable for s in stabilisers]),
            table=torch.stack(rows),
            start=start,
            step=(stop - start) / (_ENTRIES - 1),
        )

    def to(self, device: torch.device) -> StableNoise:
        """Return the same on a device."""
        parts = (self.unit, self.known, self.table, self.start, self.step)
        return StableNoise(*(part.to(device) for part in parts))

    def variance(self, mean: Tensor) -> Tensor:
        """Return the noise variance where the signal's expectation is `mean`.

        Parameters
        ----------
        mean : Tensor
            float32 of shape (B, C, H, W), in the stabilised range.

        Returns
        -------
        Tensor
            The same shape; 0 in channels whose noise is not known.
        """
        place = ((mean - self.start) / self.step).clamp(0, _ENTRIES - 1.001)
        index = place.long()
        channel = torch.arange(mean.shape[1], device=mean.device).reshape(1, -1, 1, 1)
        relative = torch.lerp(
            self.table[channel, index], self.table[channel, index + 1], place - index
        )
        return torch.where(self.known, relative * self.unit, 0)


def _channels(values: Sequence[float]) -> Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1)


@lru_cache
def _poisson_table() -> tuple[float, float, Tensor]:
    """Tabulate Var[A] against E[A] for A = 2√(K + 3/8), K Poisson (Anscombe 1948).

    Returns the first and last expectation, and the variances between them at equal distances.
    """
    photons = np.concatenate([[0.0], np.geomspace(1e-3, _FEW_PHOTONS, 600)])
    counts = np.arange(120)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = counts * np.log(photons[:, None]) - photons[:, None] - log_factorials
    chances = np.exp(logs)
    chances[0] = counts == 0
    stable = 2 * np.sqrt(counts + 0.375)
    means = chances @ stable
    variances = chances @ stable**2 - means**2
    grid = np.linspace(means[0], means[-1], _ENTRIES)
    table = np.maximum(np.interp(grid, means, variances), _SMALLEST_VARIANCE)
    table[-1] = 1.0
    return float(means[0]), float(means[-1]), torch.from_numpy(table.astype(np.float32))
