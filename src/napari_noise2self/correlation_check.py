"""Whether noise that looks correlated is so: what no network can predict shows it.

What is left of fine structure in the quietest parts of an image looks like noise that neighbours
share. But the pretrained network knows structure, and knows no noise that neighbours share, except
together with an exclusion. So without one its residuals, noisy less predicted pixels, are as alike
as the noise is, whatever the image shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .axes import middle
from .correlation import Correlation, autocovariance
from .partition import Partition
from .probe import Probe
from .progress import Control
from .stabilise import Stabiliser, measured_planes
from .stable_noise import StableNoise

_PLANES, _SIDE = 2, 256
_SUREST = 0.25
"""Share of the pixels: elsewhere the network's errors are alike, too."""
_CONFIRMED = 0.5
"""Of what was measured: residuals show nine tenths, as the network follows such noise a little."""


def check_correlation(
    stabilisers: Sequence[Stabiliser], planes: Sequence[NDArray[Any]], control: Control
) -> tuple[Stabiliser, ...]:
    """Measure once more, now on residuals, how alike noise is that looked correlated.

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
        Fitted anew where noise looked correlated and residuals are not.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    some = measured_planes(planes)
    checked = []
    for channel, stabiliser in enumerate(stabilisers):
        if stabiliser.noise.correlation.reach:
            images = [plane[channel] for plane in some]
            found = _of_residuals(stabiliser, images, control)
            if not _confirmed(stabiliser.noise.correlation, found):
                stabiliser = Stabiliser.fit(images, correlation=found)
        checked.append(stabiliser)
    return tuple(checked)


def _confirmed(measured: Correlation, found: Correlation) -> bool:
    """Tell whether residuals, too, are alike where the noise looked most alike, across or down."""
    looked = [measured.horizontal[0], measured.vertical[0]]
    shown = [found.horizontal[0], found.vertical[0]]
    most = looked.index(max(looked))
    return shown[most] >= _CONFIRMED * looked[most]


def _of_residuals(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> Correlation:
    """Measure the correlation of residuals where the network is surest."""
    probe = Probe(1, 0, StableNoise.of([stabiliser]), Partition("grid", 4))
    covariances = []
    for plane in planes[:: -(-len(planes) // _PLANES)]:
        rows, columns = (middle(extent, _SIDE) for extent in plane.shape)
        image = stabiliser.forward(plane[rows, columns])[None, None]
        residual, variance = _all_subsets(probe, image, control)
        sure = variance <= np.nanquantile(variance, _SUREST)
        covariances.append(autocovariance(np.where(sure, residual, np.nan)))
    variance, *shared = np.mean(covariances, axis=0)
    return Correlation.from_lags([value / variance for value in shared])


def _all_subsets(
    probe: Probe, image: Tensor, control: Control
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return noisy less predicted pixels, and predicted variances, NaN where pixels are missing."""
    both = torch.full((2, *image.shape), torch.nan)
    for subset in range(probe.partition.n_subsets):
        control.check()
        some = torch.stack(probe.residuals(image, subset))
        both = torch.where(some.isnan(), both, some)
    residual, variance = both[:, 0, 0].double().numpy()
    return residual, variance
