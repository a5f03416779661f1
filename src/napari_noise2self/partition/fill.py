"""What is put in place of hidden pixels: nothing that knows their values."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

from ..settings import Fill

if TYPE_CHECKING:
    from torch import Tensor  # loaded where tensors are made: the docks do without


def fill(image: Tensor, hidden: Tensor, method: Fill = "interpolate", radius: int = 1) -> Tensor:
    """Replace hidden pixels without reading any of them.

    Parameters
    ----------
    image : Tensor
        Floating point, shape (B, C, H, W).
    hidden : Tensor
        bool, shape (B, 1, H, W): the same pixels are hidden in all channels.
    method : {"interpolate", "zero"}
        The weighted mean of the visible ones among the neighbours (binomial weights: for the
        eight nearest, 2 beside and 1 across), or zero. Where no neighbour is visible: zero, the
        mean of a normalised image.
    radius : int
        How far away neighbours may be, in pixels.

    Returns
    -------
    Tensor
        Same shape and dtype as `image`. Changing `image` where `hidden` changes nothing in it,
        not even if the hidden values are NaN.
    """
    import torch
    from torch.nn import functional

    visible = torch.where(hidden, 0, image)
    if method == "zero":
        return visible
    channels = image.shape[1]
    line = image.new_tensor([float(comb(2 * radius, k)) for k in range(2 * radius + 1)])
    kernel = torch.outer(line, line)
    kernel[radius, radius] = 0
    kernel = kernel / kernel.sum()
    repeated = kernel.expand(channels, 1, *kernel.shape)
    sums = functional.conv2d(visible, repeated, padding=radius, groups=channels)
    shown = (~hidden).to(image.dtype)
    weights = functional.conv2d(shown, kernel[None, None], padding=radius)
    return torch.where(hidden, sums / weights.clamp(min=1e-6), visible)
