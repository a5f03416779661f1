"""On how coarse a grid an image is best denoised, and with which noise.

Where the highest frequencies are empty, what is left between neighbours is neither noise nor
structure: the noise looks as if the image had been denoised already, or far weaker than it is. On a
coarse grid it is as that of a camera, and can be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from ..noise.coarse import coarse, is_empty_beyond, lost
from ..noise.correlation import measure_correlation
from ..noise.stabilise import Stabiliser, fit_stabilisers, measured_planes
from ..progress import Control
from .noise_check import check_noise
from .whitening import Whitening

COARSEST = 4
_LOST = 0.06
"""Of the noise variance: so much may a coarse grid lose."""
_AS_STRONG, _ALIKE = 2.0, 1 / 3
"""What residuals may say of noise on a coarse grid: its variance over the measured one, or the
inverse of that, and the correlation of neighbours. Enlarged and deconvolved images come to 1.3 and
0.31, blurred ones to 20, or 0.37 and more: of these, whitening keeps what a coarse grid loses."""


def measure_on_coarse_grid(
    planes: Sequence[NDArray[Any]], control: Control
) -> tuple[int, tuple[Stabiliser, ...], list[FloatArray]]:
    """Find the coarsest grid on which planes lose nothing, and measure noise there.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (C, H, W), any real dtype.
    control : Control
        To cancel.

    Returns
    -------
    coarseness : int
        Of the grid; 1 if there is none on which noise can be measured.
    stabilisers : tuple of Stabiliser
        One for each channel, fitted on that grid; none if there is none.
    images : list of ndarray
        The planes on which that was done, float64, on that grid.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    some = measured_planes(planes)
    for coarseness in range(COARSEST, 1, -1):
        if not all(is_empty_beyond(plane, coarseness) for plane in chain(*some)):
            continue
        images = _on_coarse_grid(some, coarseness, control)
        found = fit_stabilisers(images, control)
        if not all(map(_measured, found)):
            continue
        found = check_noise(found, images, control)
        measured = all(map(_measured, found))
        if measured and _lose_nothing(some, images, found, coarseness, control):
            return coarseness, found, images
    return 1, (), []


def confirmed(whitening: Whitening) -> bool:
    """Tell whether residuals on a coarse grid show the noise that was measured there."""
    as_strong = 1 / _AS_STRONG < whitening.variance < _AS_STRONG
    return as_strong and whitening.neighbours < _ALIKE


def on_fine_grid(
    stabilisers: Sequence[Stabiliser], planes: Sequence[NDArray[Any]]
) -> tuple[Stabiliser, ...]:
    """Return stabilisers of a coarse grid with the correlation that noise has on the fine one."""
    found = []
    for channel, stabiliser in enumerate(stabilisers):
        stable = [stabiliser.forward(plane[channel]) for plane in measured_planes(planes)]
        correlation = measure_correlation([plane.double().numpy() for plane in stable])
        found.append(replace(stabiliser, noise=replace(stabiliser.noise, correlation=correlation)))
    return tuple(found)


def _on_coarse_grid(
    planes: Sequence[NDArray[Any]], coarseness: int, control: Control
) -> list[FloatArray]:
    """Return planes (C, H, W) on a coarse grid."""
    images = []
    for plane in planes:
        control.check()
        images.append(np.stack([coarse(channel, coarseness) for channel in plane]))
    return images


def _measured(stabiliser: Stabiliser) -> bool:
    """Tell whether noise was measured, and follows one law."""
    noise = stabiliser.noise
    one_law = not (stabiliser.each_plane or stabiliser.each_place)
    return noise.fitted and one_law and not noise.correlation.smooth


def _lose_nothing(
    planes: Sequence[NDArray[Any]],
    images: Sequence[FloatArray],
    stabilisers: Sequence[Stabiliser],
    coarseness: int,
    control: Control,
) -> bool:
    """Tell whether planes lose hardly anything on a coarse grid, where they are these images."""
    losses, variances = np.zeros((2, len(stabilisers)))
    for plane, image in zip(planes, images, strict=True):
        control.check()
        losses += [lost(channel, coarseness) for channel in plane]
        pairs = zip(stabilisers, image, strict=True)
        variances += [np.nanmean(each.grey_noise.variance(channel)) for each, channel in pairs]
    return bool((losses < _LOST * variances).all())
