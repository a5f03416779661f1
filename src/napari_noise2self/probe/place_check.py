"""Whether noise differs from place to place, by what no network can predict.

Fine structure in some parts of an image looks like stronger noise there. But the pretrained network
is sure of itself only where there is noise alone, and what it can't predict is then as strong
everywhere as the noise at each place was found to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arrays import FloatArray
from ..noise.stabilise import Stabiliser
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from .pretrained import Probe

_PLANES, _TILES, _SIDE = 2, 3, 96  # tiles along each axis of a plane, and their side in pixels
_BLOCK, _FEWEST = 32, 0.5  # side in pixels, and the share of them that must be present
_SUREST, _LOUDEST = 0.25, 0.75  # share of the pixels of a block; quantile of blocks
_EVEN = 0.25
"""Standard deviation of the logarithm of what is left in blocks; 0.1 to 0.2 by chance."""
_SURE = 0.1
"""Of what is left in the loudest blocks: so little of it may be the network's own error."""


def differs_from_place_to_place(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], control: Control
) -> bool:
    """Tell whether residuals of the pretrained network are even, given the noise at each place.

    Parameters
    ----------
    stabiliser : Stabiliser
        Fitted to the planes, with `each_place`.
    planes : sequence of ndarray
        Shape (H, W), any real dtype.
    control : Control
        To cancel.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    noise = StableNoise.of([stabiliser])
    probe = Probe(1, 0, noise, Partition("grid", 4))
    blocks = []
    for plane in planes[:: -(-len(planes) // _PLANES)]:
        own = stabiliser.in_places(plane)
        known = noise.without_outliers(own.forward(plane)[None])[0]
        there = torch.from_numpy(own.variance_there)
        residual, variance = probe.all_residuals(_tiles(known)[:, None], control)
        blocks += _blocks(residual[:, 0], variance[:, 0], _tiles(there.expand(known.shape)))
    if not blocks:
        return False
    squares, errors, strengths = np.array(blocks).T
    loud = strengths >= np.quantile(strengths, _LOUDEST)
    sure = np.median(errors[loud] / squares[loud]) < _SURE
    return bool(sure and np.log(squares).std() < _EVEN)


def _tiles(plane: Tensor) -> Tensor:
    """Cut tiles, evenly spread, out of a plane; shape (n, height, width)."""
    spans = []
    for extent in plane.shape:
        count = max(1, min(_TILES, extent // _SIDE))
        starts = np.linspace(0, max(0, extent - _SIDE), count).astype(int)
        spans.append([slice(start, start + _SIDE) for start in starts])
    return torch.stack([plane[rows, columns] for rows in spans[0] for columns in spans[1]])


def _blocks(residual: Tensor, variance: Tensor, strength: Tensor) -> list[FloatArray]:
    """Return squared residual, variance and strength of the noise of each block, in the mean."""
    parts = torch.stack((residual.double().square(), variance.double(), strength))
    for axis in (2, 3):
        parts = parts.unfold(axis, side := min(_BLOCK, parts.shape[axis]), side)
    parts = parts.flatten(4).flatten(1, 3)
    found = []
    for block in parts.permute(1, 0, 2).numpy():
        present = block[:, np.isfinite(block).all(axis=0)]
        if present.shape[1] < _FEWEST * block.shape[1]:
            continue
        surest = present[1] <= np.quantile(present[1], _SUREST)
        found.append(present[:, surest].mean(axis=1))
    return found
