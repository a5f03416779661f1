"""Bring every image to the same scale: noise variance 1, then a range that networks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from .local_mean import local_contrast
from .model import NoiseModel
from .outliers import without_outliers

_STATISTICS_PLANES = 16
_OWN_SIDE = 384  # of the part of a plane that tells its own noise
_FALLS = "The noise falls with the signal, as where contrast is inverted."
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
    """

    offset: float
    unit: float
    noise: NoiseModel
    centre: float = 0.0
    scale: float = 1.0
    each_plane: bool = False

    @classmethod
    def fit(
        cls, planes: Sequence[NDArray[Any]], *, correlation: Correlation | None = None
    ) -> Stabiliser:
        """Measure one channel of some images.

        Parameters
        ----------
        planes : sequence of ndarray
            Shape (H, W), any real dtype.
        correlation : Correlation, optional
            Of the noise, if it is known.
        """
        finite = [plane[np.isfinite(plane)].astype(np.float64) for plane in planes]
        values = np.concatenate(finite)
        offset, unit = float(values.mean()), float(values.std())
        if not unit > 0:  # nothing to scale by: a constant image
            unit = 1.0
        normal = [(plane.astype(np.float64) - offset) / unit for plane in planes]
        noise = estimate_noise(normal, correlation)
        if noise.gain == 0 and noise.falls:
            inverted = estimate_noise([-plane for plane in normal], correlation)
            if inverted.gain > 0 and inverted.goodness > noise.goodness:
                unit, noise = -unit, replace(inverted, note=_FALLS)
        return cls(offset, unit, noise).scaled_to(planes)

    def scaled_to(self, planes: Sequence[NDArray[Any]]) -> Stabiliser:
        """Return the same, with centre and scale for one channel of some images."""
        stable = [self._known(plane) for plane in planes]
        centre = float(torch.cat([plane[plane.isfinite()] for plane in stable]).mean())
        contrast = float(np.sqrt(np.mean([local_contrast(plane) ** 2 for plane in stable])))
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

    def forward(self, plane: NDArray[Any]) -> Tensor:
        """Map grey levels to a float32 tensor of the same shape; NaN where pixels have no value.

        Those are not finite, or darker than any without light (`NoiseModel.darkest`).
        """
        return ((self._stable(plane) - self.centre) * self.scale).float()

    def _stable(self, plane: NDArray[Any]) -> Tensor:
        """Return pixels with a noise variance of 1, float64; NaN where they have no value."""
        normal = (plane.astype(np.float64) - self.offset) / self.unit
        missing = ~np.isfinite(normal) | (normal < self.noise.darkest)
        normal = np.where(missing, 0, normal)
        return torch.from_numpy(np.where(missing, np.nan, self.noise.stabilise(normal)))

    def _known(self, plane: NDArray[Any]) -> Tensor:
        """Return the same without outliers."""
        stable = self._stable(plane)
        if not self.noise.reliable:
            return stable
        return without_outliers(stable[None], torch.ones_like(stable)[None])[0]

    def inverse(self, mean: Tensor) -> NDArray[np.float64]:
        """Map expectations back to grey levels."""
        stable = mean.double().numpy() / self.scale + self.centre
        return self.noise.unstabilise(stable) * self.unit + self.offset

    @property
    def noise_variance(self) -> float:
        """Variance of the noise after `forward`; 0 where it is not known."""
        return self.scale**2 if self.noise.reliable else 0.0

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
        return asdict(self)

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
    return tuple(stabiliser.of_plane(channel) for stabiliser, channel in pairs)


def stabilise_plane(stabilisers: Sequence[Stabiliser], plane: NDArray[Any]) -> Tensor:
    """Bring a plane (C, Y, X) to the network's range: float32, NaN where missing."""
    pairs = zip(stabilisers, plane, strict=True)
    return torch.stack([stabiliser.forward(channel) for stabiliser, channel in pairs])


def unstabilise_plane(stabilisers: Sequence[Stabiliser], plane: Tensor) -> FloatArray:
    """Bring the expectations of a plane (C, Y, X) back to grey levels."""
    pairs = zip(stabilisers, plane, strict=True)
    return np.stack([stabiliser.inverse(channel) for stabiliser, channel in pairs])
