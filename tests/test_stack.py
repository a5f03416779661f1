"""Along which axis of an image adjacent planes are seen, and how."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.axes import Layout
from napari_noise2self.stack import Stack, beside_plane


@pytest.mark.parametrize(
    ("axes", "expected"), [("TYX", "T"), ("ZTYX", "T"), ("ZYX", "Z"), ("ZPYX", ""), ("YX", "")]
)
def test_the_axis_of_another_image(axes: str, expected: str) -> None:
    layout = Layout((4, 4, 4, 4)[: len(axes)], axes)
    assert Stack("T").axis_of(layout) == expected
    assert Stack().axis_of(layout) == ""


def test_what_lies_beside_comes_in_order_and_zero_where_nothing_does() -> None:
    planes = [torch.full((2, 3, 4), float(number)) for number in range(5)]
    planes[1][0, 0, 0] = torch.nan
    beside = beside_plane(3, (1, 2, 4, None), planes.__getitem__)
    assert beside.shape == (2, 4, 3, 4)
    assert beside[1, :, 0, 0].tolist() == [1, 2, 4, 0]
    assert beside[0, 0, 0, 0] == 0, "a missing pixel is no number"
