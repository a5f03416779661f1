"""Pixels that stand out from all around them as no light does: hot, dead, or hit by a cosmic ray.

The image of a point is as wide as the optics make it, so its brightest pixel has bright neighbours.
Where such pixels are many, those that touch are found, too; see `impulses`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from .impulses import LARGEST_NEIGHBOUR, NOISE, STANDS_OUT, are_frequent, find_impulses

_SHOWN = 5.0
"""Standard deviations that a network is shown of what stands out: they are in all it predicts."""
_FEWEST_NEIGHBOURS = 3
_LINE_SHARE = 0.4
"""Of 3×3 pixels: a line has a third of them, the corner of a patch 4/9."""


def limited(image: Tensor, noise_std: float) -> Tensor:
    """Return an image of which no pixel stands out much from all its eight neighbours.

    Parameters
    ----------
    image : Tensor
        Shape (B, C, H, W), finite.
    noise_std : float
        Of its noise.
    """
    if image.shape[-2:] == (1, 1):
        return image
    most = _SHOWN * noise_std
    low, high = -_highest_around(-image) - most, _highest_around(image) + most
    return torch.minimum(torch.maximum(image, low), high)


def without_outliers(image: Tensor, noise: Tensor) -> Tensor:
    """Return an image with NaN where a pixel stands out from all around it.

    Parameters
    ----------
    image : Tensor
        Stabilised, shape (C, H, W); NaN where pixels are missing.
    noise : Tensor
        Variance of its noise, of the same shape; where it is 0, nothing is known to stand out.
    """
    std, known = noise.sqrt(), torch.isfinite(image)
    above, below = (
        signed - _highest_around(torch.where(known, signed, -math.inf)) > STANDS_OUT * std
        for signed in (image, -image)
    )
    places = ((above | below) & (noise > 0)).nonzero(as_tuple=True)
    if not len(places[0]):
        return image
    around = torch.stack([shifted[places] for shifted in _around(image, math.nan)])
    middle = around.nanmedian(dim=0).values
    height = image[places] - middle
    nearest = ((around - middle) * height.sign()).nan_to_num(-math.inf).amax(dim=0)
    alone = nearest < LARGEST_NEIGHBOUR * height.abs() + NOISE * std[places]
    alone &= torch.isfinite(around).sum(dim=0) >= _FEWEST_NEIGHBOURS
    cleaned = image.clone()
    cleaned[tuple(axis[alone] for axis in places)] = math.nan
    for channel, before, variance in zip(cleaned, image, noise, strict=True):
        if are_frequent(int((channel.isnan() & before.isfinite()).sum()), channel.numel()):
            deviation = torch.where(variance > 0, variance.sqrt(), math.inf)
            found = find_impulses(before.double().numpy(), deviation.double().numpy())
            channel[torch.from_numpy(found)] = math.nan
    return cleaned


def in_patches(missing: Tensor) -> Tensor:
    """Return which of the missing pixels have more of them around than the pixels of a line have.

    Parameters
    ----------
    missing : Tensor
        bool of shape (C, H, W).
    """
    share = functional.avg_pool2d(missing.float(), 3, 1, 1, count_include_pad=False)
    return missing & (share > _LINE_SHARE)


def _highest_around(image: Tensor) -> Tensor:
    """Return the highest of the neighbours of each pixel."""
    return reduce(torch.maximum, _around(image, -math.inf))


def _around(image: Tensor, beyond: float) -> Iterator[Tensor]:
    """Yield the image shifted by one pixel in each of eight directions."""
    height, width = image.shape[-2:]
    padded = functional.pad(image, (1, 1, 1, 1), value=beyond)
    for down in range(3):
        for right in range(3):
            if (down, right) != (1, 1):
                yield padded[..., down : down + height, right : right + width]
