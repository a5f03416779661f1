"""A partition on one plane, for people: which pixels are hidden, and what the network sees then.

Drawn in NumPy, because it follows a slider: PyTorch takes a second to load.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..settings import Fill
from . import Partition

VISIBLE, NEIGHBOUR, HIDDEN = 0, 1, 2
"""Values of a drawing: seen by the network; hidden with the subset; in the subset."""

_ROWS = 64  # at a time, which stay in the processor's cache: three times as fast


def draw(partition: Partition, shape: tuple[int, int], subset: int) -> NDArray[np.uint8]:
    """Draw the pixels that are hidden while a subset is predicted.

    Parameters
    ----------
    partition : Partition
        Of the plane.
    shape : tuple of int
        Height and width of the plane.
    subset : int
        From 0 to ``partition.n_subsets - 1``.

    Returns
    -------
    ndarray
        uint8 of shape (height, width), of `VISIBLE`, `NEIGHBOUR` and `HIDDEN`.
    """
    targets = hidden = _targets(partition, shape, subset)
    for up, across in partition.exclusion.rectangles:
        hidden = hidden | _widen(_widen(targets, up, axis=0), across, axis=1)
    drawing: NDArray[np.uint8] = np.add(targets, hidden, dtype=np.uint8)
    return drawing


def filled(
    image: NDArray[np.generic], partition: Partition, subset: int, method: Fill
) -> NDArray[np.float32]:
    """Return a plane as the network sees it while a subset is hidden; this loads PyTorch.

    Shown in grey levels: the network itself sees them stabilised, where zero is their mean.

    Parameters
    ----------
    image : ndarray
        Whole or real numbers, shape (C, H, W). Pixels that are not finite in every channel are
        hidden, too.
    partition : Partition
        Of the plane.
    subset : int
        From 0 to ``partition.n_subsets - 1``.
    method : {"interpolate", "zero"}
        What stands in place of hidden pixels: the mean of the visible ones around, or the mean
        of the channel.

    Returns
    -------
    ndarray
        float32 of the same shape.
    """
    import torch

    present = np.isfinite(image).all(axis=0)
    mean = np.where(present, image, 0).mean(axis=(1, 2), keepdims=True) / max(present.mean(), 1e-9)
    centred = torch.from_numpy((image - mean).astype(np.float32))
    hidden = torch.from_numpy((draw(partition, present.shape, subset) > VISIBLE) | ~present)
    seen = partition.fill(centred[None], hidden[None, None], method)[0]
    shown: NDArray[np.float32] = (seen.numpy() + mean).astype(np.float32)
    return shown


def _targets(partition: Partition, shape: tuple[int, int], subset: int) -> NDArray[np.bool_]:
    """Return which pixels are in a subset."""
    height, width = shape
    targets = np.empty(shape, bool)
    columns = np.arange(width, dtype=np.uint32)[None, :]
    for top in range(0, height, _ROWS):
        rows = np.arange(top, min(top + _ROWS, height), dtype=np.uint32)[:, None]
        targets[top : top + _ROWS] = partition.label(rows, columns) == subset
    return targets


def _widen(targets: NDArray[np.bool_], reach: int, axis: int) -> NDArray[np.bool_]:
    """Add the pixels that are up to so many pixels before and after the targets on an axis."""
    if reach == 0:
        return targets
    wide = targets.copy()
    ahead, behind = (array.swapaxes(0, axis) for array in (wide, targets))
    for step in range(1, reach + 1):
        ahead[step:] |= behind[:-step]
        ahead[:-step] |= behind[step:]
    return wide
