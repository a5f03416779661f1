"""The held-out pixels: no step has them as targets, so their loss ranks weights, and classics.

They are the first subsets of a partition, all the pixels of a subset where it is small enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..networks import Blindfolded
from ..partition import Partition
from ..progress import Control

_SMALLEST_SHARE = 1 / 32
"""Of all pixels, as far as whole subsets allow,"""
_LARGEST_SHARE = 1 / 16
"""and the share beyond which a subset is thinned."""


class HeldOut(NamedTuple):
    """Patches with one subset hidden, on which weights are ranked."""

    image: Tensor
    """float32 (B, C, H, W)."""
    hidden: Tensor
    """bool (B, 1, H, W): the whole subset with its exclusion."""
    present: Tensor
    """bool (B, 1, H, W)."""
    target: Tensor
    """bool (B, 1, H, W): the held-out pixels of the subset."""
    beside: Tensor | None = None
    """See `patches.Batch`."""


def held_out_subsets(partition: Partition) -> range:
    """Return the subsets that hold the held-out pixels."""
    return range(max(1, math.ceil(partition.n_subsets * _SMALLEST_SHARE)))


def held_out_pixels(partition: Partition, labels: Tensor) -> Tensor:
    """Return which pixels of a plane are held out, bool of shape (H, W).

    By coordinates alone, as a training may be continued with the plane among others. Nor do
    PyTorch's random numbers choose them, from which noise may have been simulated.

    Parameters
    ----------
    partition : Partition
        Of the plane.
    labels : Tensor
        Its subsets, shape (H, W).
    """
    subsets = len(held_out_subsets(partition))
    held_out = labels < subsets
    keep = _LARGEST_SHARE * partition.n_subsets / subsets
    if keep < 1:
        held_out &= partition.drawn((labels.shape[0], labels.shape[1]), keep)
    return held_out


def score(
    network: Blindfolded, partition: Partition, held_out: Sequence[HeldOut], control: Control
) -> tuple[Tensor, Tensor]:
    """Predict the held-out pixels.

    Parameters
    ----------
    network : Blindfolded
        On the device of the patches.
    partition : Partition
        That hides them.
    held_out : sequence of HeldOut
        The patches.
    control : Control
        To cancel.

    Returns
    -------
    scores, errors : Tensor
        Squared errors, and what the network itself expects of them without the noise, in units of
        the noise variance: of shape (C, pixels), on the CPU.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    found = []
    for image, hidden, present, target, beside in held_out:
        control.check()
        mean, variance = network(partition, image, hidden | ~present, beside)
        squares = torch.stack(((mean - image).square(), variance)) / network.noise.unit
        found.append(squares.transpose(1, 2).flatten(2)[..., target.flatten()].cpu())
    scores, errors = torch.cat(found, dim=-1)
    return scores, errors
