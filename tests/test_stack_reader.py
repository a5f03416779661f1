"""Planes are read once, in the order of the stack, each with those beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from napari_noise2self.axes import Layout
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import NOISE_STD, Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from napari_noise2self.stack_reader import StackReader

SHAPE, AXES = (3, 6, 8, 9), "TZYX"
STACK = np.random.default_rng(0).normal(100, 10, SHAPE)
STABILISERS = [Stabiliser(100, 10, NoiseModel(0, 1), scale=NOISE_STD)]


class Counted:
    """An array that counts how often each plane is read."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.reads = array, []

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        self.reads.append(index[:2])
        return self.array[index]


def _reader(axis: str, image: Any = STACK, window: tuple[slice, ...] | None = None) -> StackReader:
    noise = StableNoise.of(STABILISERS)
    return StackReader(image, Layout(SHAPE, AXES), STABILISERS, noise, True, axis, window)


@pytest.mark.parametrize("axis", ["", "T", "Z"])
def test_all_planes_come_once(axis: str) -> None:
    reader = _reader(axis)
    assert sorted(reader.order) == list(range(18))
    for number in reader.order:
        np.testing.assert_array_equal(reader.plane(number)[0], STACK.reshape(-1, 8, 9)[number])


@pytest.mark.parametrize("axis", ["T", "Z"])
def test_what_is_beside_a_plane_lies_along_the_axis(axis: str) -> None:
    reader, along = _reader(axis), AXES.index(axis)
    for number in reader.order:
        beside = reader.beside(number)
        assert beside is not None
        place = np.unravel_index(number, SHAPE[:2])
        for seen, step in zip(beside[0], (-2, -1, 1, 2), strict=True):
            there = list(place)
            there[along] += step
            if 0 <= there[along] < SHAPE[along]:
                expected = STABILISERS[0].forward(STACK[tuple(there)])
                torch.testing.assert_close(seen, expected)
            else:
                assert not seen.any()


def test_nothing_is_beside_a_plane_that_is_seen_alone() -> None:
    assert _reader("").beside(4) is None


@pytest.mark.parametrize("axis", ["T", "Z"])
def test_a_plane_is_not_read_again_for_each_of_its_neighbours(axis: str) -> None:
    image = Counted(STACK)
    reader = _reader(axis, image)
    for number in reader.order:
        reader.plane(number)
        reader.stable(number)
        reader.beside(number)
    assert len(image.reads) == len(set(image.reads)) == 18


def test_a_window_is_a_part_of_the_image_but_sees_what_is_beside_it() -> None:
    window = (slice(1, 2), slice(3, 5), slice(2, 7), slice(0, 9))
    part, whole = _reader("Z", window=window), _reader("Z")
    assert part.layout.shape == (1, 2, 5, 9)
    for number, same in zip(part.order, (9, 10), strict=True):
        np.testing.assert_array_equal(part.plane(number), whole.plane(same)[:, 2:7])
        torch.testing.assert_close(part.stable(number), whole.stable(same)[:, 2:7])
        beside, expected = part.beside(number), whole.beside(same)
        assert beside is not None
        assert expected is not None
        torch.testing.assert_close(beside, expected[..., 2:7, :])


def test_a_margin_around_a_window_begins_where_the_network_may() -> None:
    rows = np.random.default_rng(1).normal(0, 40, (3, 6, 96, 1))
    stack = np.random.default_rng(0).normal(100, 10, (3, 6, 96, 80)) + rows
    window = (slice(1, 2), slice(3, 5), slice(-30, -20), slice(5, 60))
    noise, layout = StableNoise.of(STABILISERS), Layout(stack.shape, AXES)
    whole = StackReader(stack, layout, STABILISERS, noise, True, "Z")
    part = StackReader(stack, layout, STABILISERS, noise, True, "Z", window, 11, 8)
    assert part.layout.shape == (1, 2, 10, 55)
    assert part.origin == (48, 0)
    assert part.wanted == (slice(18, 28), slice(5, 60))
    assert whole.line_noise(9)
    for number, same in zip(part.order, (9, 10), strict=True):
        torch.testing.assert_close(part.stable(number), whole.stable(same)[:, 48:87, :71])
        beside, expected = part.beside(number), whole.beside(same)
        assert beside is not None
        assert expected is not None
        torch.testing.assert_close(beside, expected[..., 48:87, :71])


def test_what_tells_nothing_is_not_seen_but_only_what_has_no_value_is_missing() -> None:
    stack = STACK.copy()
    stack[1, 2, 4, 4] = 1e4
    stack[1, 2, 0, 0] = np.nan
    reader = _reader("", stack)
    number = 1 * SHAPE[1] + 2
    assert reader.known(number)[0].isnan().nonzero().tolist() == [[0, 0], [4, 4]]
    assert reader.stable(number)[0].isnan().nonzero().tolist() == [[0, 0]]
    assert reader.missing(number)[0].nonzero().tolist() == [[0, 0]]
