"""The brightness around each pixel: where it is extreme, a network sees an image relative to it.

Bright objects would else lie outside the range that a network was trained in, however well they
stand out against what is next to them; and bfloat16, in which it computes, knows 256 levels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CELL = 8
"""Means are taken over cells of this many pixels' side, from the image's corner on."""
_CELLS = 7
LOCAL_REACH = (_CELLS // 2 + 2) * CELL
"""A local mean depends on no pixel farther away than this along any axis."""
_USUAL = 1.0
"""A local mean up to this, five standard deviations of the noise, is left to the network: it knows
the brightness of a larger surrounding better, and the mean of a cell has noise of its own."""


def local_mean(image: Tensor) -> Tensor:
    """Return the means of 7×7 cells, interpolated between their centres.

    Parameters
    ----------
    image : Tensor
        Shape (B, C, H, W), finite.

    Returns
    -------
    Tensor
        The same shape.
    """
    height, width = image.shape[-2:]
    below, right = -height % CELL, -width % CELL
    if below or right:
        image = functional.pad(image, (0, right, 0, below), mode="replicate")
    cells = functional.avg_pool2d(image, CELL)
    means = functional.avg_pool2d(
        cells, _CELLS, stride=1, padding=_CELLS // 2, count_include_pad=False
    )
    smooth = functional.interpolate(
        means, scale_factor=float(CELL), mode="bilinear", align_corners=False
    )
    return smooth[..., :height, :width]


def filled(image: Tensor) -> Tensor:
    """Return an image (H, W) with the local mean in place of NaN; itself if nothing is known."""
    present = torch.isfinite(image)
    if present.all() or not present.any():
        return image
    rough = torch.where(present, image, image[present].median())
    return torch.where(present, image, local_mean(rough[None, None])[0, 0])


def local_excess(image: Tensor) -> Tensor:
    """Return by how much local means are beyond what networks see as it is; 0 if none are.

    Parameters
    ----------
    image : Tensor
        Shape (B, C, H, W), finite, in the network's range.

    Returns
    -------
    Tensor
        The same shape.
    """
    return functional.softshrink(local_mean(image), _USUAL)


def local_bounds(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return what no prediction may be below, and above: three times the range of 3×3 cells.

    Far outside of what they learned from, networks make up light where there is none.

    Parameters
    ----------
    image : Tensor
        Shape (B, C, H, W), finite, both sides multiples of `CELL`.
    """
    ends = []
    for sign in (-1, 1):
        cells = functional.max_pool2d(functional.max_pool2d(sign * image, CELL), 3, 1, 1)
        ends.append(sign * functional.interpolate(cells, scale_factor=float(CELL), mode="nearest"))
    low, high = ends
    return 2 * low - high, 2 * high - low


def local_contrast(image: Tensor) -> float:
    """Return the standard deviation of an image from its local mean.

    Parameters
    ----------
    image : Tensor
        Shape (H, W); NaN where pixels are missing.
    """
    present = torch.isfinite(image)
    if not present.any():
        return 0.0
    filled = torch.where(present, image, image[present].mean())
    deviation = (filled - local_mean(filled[None, None])[0, 0])[present]
    return float(deviation.square().mean().sqrt())
