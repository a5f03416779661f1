"""Where the planes of an array are, for any order of its axes."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_noise2self.axes import AxesError, Layout, fullest, middle


@pytest.mark.parametrize(
    ("shape", "axes", "planes", "channels"),
    [
        ((8, 9), "YX", 1, 1),
        ((5, 8, 9), "QYX", 5, 1),
        ((2, 5, 8, 9), "PQYX", 10, 1),
        ((2, 2, 5, 8, 9), "OPQYX", 20, 1),
        ((2, 2, 2, 2, 2, 2, 8, 9), "LMNOPQYX", 64, 1),
    ],
)
def test_last_two_axes_are_space_and_the_others_number_planes(
    shape: tuple[int, ...], axes: str, planes: int, channels: int
) -> None:
    layout = Layout.of(shape)
    assert (layout.axes, layout.n_planes, layout.n_channels) == (axes, planes, channels)


@pytest.mark.parametrize(
    ("axes", "planes", "channels"),
    [
        ("TZYX", 6, 1),
        ("CSYX", 1, 6),
        ("TCYX", 2, 3),
        ("YXTC", 4, 5),
        ("YXCS", 1, 20),
        ("yxcs", 1, 20),
    ],
)
def test_letters_say_which_axes_are_channels(axes: str, planes: int, channels: int) -> None:
    layout = Layout.of((2, 3, 4, 5), axes)
    assert (layout.n_planes, layout.n_channels) == (planes, channels)
    assert layout.plane(np.zeros((2, 3, 4, 5)), 0).shape[0] == channels


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((8, 9), "TYX", "don't fit an image of shape"),
        ((8, 9, 3), "YX", "don't fit an image of shape"),
        ((8, 8, 8), "YXX", "one different letter"),
        ((8, 9), "ZX", "need both Y and X"),
        ((8,), None, "at least two axes"),
        ((), None, "at least two axes"),
        ((1,) * 9, None, "Name the axes"),
        ((20, 30, 3), None, "colour or space"),
        ((7, 20, 30, 4), None, "colour or space"),
    ],
)
def test_unclear_axes(shape: tuple[int, ...], axes: str | None, message: str) -> None:
    with pytest.raises(AxesError, match=message):
        Layout.of(shape, axes)


@pytest.mark.parametrize("shape", [(20, 30, 5), (3, 20, 30), (20, 4, 3), (4, 3, 4)])
def test_small_or_wide_last_axes_are_not_taken_for_colour(shape: tuple[int, ...]) -> None:
    assert Layout.of(shape).axes == "QYX"


@given(
    st.permutations("TZCSYX").flatmap(lambda order: st.tuples(st.just(order), st.integers(2, 6)))
)
def test_planes_are_read_and_written_where_they_belong(drawn: tuple[list[str], int]) -> None:
    order, count = drawn
    axes = (
        "".join(order)
        if count == 6
        else "".join(a for a in order if a in "YX" + "CTZS"[: count - 2])
    )
    extents = dict(zip("TZCSYX", (2, 3, 2, 3, 4, 5), strict=True))
    shape = tuple(extents[letter] for letter in axes)
    array = np.arange(np.prod(shape)).reshape(shape)
    layout, copy = Layout.of(shape, axes), np.full(shape, -1)
    for number in range(layout.n_planes):
        plane = layout.plane(array, number)
        assert plane.shape == (layout.n_channels, 4, 5)
        layout.set_plane(copy, number, plane)
    assert np.array_equal(copy, array)


def test_plane_holds_the_pixels_of_its_place() -> None:
    array = np.random.default_rng(0).random((4, 2, 5, 3))
    layout = Layout.of(array.shape, "YTXC")
    assert np.array_equal(layout.plane(array, 1), array[:, 1].transpose(2, 0, 1))


def test_channels_of_two_axes_keep_their_order() -> None:
    array = np.random.default_rng(0).random((2, 4, 5, 3))
    plane = Layout.of(array.shape, "CYXS").plane(array, 0)
    assert np.array_equal(plane[1], array[0, ..., 1])
    assert np.array_equal(plane[3], array[1, ..., 0])


def test_lazy_array_is_read_plane_by_plane() -> None:
    read = []

    def block(block_info: dict) -> np.ndarray:
        read.append(block_info[None]["chunk-location"])
        return np.zeros((1, 4, 5))

    lazy = dask.array.map_blocks(block, chunks=((1, 1, 1), (4,), (5,)), dtype=float)
    plane = Layout.of(lazy.shape).plane(lazy, 2)
    assert isinstance(plane, np.ndarray)
    assert read == [(2, 0, 0)]


def test_planes_beside_each_other() -> None:
    layout = Layout((3, 4, 5, 6), "TZYX")
    assert layout.stack_axes == "TZ"
    assert layout.adjacent(5, "Z") == (None, 4, 6, 7)
    assert layout.adjacent(5, "T") == (None, 1, 9, None)
    assert layout.in_order("Z") == list(range(12))
    assert layout.in_order("T")[:4] == [0, 4, 8, 1]
    assert Layout((1, 4, 5, 6), "TZYX").stack_axes == "Z"
    assert Layout((5, 6), "YX").stack_axes == ""
    assert Layout((5, 6), "YX").in_order("") == [0]


@pytest.mark.parametrize("axes", ["TZYX", "YTXZ", "XYZT"])
def test_a_window_has_a_layout_of_its_own(axes: str) -> None:
    """Its planes are those of the whole, whatever the order of the axes."""
    extents = {"T": 3, "Z": 4, "Y": 5, "X": 6}
    spans = {"T": slice(1, 3), "Z": slice(2, 3), "Y": slice(1, 4), "X": slice(None)}
    array = np.random.default_rng(0).random([extents[letter] for letter in axes])
    layout, window = Layout(array.shape, axes), tuple(spans[letter] for letter in axes)
    part = layout.part(window)
    assert part.n_planes == len(layout.numbers(window)) == 2
    for number, whole in enumerate(layout.numbers(window)):
        np.testing.assert_array_equal(
            part.plane(array[window], number), layout.plane(array, whole, spans["Y"], spans["X"])
        )


@pytest.mark.parametrize("shape", [(300, 400), (20, 400), (20, 30), (1, 1)])
def test_the_middle_is_looked_at_where_most_of_it_is_known(shape: tuple[int, int]) -> None:
    known = np.random.default_rng(0).random(shape) < 0.98
    known[middle(shape[0], 1), middle(shape[1], 1)] = True
    assert fullest(known, 64) == tuple(middle(extent, 64) for extent in shape)


@pytest.mark.parametrize("shape", [(300, 400), (37, 401), (50, 60), (1, 300)])
@pytest.mark.parametrize("side", [1, 7, 64, 256])
def test_another_part_is_looked_at_where_the_middle_is_missing(
    shape: tuple[int, int], side: int
) -> None:
    known = np.zeros(shape, bool)
    known[:, -shape[1] // 4 :] = True
    window = fullest(known, side)
    assert known[window].shape == tuple(min(side, extent) for extent in shape)
    most = min(side, shape[1] // 4) / min(side, shape[1])
    assert known[window].mean() > 0.9 * most
    nothing = np.zeros(shape, bool)
    assert nothing[fullest(nothing, side)].shape == known[window].shape


def test_of_windows_that_are_as_full_the_one_nearest_to_the_middle() -> None:
    known = np.ones((200, 300), bool)
    known[:, 100:200] = False
    rows, columns = fullest(known, 64)
    assert abs(rows.start - 68) <= 2
    assert columns.start in range(32, 37) or columns.start in range(200, 205)
