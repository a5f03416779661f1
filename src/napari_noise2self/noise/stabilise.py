"""Bring every image to the same scale: noise variance 1, then a range that networks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arrays import FloatArray
from ..axes import fullest
from ..progress import Control
from .amplification import amplification, usual_law
from .correlation import Correlation
from .estimate import estimate_noise
from .fit import NoisePoint
from .law import find_law
from .local_mean import local_contrast
from .model import NoiseModel
from .outliers import without_outliers
from .places import measure_places

_STATISTICS_PLANES = 16
_OWN_SIDE = 384  # of the part of a plane that tells its own noise
NOISE_STD = 0.2
"""Standard deviation of the noise in the network's range,"""
LARGEST_CONTRAST = 5.0
"""unless the image would then have a larger standard deviation from its local mean than this."""


@dataclass(frozen=True)
class Stabiliser:
    """The way of one channel from grey levels to the network's range, and back.

    First an affine map to mean 0 and variance 1, in float64, so that neither large offsets nor
    tiny values lose digits; then the generalised Anscombe transform of the noise model; then
    another affine map.

    Parameters
    ----------
    offset, unit : float
        Mean and standard deviation of the grey levels. The unit is negative, and so bright is
        dark, where more light means lower levels: photon noise then falls with the signal.
    noise : NoiseModel
        In units of the first map. Where its gain is zero the transform is affine.
    centre : float
        Mean of the transformed image.
    scale : float
        Standard deviation of the noise in the result.
    each_plane : bool
        Whether planes were amplified differently, so that each needs its own; see `of_plane`.
    each_place : bool
        Whether noise differs from place to place, so that each plane needs its own, too.
    strength : ndarray, optional
        Of one plane: the standard deviation of the noise at each pixel over that of the law, in
        the shape of the plane. None where that is 1.
    """

    offset: float
    unit: float
    noise: NoiseModel
    centre: float = 0.0
    scale: float = 1.0
    each_plane: bool = False
    each_place: bool = False
    strength: FloatArray | None = field(default=None, compare=False)

    @classmethod
    def fit(
        cls,
        planes: Sequence[NDArray[Any]],
        *,
        correlation: Correlation | None = None,
        by_place: bool = True,
    ) -> Stabiliser:
        """Measure one channel of some images.

        Parameters
        ----------
        planes : sequence of ndarray
            Shape (H, W), any real dtype.
        correlation : Correlation, optional
            Of the noise, if it is known.
        by_place : bool
            Whether noise may differ from place to place.
        """
        finite = [plane[np.isfinite(plane)].astype(np.float64) for plane in planes]
        values = np.concatenate(finite)
        offset, unit = float(values.mean()), float(values.std())
        if not unit > 0:  # nothing to scale by: a constant image
            unit = 1.0
        normal = [(plane.astype(np.float64) - offset) / unit for plane in planes]
        law = find_law(normal, correlation, by_place)
        found = cls(offset, law.sign * unit, law.noise, each_place=law.each_place)
        return found.scaled_to(planes)

    def scaled_to(self, planes: Sequence[NDArray[Any]]) -> Stabiliser:
        """Return the same, with centre and scale for one channel of some images."""
        own = [self.in_places(plane) for plane in planes]
        stable = [each._known(plane) for each, plane in zip(own, planes, strict=True)]
        parts = [each._strength * plane for each, plane in zip(own, stable, strict=True)]
        centre = float(torch.cat([part[part.isfinite()] for part in parts]).mean())
        centred = [plane - centre / each._strength for each, plane in zip(own, stable, strict=True)]
        contrast = float(np.sqrt(np.mean([local_contrast(plane) ** 2 for plane in centred])))
        scale = min(NOISE_STD, LARGEST_CONTRAST / contrast) if contrast > 0 else NOISE_STD
        return replace(self, centre=centre, scale=scale)

    def of_plane(self, plane: NDArray[Any]) -> Stabiliser:
        """Return that of a plane (H, W), after which its noise follows the same law as others'.

        Itself, if all planes were amplified alike, or the noise of this one can't be measured.
        """
        if not (self.each_plane and self.noise.fitted):
            return self
        part = _part(plane).astype(np.float64)
        law = estimate_noise([(part - self.offset) / self.unit], self.noise.correlation)
        if not law.fitted:
            return self
        factor, offset = amplification(law, self.noise)
        return replace(
            self,
            offset=self.offset + offset * self.unit,
            unit=self.unit * factor,
            each_plane=False,
        )

    def alike(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return a plane (H, W) as if it had been amplified as those that were measured."""
        own = self.of_plane(plane)
        if own is self:
            return plane
        return (plane.astype(np.float64) - own.offset) * (self.unit / own.unit) + self.offset

    def in_places(self, plane: NDArray[Any]) -> Stabiliser:
        """Return that of a plane (H, W), or of a part of it, with the noise at each of its places.

        Itself, if noise follows one law at all of them.
        """
        if not self.each_place:
            return self
        normal = (plane.astype(np.float64) - self.offset) / self.unit
        return replace(self, strength=measure_places(normal, self.noise), each_place=False)

    def part(self, rows: slice, columns: slice) -> Stabiliser:
        """Return that of a part of a plane."""
        if self.strength is None:
            return self
        return replace(self, strength=self.strength[rows, columns])

    def forward(self, plane: NDArray[Any]) -> Tensor:
        """Map grey levels to a float32 tensor of the same shape; NaN where pixels have no value.

        Those are not finite, or darker than any without light (`NoiseModel.darkest`).
        """
        return ((self._stable(plane) - self.centre) / self._strength * self.scale).float()

    def _stable(self, plane: NDArray[Any]) -> Tensor:
        """Return pixels whose noise is as strong as places say; NaN where they have no value."""
        normal = (plane.astype(np.float64) - self.offset) / self.unit
        there = self.variance_there
        missing = ~np.isfinite(normal) | (normal < self.noise.darkest_at(there))
        normal = np.where(missing, 0, normal)
        return torch.from_numpy(np.where(missing, np.nan, self.noise.stabilise(normal, there)))

    def _known(self, plane: NDArray[Any]) -> Tensor:
        """Return pixels with a noise variance of 1, float64, without outliers."""
        stable = self._stable(plane) / self._strength
        if not self.noise.reliable:
            return stable
        return without_outliers(stable[None], torch.ones_like(stable)[None])[0]

    def inverse(self, mean: Tensor) -> NDArray[np.float64]:
        """Map expectations back to grey levels."""
        stable = mean.double() / self.scale * self._strength + self.centre
        signal = self.noise.unstabilise(stable.numpy(), self.variance_there)
        return signal * self.unit + self.offset

    @property
    def _strength(self) -> Tensor:
        return torch.tensor(1.0) if self.strength is None else torch.from_numpy(self.strength)

    @property
    def noise_variance(self) -> float:
        """Variance of the noise after `forward`; 0 where it is not known."""
        return self.scale**2 if self.noise.reliable else 0.0

    @property
    def variance_there(self) -> FloatArray:
        """Variance of the noise over that of the law, of shape (H, W); () where that is 1."""
        return np.ones(()) if self.strength is None else self.strength**2

    @property
    def grey_noise(self) -> NoiseModel:
        """The noise model in grey levels."""
        gain = self.noise.gain * self.unit
        intercept = self.noise.intercept * self.unit**2 - gain * self.offset
        dark = self.noise.offset * self.unit + self.offset
        points = tuple(
            NoisePoint(signal * self.unit + self.offset, variance * self.unit**2, weight)
            for signal, variance, weight in self.noise.points
        )
        low, high = (
            None if limit is None else limit * self.unit + self.offset
            for limit in self.noise.limits
        )
        return replace(
            self.noise,
            gain=gain,
            intercept=intercept,
            offset=dark,
            points=points,
            limits=(low, high),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = asdict(self)
        del values["strength"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Stabiliser:
        """Make a stabiliser from what `to_dict` returned."""
        return cls(**{**values, "noise": NoiseModel.from_dict(values["noise"])})


def fit_stabilisers(planes: Sequence[NDArray[Any]], control: Control) -> tuple[Stabiliser, ...]:
    """Measure each channel of planes (C, H, W), on some of them evenly spread over all.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    some = measured_planes(planes)
    stabilisers = []
    for channel in range(len(some[0])):
        control.check()
        images = [plane[channel] for plane in some]
        usual = _of_usual_plane(images)
        alike = [usual.alike(image) for image in images] if usual else images
        fitted = Stabiliser.fit(alike)
        stabilisers.append(replace(fitted, each_plane=usual is not None))
    return tuple(stabilisers)


def _of_usual_plane(planes: Sequence[NDArray[Any]]) -> Stabiliser | None:
    """Return the stabiliser of one plane if others were amplified differently."""
    if len(planes) < 2:
        return None
    parts = [_part(plane).astype(np.float64) for plane in planes]
    values = np.concatenate([part[np.isfinite(part)] for part in parts])
    offset, unit = float(values.mean()), float(values.std())
    if not unit > 0:
        return None
    laws = (estimate_noise([(part - offset) / unit]) for part in parts)
    usual = usual_law(laws, math.sqrt(np.mean([part.size for part in parts])))
    return Stabiliser(offset, unit, usual, each_plane=True) if usual else None


def _part(plane: NDArray[Any]) -> NDArray[Any]:
    """Return the part of a plane on which its own noise is measured."""
    return plane[fullest(np.isfinite(plane), _OWN_SIDE)]


def measured_planes(planes: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
    """Return those of many planes on which noise is measured."""
    return planes[:: max(1, math.ceil(len(planes) / _STATISTICS_PLANES))]


def of_plane(stabilisers: Sequence[Stabiliser], plane: NDArray[Any]) -> tuple[Stabiliser, ...]:
    """Return the stabilisers of the channels of one plane (C, Y, X)."""
    pairs = zip(stabilisers, plane, strict=True)
    return tuple(each.of_plane(channel).in_places(channel) for each, channel in pairs)


def stabilise_plane(stabilisers: Sequence[Stabiliser], plane: NDArray[Any]) -> Tensor:
    """Bring a plane (C, Y, X) to the network's range: float32, NaN where missing."""
    pairs = zip(stabilisers, plane, strict=True)
    return torch.stack([stabiliser.forward(channel) for stabiliser, channel in pairs])


def unstabilise_plane(stabilisers: Sequence[Stabiliser], plane: Tensor) -> FloatArray:
    """Bring the expectations of a plane (C, Y, X) back to grey levels."""
    pairs = zip(stabilisers, plane, strict=True)
    return np.stack([stabiliser.inverse(channel) for stabiliser, channel in pairs])
