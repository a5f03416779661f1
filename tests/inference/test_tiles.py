"""Tiles cover an image, and see all around them that matters."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_noise2self.inference.tiles import cut


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_each_pixel_once(height: int, width: int, size: int, reach: int) -> None:
    covered = torch.zeros((height, width), dtype=torch.int64)
    for tile in cut(torch.Size((height, width)), size, reach, 4):
        covered[tile.target] += 1
        for window, inner, target in zip(tile.window, tile.inner, tile.target, strict=True):
            assert window.start % 4 == 0
            assert window.start + inner.start == target.start
            assert inner.stop - inner.start == target.stop - target.start
    assert (covered == 1).all()
