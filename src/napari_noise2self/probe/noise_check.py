"""Whether noise is as it looked: what no network can predict shows it.

What is left of fine structure in the quietest parts of an image looks like noise: like more than
there is, and like noise that neighbours share. But the pretrained network knows structure, and
knows no noise that neighbours share, except together with an exclusion. So without one it predicts
structure and leaves noise, as strong and as alike as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..axes import fullest
from ..noise.correlation import Correlation, autocovariance
from ..noise.estimate import bands, uncut
from ..noise.flat_blocks import flattest_noise
from ..noise.stabilise import Stabiliser, measured_planes
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from .pretrained import Probe

_PLANES, _SIDE = 2, 256
_SUREST = 0.25
"""Share of the pixels: elsewhere the network's errors are alike, too."""
_CONFIRMED = 0.5
"""Of a correlation: residuals show nine tenths, as the network follows such noise a little."""
_MUCH_WEAKER = 0.5
"""Of the variance that was measured."""
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
        and residuals of the pretrained network don't.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    some = measured_planes(planes)
    checked = []
    for channel, stabiliser in enumerate(stabilisers):
        images = [stabiliser.alike(plane[channel]) for plane in some]
        if stabiliser.noise.correlation.reach:
            found = _residuals(stabiliser, images, control)
            if found and not _confirmed(stabiliser.noise.correlation, found.correlation):
                fitted = Stabiliser.fit(images, correlation=found.correlation)
                stabiliser = replace(fitted, each_plane=stabiliser.each_plane)
        checked.append(_weaker_if_so(stabiliser, images, control))
    return tuple(checked)


def _confirmed(measured: Correlation, found: Correlation) -> bool:
    """Tell whether residuals, too, are alike where the noise looked most alike, across or down."""
    looked = [measured.horizontal[0], measured.vertical[0]]
    shown = [found.horizontal[0], found.vertical[0]]
    most = looked.index(max(looked, key=abs))
    return shown[most] / looked[most] >= _CONFIRMED


def _weaker_if_so(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> Stabiliser:
    """Take noise for white, and as weak as in the flattest parts, where that fits the residuals.

    If it is, structure all over the image was taken for noise, and the network predicts pixels
    nearly as well as the weaker noise allows. Noise that neighbours share has little at the high
    frequencies that are measured there, but can't be predicted so well.
    """
    noise = stabiliser.noise
    if not noise.reliable or not (noise.correlation.reach or noise.gain == 0):
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
    correlation : Correlation
        Where the network is surest.
    """

    loss: float
    correlation: Correlation


def _residuals(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> _Residuals | None:
    """Predict the pixels of a part of some planes without exclusion; None if there are none."""
    noise = StableNoise.of([stabiliser])
    probe = Probe(1, 0, noise, Partition("grid", 4))
    losses, covariances = [], []
    for plane in planes[:: -(-len(planes) // _PLANES)]:
        stable = stabiliser.forward(plane)
        part = stable[fullest(stable.isfinite().numpy(), _SIDE)]
        image = noise.without_outliers(part[None])[None]
        residual, variance = (
            part[0, 0].double().numpy() for part in probe.all_residuals(image, control)
        )
        if not np.isfinite(residual).any():
            continue
        losses.append(float(np.nanmean(residual**2)))
        sure = variance <= np.nanquantile(variance, _SUREST)
        covariances.append(autocovariance(np.where(sure, residual, np.nan)))
    if not losses:
        return None
    variance, *shared = np.mean(covariances, axis=0)
    correlation = Correlation.from_lags([value / variance for value in shared])
    return _Residuals(float(np.mean(losses)) / stabiliser.scale**2, correlation)
