"""Tiles of an image, which are predicted as they are in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Tile:
    """A window of the image, the part of it that is kept, and where that goes."""

    window: tuple[slice, slice]
    inner: tuple[slice, slice]
    target: tuple[slice, slice]


def cut(shape: torch.Size, size: int, reach: int, stride: int) -> Iterator[Tile]:
    """Cut an image into tiles whose kept parts see all that they depend on.

    Windows begin at multiples of the network's stride and overlap by all that reaches into a
    pixel's prediction, so the result is the same whatever the tile size.
    """
    halo = -(-reach // stride) * stride
    size = max(stride, size // stride * stride)
    spans = []
    for extent in shape:
        if extent <= size + 2 * halo:
            spans.append([(slice(0, extent), slice(0, extent), slice(0, extent))])
            continue
        cuts = []
        for start in range(0, extent, size):
            stop = min(start + size, extent)
            low, high = max(0, start - halo), min(extent, stop + halo)
            cuts.append((slice(low, high), slice(start - low, stop - low), slice(start, stop)))
        spans.append(cuts)
    for rows in spans[0]:
        for columns in spans[1]:
            yield Tile(*zip(rows, columns, strict=True))
