"""The noise that is left to account for after stabilisation, where photons are few.

The Anscombe transform gives Poisson noise variance 1 only above some five photons; below, the
variance falls to 0 as the counts do. Ignoring that, dark regions would be taken for noisier than
they are: the prediction would be trusted too much there, and weigh too little in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor
from torch.nn import functional

from .correlation import WHITE, Correlation
from .cut_off import cut_off
from .model import NoiseModel
from .outliers import without_outliers
from .refinement import Refinement
from .stabilise import Stabiliser

_FEW_PHOTONS = 30.0
_ENTRIES = 256
_NODES = 301  # of the quadrature over the read noise
_SMALLEST_VARIANCE = 0.05
_LARGEST_KURTOSIS = 3.0


@dataclass(frozen=True, eq=False)
class StableNoise:
    """Noise variance of stabilised images as a function of their expectation, for each channel.

    Parameters
    ----------
    unit : Tensor
        Shape (1, C, 1, 1): nominal noise variance, by which variances are measured.
    assumed, refined : Tensor
        Shape (C, entries): the variance at equidistant expectations, as assumed in training (0
        where it could not be measured), and as the trained network's residuals show it.
    kurtosis : Tensor
        Shape (C, entries): excess kurtosis of the noise, that of Gaussian noise being 0.
    leak, sureness, doubt : Tensor
        Shape (1, C, 1, 1): see `Refinement`.
    start, step : Tensor
        Shape (1, C, 1, 1): the first expectation of the tables, and their distance.
    correlation : tuple of Correlation
        Of the noise of neighbours.
    tails : tuple of tuple of float
        Shares of pixels with stronger noise; see `find_tails`.
    """

    unit: Tensor
    assumed: Tensor
    refined: Tensor
    kurtosis: Tensor
    leak: Tensor
    sureness: Tensor
    doubt: Tensor
    start: Tensor
    step: Tensor
    correlation: tuple[Correlation, ...]
    tails: tuple[tuple[float, ...], ...]

    @classmethod
    def of(
        cls, stabilisers: Sequence[Stabiliser], refinements: Sequence[Refinement | None] = ()
    ) -> StableNoise:
        """Collect the channels of an image, with what training found of their noise, if any."""
        refinements = refinements or [None] * len(stabilisers)
        found = [each or Refinement() for each in refinements]
        assumed, refined, kurtosis, ends = [], [], [], []
        for stabiliser, refinement in zip(stabilisers, refinements, strict=True):
            means, relative, excess = _table(stabiliser.noise)
            table = stabiliser.scale**2 * relative
            kurtosis.append(excess)
            assumed.append(table * stabiliser.noise.reliable)
            refined.append(table * refinement.factor if refinement else assumed[-1])
            ends.append((means[[0, -1]] - stabiliser.centre) * stabiliser.scale)
        start, stop = map(_channels, zip(*ends, strict=True))
        return cls(
            unit=_channels([s.scale**2 for s in stabilisers]),
            assumed=_tables(assumed),
            refined=_tables(refined),
            kurtosis=_tables(kurtosis),
            leak=_channels([each.leak for each in found]),
            sureness=_channels([each.sureness for each in found]),
            doubt=_channels([each.doubt for each in found]),
            start=start,
            step=(stop - start) / (_ENTRIES - 1),
            correlation=tuple(stabiliser.noise.correlation for stabiliser in stabilisers),
            tails=tuple(each.tails for each in found),
        )

    def to(self, device: torch.device) -> StableNoise:
        """Return the same on a device."""
        parts = vars(self).items()
        moved: dict[str, Any] = {
            name: part.to(device) for name, part in parts if isinstance(part, Tensor)
        }
        return replace(self, **moved)

    def whitened(self, gains: Sequence[float]) -> StableNoise:
        """Return the same of images whose noise was made white.

        Parameters
        ----------
        gains : sequence of float
            Factor by which a smooth image was brighter before; see `Whitening.gain`.
        """
        gain, white = _channels(gains), (WHITE,) * len(self.correlation)
        return replace(self, start=self.start / gain, step=self.step / gain, correlation=white)

    def assumed_variance(self, mean: Tensor) -> Tensor:
        """Return the noise variance that training assumes where the expectation is `mean`.

        Parameters
        ----------
        mean : Tensor
            float32 of shape (B, C, H, W), in the stabilised range.

        Returns
        -------
        Tensor
            The same shape; 0 in channels whose noise could not be measured.
        """
        return self._look_up(self.assumed, mean)

    def variance(self, mean: Tensor) -> Tensor:
        """Return what is known of the noise variance after training; see `assumed_variance`."""
        return self._look_up(self.refined, mean)

    def assumed_at(
        self, channel: int, mean: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return assumed variance and excess kurtosis of the noise in one channel, shape (n,).

        The variance is that of `assumed_variance`.
        """
        start, step = (float(part[0, channel, 0, 0]) for part in (self.start, self.step))
        place = (mean - start) / step
        variance, kurtosis = (
            np.interp(place, np.arange(_ENTRIES), table[channel].double().cpu().numpy())
            for table in (self.assumed, self.kurtosis)
        )
        return variance, kurtosis

    def without_outliers(self, image: Tensor) -> Tensor:
        """Return a stabilised image (C, H, W) with NaN also where a pixel tells nothing.

        The noise is that of the brightest around: a pixel without a photon says that there is none.
        """
        variance = self.variance(image.nan_to_num()[None])
        return without_outliers(image, functional.max_pool2d(variance, 3, 1, 1)[0])

    def _look_up(self, table: Tensor, mean: Tensor) -> Tensor:
        place = ((mean - self.start) / self.step).clamp(0, _ENTRIES - 1.001)
        index = place.long()
        channel = torch.arange(mean.shape[1], device=mean.device).reshape(1, -1, 1, 1)
        return torch.lerp(table[channel, index], table[channel, index + 1], place - index)


def signal_variance(raw: Tensor, noise: StableNoise) -> Tensor:
    """Turn a network's raw variance into the variance of the clean signal, always positive.

    In units of the noise, so that the network's output is of order 1.
    """
    return (functional.softplus(raw) + 1e-5) * noise.unit


def _channels(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)


def _tables(tables: Sequence[NDArray[np.float64]]) -> Tensor:
    return torch.from_numpy(np.stack(tables).astype(np.float32))


def _table(noise: NoiseModel) -> tuple[NDArray[np.float64], ...]:
    """Return equidistant expectations after the transform, noise variance and kurtosis at each."""
    if noise.limits != (None, None):
        low, high = (
            None if limit is None else float(noise.stabilise(np.array(limit)))
            for limit in noise.limits
        )
        return *cut_off(low, high, _ENTRIES), np.zeros(_ENTRIES)
    if noise.gain <= 0:
        return np.linspace(0.0, 1.0, _ENTRIES), np.ones(_ENTRIES), np.zeros(_ENTRIES)
    return _few_photons_table(noise.read_variance / noise.gain**2)


@lru_cache
def _few_photons_table(read: float) -> tuple[NDArray[np.float64], ...]:
    """Tabulate variance and excess kurtosis of A = 2√(K + N + 3/8 + read) at equidistant E[A].

    K is Poisson, N Gaussian with the variance `read` in squared photons, and A their generalised
    Anscombe transform (Starck et al. 1998), clipped where the root has no value.
    """
    photons = np.concatenate([[0.0], np.geomspace(1e-3, _FEW_PHOTONS, 600)])
    counts = np.arange(120)
    rate = photons[:, None]
    chances = np.exp(special.xlogy(counts, rate) - rate - special.gammaln(counts + 1))
    nodes = np.linspace(-6, 6, _NODES)  # fine, as the root has an edge where it ends
    weights = np.exp(-0.5 * nodes**2)
    level = counts[:, None] + np.sqrt(read) * nodes + 0.375 + read
    stable = 2 * np.sqrt(np.maximum(level, 0))
    mean, *moments = (
        chances @ (stable**power @ (weights / weights.sum())) for power in (1, 2, 3, 4)
    )
    second, third, fourth = moments
    variance = np.maximum(second - mean**2, _SMALLEST_VARIANCE)
    fourth = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4  # now about the mean
    kurtosis = np.clip(fourth / variance**2 - 3, -_LARGEST_KURTOSIS, _LARGEST_KURTOSIS)
    variance[-1], kurtosis[-1] = 1.0, 0.0
    places = np.linspace(mean[0], mean[-1], _ENTRIES)
    return places, *(np.interp(places, mean, values) for values in (variance, kurtosis))
