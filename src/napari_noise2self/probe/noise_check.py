"""Whether noise is as it looked: what no network can predict shows it.

What is left of fine structure in the quietest parts of an image looks like noise: like more than
there is, and like noise that neighbours share. But the pretrained network knows structure, and
knows no noise that neighbours share, except together with an exclusion. So without one it predicts
structure and leaves noise, as strong and as alike as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..axes import fullest
from ..noise.correlation import Correlation, autocovariance, largest_excess
from ..noise.estimate import bands, uncut
from ..noise.flat_blocks import flattest_noise
from ..noise.stabilise import Stabiliser, measured_planes
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from .place_check import differs_from_place_to_place
from .pretrained import Probe

_PLANES, _SIDE = 2, 256
_SUREST = 0.25
"""Share of the pixels: elsewhere the network's errors are alike, too."""
_CONFIRMED = 0.5
"""Of a correlation: residuals show nine tenths, as the network follows such noise a little."""
_MUCH_WEAKER = 0.5
"""Of the variance that was measured."""
_STRONGER = 1.2
"""Times the variance that was measured, at least: less is chance."""
_ROUNDS, _AS_STRONG = 5, 0.1
_SURE = 0.25
"""Of the noise: as large may the network's own error be where it is surest."""
_PREDICTED = 2.0
"""Noise variances: a loss as it is where structure is predicted well."""


def check_noise(
    stabilisers: Sequence[Stabiliser], planes: Sequence[NDArray[Any]], control: Control
) -> tuple[Stabiliser, ...]:
    """Measure noise anew that is not as it looked.

    Parameters
    ----------
    stabilisers : sequence of Stabiliser
        As fitted to the planes, one for each channel.
    planes : sequence of ndarray
        Shape (C, H, W), any real dtype.
    control : Control
        To cancel.

    Returns
    -------
    tuple of Stabiliser
        Fitted anew where noise looked correlated, or stronger than where there is least structure,
        or different from place to place, and residuals of the pretrained network don't.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    some = measured_planes(planes)
    checked = []
    for channel, stabiliser in enumerate(stabilisers):
        images = [stabiliser.alike(plane[channel]) for plane in some]
        if stabiliser.each_place and not differs_from_place_to_place(stabiliser, images, control):
            fitted = Stabiliser.fit(images, by_place=False)
            stabiliser = replace(fitted, each_plane=stabiliser.each_plane)
        if stabiliser.noise.correlation.reach:
            found = _residuals(stabiliser, images, control)
            if found and not _confirmed(stabiliser.noise.correlation, found.correlation):
                places = stabiliser.each_place
                fitted = Stabiliser.fit(images, correlation=found.correlation, by_place=places)
                stabiliser = replace(fitted, each_plane=stabiliser.each_plane)
        stabiliser = _stronger_if_so(stabiliser, images, control)
        checked.append(_weaker_if_so(stabiliser, images, control))
    return tuple(checked)


def _confirmed(measured: Correlation, found: Correlation) -> bool:
    """Tell whether residuals, too, are alike where the noise looked most alike, across or down."""
    looked = [measured.horizontal[0], measured.vertical[0]]
    shown = [found.horizontal[0], found.vertical[0]]
    most = looked.index(max(looked, key=abs))
    return shown[most] / looked[most] >= _CONFIRMED


def _stronger_if_so(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> Stabiliser:
    """Take noise for as strong as residuals are, if the filter that measured it can't see it all.

    It sees the highest frequencies, of which optics, and all that imitates them (deconvolution,
    cropping in Fourier space), leave no noise in the corners of the spectrum. Neighbours are then
    little alike, but not as those of white noise.
    """
    noise = stabiliser.noise
    seen_little = noise.correlation.lacks_highest and not noise.correlation.reach
    if not (noise.fitted and seen_little):
        return stabiliser
    factor = largest_excess(noise.correlation)
    for _ in range(_ROUNDS):
        stronger = replace(stabiliser, noise=noise.stronger(factor)).scaled_to(planes)
        found = _residuals(stronger, planes, control)
        if not found or found.doubt > _SURE * found.noise:
            break
        if abs(math.log(found.noise)) < _AS_STRONG:
            return stronger
        factor *= found.noise
        if factor < _STRONGER:
            break
    return stabiliser


def _weaker_if_so(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> Stabiliser:
    """Take noise for white, and as weak as in the flattest parts, where that fits the residuals.

    If it is, structure all over the image was taken for noise, and the network predicts pixels
    nearly as well as the weaker noise allows. Noise that neighbours share has little at the high
    frequencies that are measured there, but can't be predicted so well.
    """
    noise = stabiliser.noise
    looked_at = noise.correlation.reach or noise.gain == 0
    if stabiliser.each_place or not (noise.reliable and looked_at):
        return stabiliser
    sample = uncut([band.astype(np.float64) for band in bands(planes)])
    flattest = flattest_noise([stabiliser.forward(band).double().numpy() for band in sample])
    factor = flattest.fine / stabiliser.noise_variance
    if not 0 < factor < _MUCH_WEAKER:  # nor if it is not known, or there is none at all
        return stabiliser
    weaker = replace(stabiliser, noise=noise.weaker(factor)).scaled_to(planes)
    found = _residuals(weaker, planes, control)
    fits = found is not None and found.loss < min(_PREDICTED, _MUCH_WEAKER / factor)
    return weaker if fits else stabiliser


@dataclass(frozen=True)
class _Residuals:
    """What the pretrained network leaves of an image.

    Parameters
    ----------
    loss : float
        Mean square, in noise variances.
    noise, doubt : float
        The same where the network is surest, and what it expects there of its own error.
    correlation : Correlation
        There, too.
    """

    loss: float
    noise: float
    doubt: float
    correlation: Correlation


def _residuals(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> _Residuals | None:
    """Predict the pixels of a part of some planes without exclusion; None if there are none."""
    noise = StableNoise.of([stabiliser])
    probe = Probe(1, 0, noise, Partition("grid", 4))
    losses, doubts, covariances = [], [], []
    for plane in planes[:: -(-len(planes) // _PLANES)]:
        stable = stabiliser.in_places(plane).forward(plane)
        part = stable[fullest(stable.isfinite().numpy(), _SIDE)]
        image = noise.without_outliers(part[None])[None]
        residual, variance = (
            part[0, 0].double().numpy() for part in probe.all_residuals(image, control)
        )
        if not np.isfinite(residual).any():
            continue
        losses.append(float(np.nanmean(residual**2)))
        sure = variance <= np.nanquantile(variance, _SUREST)
        doubts.append(float(variance[sure].mean()))
        covariances.append(autocovariance(np.where(sure, residual, np.nan)))
    if not losses:
        return None
    shown, *shared = np.mean(covariances, axis=0)
    correlation = Correlation.from_lags([value / shown for value in shared])
    loss, noise, doubt = np.array([np.mean(losses), shown, np.mean(doubts)]) / stabiliser.scale**2
    return _Residuals(float(loss), float(noise), float(doubt), correlation)
