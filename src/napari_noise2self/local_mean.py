"""The brightness around each pixel: a network sees an image relative to it.

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
