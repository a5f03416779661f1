"""What is known of the noise of images before any training, and how it becomes white."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from .choices import choose_partition, keeps_weights, learns_nothing
from .noise.stabilise import Stabiliser, fit_stabilisers
from .partition import Partition
from .partition.exclusion import Exclusion
from .probe.coarseness import confirmed, measure_on_coarse_grid, on_fine_grid
from .probe.noise_check import check_noise
from .probe.whitening import Whitening, measure_whitenings
from .progress import Control
from .settings import Settings

_WEAKLY_ALIKE = Exclusion("plus", 2)
"""Hides the neighbours whose noise may be like a pixel's own if it looked white."""


class MeasuredNoise(NamedTuple):
    """The noise of some images.

    Parameters
    ----------
    stabilisers : tuple of Stabiliser
        One for each channel.
    whitenings : tuple of Whitening
        One for each channel, where noise is to be made white; else none.
    coarseness : int
        Of the grid on which that is done; see `noise.coarse`.
    """

    stabilisers: tuple[Stabiliser, ...]
    whitenings: tuple[Whitening, ...] = ()
    coarseness: int = 1


def measure_noise(
    planes: Sequence[NDArray[Any]], settings: Settings, control: Control
) -> MeasuredNoise:
    """Measure the noise of planes (C, Y, X), for a network that is trained as settings say.

    On a coarse grid, where that is enough, only for one whose weights are kept: another learns from
    the planes as they are.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    if keeps_weights(settings) and settings.chooses_exclusion:
        coarseness, found, images = measure_on_coarse_grid(planes, control)
        if coarseness > 1:
            whitenings = find_whitenings(found, images, settings, control)
            if whitenings and all(map(confirmed, whitenings)):
                return MeasuredNoise(on_fine_grid(found, planes), whitenings, coarseness)
    stabilisers = measure_laws(planes, control)
    partition, _ = choose_partition(settings, stabilisers)
    if not learns_nothing(settings, partition):
        return MeasuredNoise(stabilisers)
    return MeasuredNoise(stabilisers, find_whitenings(stabilisers, planes, settings, control))


def measure_laws(planes: Sequence[NDArray[Any]], control: Control) -> tuple[Stabiliser, ...]:
    """Measure the noise of planes (C, Y, X), and again where the pretrained network objects.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    return check_noise(fit_stabilisers(planes, control), planes, control)


def find_whitenings(
    stabilisers: Sequence[Stabiliser],
    planes: Sequence[NDArray[Any]],
    settings: Settings,
    control: Control,
) -> tuple[Whitening, ...]:
    """See how noise becomes white, for the network as it was before training.

    None where an exclusion was chosen instead.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    if not settings.chooses_exclusion:
        return ()
    exclusion = choose_partition(settings, stabilisers)[0].exclusion
    alike = exclusion if exclusion.radius else _WEAKLY_ALIKE
    partition = Partition.from_settings(settings, alike)
    return measure_whitenings(stabilisers, planes, partition, control)
