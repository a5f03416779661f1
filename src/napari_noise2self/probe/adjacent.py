"""Adjacent planes of a stack: whether they tell of a pixel.

The noise of a pixel is independent of that in other planes, too. So a network may see the planes
before and after, even at the place of the pixel itself: what it predicts of the pixel is
J-invariant as before. It does not help where planes have nothing to do with each other, and must
not be done where they share noise, as after averaging over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..axes import BESIDE, Beside, fullest
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from ..settings import AdjacentPlanes
from ..stack import Stack, beside_plane
from .pretrained import Probe

_PLANES, _SIDE, _SUBSETS = 4, 256, 2
"""Planes at most, the side in pixels of what is looked at of each, and subsets of that."""
_SHARED = 0.2
"""Correlation of the noise of planes from which on it would be taken for structure."""


def choose_adjacent(
    planes: Sequence[Tensor],
    axes: dict[str, list[Beside]],
    partition: Partition,
    noise: StableNoise,
    choice: AdjacentPlanes,
    control: Control,
) -> Stack:
    """Choose the axis along which a network is to see adjacent planes.

    The two pretrained networks, with and without adjacent planes, predict some hidden pixels.
    Both predictions are J-invariant, so that their losses rank them as the clean image would, if
    the noise of planes is independent. What planes share besides structure is shared noise.

    Parameters
    ----------
    planes : sequence of Tensor
        Stabilised training images, (C, H, W), NaN where missing.
    axes : dict
        For the letter of each axis of a stack, which planes lie beside each.
    partition : Partition
        Which pixels of a plane are hidden together.
    noise : StableNoise
        Of the stabilised images.
    choice : {"auto", "use", "ignore"}
        See `Settings.adjacent_planes`.
    control : Control
        To cancel.
    """
    if not axes or choice == "ignore":
        return Stack()
    if choice == "use" and len(axes) == 1:
        return _as_asked_for(*axes)
    trials = {
        axis: _try(planes, beside, partition, noise, control) for axis, beside in axes.items()
    }
    axis = min(trials, key=lambda letter: trials[letter].loss_ratio)
    if choice == "use":
        return _as_asked_for(axis)
    if not trials[axis].loss_ratio < 1:
        return Stack("", "Planes are denoised one by one: those beside it tell nothing of a plane.")
    shared = trials[axis].shared_noise
    if shared > _SHARED:
        alike = f"along {axis} their noise is correlated by {shared:.2f}, as after averaging"
        return Stack("", f"Planes are denoised one by one: {alike}.")
    return Stack(axis, f"Adjacent planes along {axis} are seen, too: they tell of each other.")


def _as_asked_for(axis: str) -> Stack:
    return Stack(axis, f"Adjacent planes along {axis} are seen, as asked for.")


def _some(beside: Sequence[Beside]) -> list[int]:
    """Choose a few planes, evenly spread, that have others beside them."""
    numbers = [number for number, there in enumerate(beside) if any(n is not None for n in there)]
    return numbers[:: max(1, -(-len(numbers) // _PLANES))]


@dataclass
class _Trial:
    """Sums over hidden pixels of some planes, predicted without and with those beside them."""

    alone: float = 0.0
    """Squared errors without,"""
    together: float = 0.0
    """and with adjacent planes."""
    both: float = 0.0
    """Products of the residuals of a plane and of the next, each predicted alone,"""
    expected: float = 0.0
    """what they would be if the network's errors were the same in both,"""
    noise: float = 0.0
    """and if the noise were the same: squared residuals less expected errors."""

    @property
    def loss_ratio(self) -> float:
        """Below 1 if adjacent planes help."""
        return self.together / self.alone if self.alone else 1.0

    @property
    def shared_noise(self) -> float:
        """Correlation of the noise of a plane with that of the next one, at least."""
        return (self.both - self.expected) / self.noise if self.noise > 0 else 0.0


@torch.no_grad()
def _try(
    planes: Sequence[Tensor],
    beside: Sequence[Beside],
    partition: Partition,
    noise: StableNoise,
    control: Control,
) -> _Trial:
    """Predict hidden pixels of some planes without and with those beside."""
    single, stacked = (Probe(len(planes[0]), n, noise, partition) for n in (0, len(BESIDE)))
    trial = _Trial()
    for number in _some(beside):
        rows, columns = fullest(planes[number].isfinite().all(dim=0).numpy(), _SIDE)
        there = {n: planes[n][:, rows, columns] for n in (number, *beside[number]) if n is not None}
        seen = beside_plane(number, beside[number], there.__getitem__)[None]
        following = beside[number][BESIDE.index(1)]
        for subset in range(min(_SUBSETS, partition.n_subsets)):
            control.check()
            alone, error = single.residuals(there[number][None], subset)
            together, _ = stacked.residuals(there[number][None], subset, seen)
            trial.alone += _sum(alone.square())
            trial.together += _sum(together.square())
            if following is not None:
                other, other_error = single.residuals(there[following][None], subset)
                common = (error * other_error).sqrt()
                trial.both += _sum(alone * other)
                trial.expected += _sum(common)
                trial.noise += _sum((alone.square() + other.square()) / 2 - common)
    return trial


def _sum(values: Tensor) -> float:
    return float(torch.nansum(values.double()))
