"""Mixes of two arrays: their values, and how they pass for an array."""

from copy import deepcopy

import dask.array
import numpy as np
import pytest

from napari_noise2self.widgets.layers import mix as module
from napari_noise2self.widgets.layers.mix import (
    LastPart,
    Mix,
    Wiped,
    amount_of,
    denoised_of,
    result_of,
)

LEFT = np.arange(8) < 3


@pytest.fixture
def pair():
    random = np.random.default_rng(0)
    noisy = random.integers(0, 99, (3, 6, 8)).astype(np.uint16)
    return noisy, random.normal(50, 9, noisy.shape).astype(np.float32)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("key", [..., 1, (1, slice(2, 4)), (slice(None), 3), ([0, 2],)])
def test_values(pair, amount, key):
    noisy, denoised = pair
    mixed = Mix(noisy, denoised, amount)[key]
    expected = amount * denoised[key] + (1 - amount) * noisy[key]
    np.testing.assert_allclose(mixed, expected, rtol=1e-6)
    assert mixed.dtype == np.float32


def test_ends_are_the_images_themselves(pair):
    noisy, denoised = pair
    np.testing.assert_array_equal(Mix(noisy, denoised, 0.0), noisy)
    np.testing.assert_array_equal(Mix(noisy, denoised, 1.0), denoised)


def test_whole_numbers_are_rounded():
    noisy, denoised = np.array([[0, 10, 255]], np.uint8), np.array([[3, 13, 255]], np.uint8)
    mixed = np.asarray(Mix(noisy, denoised, 0.5))
    np.testing.assert_array_equal(mixed, [[2, 12, 255]])
    assert mixed.dtype == np.uint8


def test_only_what_is_looked_at_is_read(pair):
    noisy, denoised = pair
    read = []

    class Disk:
        shape, dtype = noisy.shape, noisy.dtype

        def __getitem__(self, key):
            read.append(key)
            return noisy[key]

    mix = Mix(Disk(), denoised, 0.5)
    assert (mix.shape, mix.ndim, mix.size, len(mix)) == ((3, 6, 8), 3, 144, 3)
    assert read == []
    assert mix[2].shape == (6, 8)
    assert read == [2]


def test_lazy_noisy_image(pair):
    noisy, denoised = pair
    lazy = dask.array.from_array(noisy, chunks=(1, 6, 8))
    np.testing.assert_array_equal(Mix(lazy, denoised, 0.5)[1], Mix(noisy, denoised, 0.5)[1])


def test_behaves_like_an_array(pair):
    mix = Mix(*pair, 0.5)
    assert mix.max() == np.asarray(mix).max()
    assert mix.astype(int).dtype == int
    np.testing.assert_array_equal(deepcopy(mix), mix)
    assert not hasattr(mix, "chunks")
    assert not hasattr(mix, "__cuda_array_interface__")


def test_parts_of_any_data(pair):
    noisy, denoised = pair
    assert denoised_of(Mix(noisy, denoised, 0.5)) is denoised
    assert amount_of(Mix(noisy, denoised, 0.5)) == 0.5
    assert denoised_of(Wiped(noisy, Mix(noisy, denoised, 0.5), LEFT)) is denoised
    assert amount_of(Wiped(noisy, Mix(noisy, denoised, 0.5), LEFT)) == 0.5
    assert result_of(Wiped(noisy, denoised, LEFT)) is denoised
    assert result_of(denoised) is denoised_of(denoised) is denoised
    assert amount_of(denoised) == 1


@pytest.mark.parametrize("key", [..., 1, (1, slice(2, 4)), (slice(None), 3), ([0, 2],), (2, 1, 0)])
def test_parts_of_a_wiped_result_are_noisy_on_the_left(pair, key):
    noisy, denoised = pair
    expected = np.where(LEFT, noisy, denoised)
    part = Wiped(noisy, denoised, LEFT)[key]
    np.testing.assert_array_equal(part, expected[key])
    assert part.dtype == denoised.dtype


def test_wiped_result_as_a_whole_is_the_result(pair):
    noisy, denoised = pair
    for result in (denoised, Mix(noisy, denoised, 0.5)):
        wiped = Wiped(noisy, result, LEFT)
        np.testing.assert_array_equal(np.asarray(wiped), np.asarray(result))
        assert wiped.max() == np.asarray(result).max()
        assert type(deepcopy(wiped)) is type(result)


def test_nothing_writes_through_a_wiped_result(pair):
    noisy, denoised = pair
    wiped, before = Wiped(noisy, denoised, LEFT), denoised.copy()
    for copy in (np.array(wiped), wiped[...]):
        copy[:] = 0
    np.testing.assert_array_equal(denoised, before)


class Lazy:
    """Counts how often it is read."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.reads = 0

    def __getitem__(self, key):
        self.reads += 1
        return self.array[key]


@pytest.mark.parametrize(
    ("key", "reads"), [(1, 3), ((1, slice(2, 4)), 3), ((..., 3), 3), (([0, 2],), 4)]
)
def test_the_part_read_last_is_kept(pair, key, reads):
    noisy, _ = pair
    lazy = Lazy(noisy)
    last = LastPart(lazy)
    for other in (key, key, 2, key):
        np.testing.assert_array_equal(last[other], noisy[other])
    assert lazy.reads == reads


def test_the_same_part_may_be_asked_for_in_other_words(pair):
    lazy = Lazy(pair[0])
    last = LastPart(lazy)
    everything = slice(None)
    assert last.lacks((1, everything, everything))
    rows, columns = (slice(0, n, 1) for n in lazy.shape[1:])
    for key in (1, np.int64(1), (1, ...), (..., 1, rows, columns), (1 - len(lazy.array), rows)):
        np.testing.assert_array_equal(last[key], lazy.array[1])
        assert not last.lacks((1, everything, everything))
        assert last.lacks((2, everything, everything))
    assert lazy.reads == 1


def test_a_large_part_is_not_kept(pair, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 50)
    lazy = Lazy(pair[0])
    last = LastPart(lazy)
    assert not last.lacks((slice(None),) * 3)  # it would be read a second time
    for key in (0, 0, ..., ..., 0):
        last[key]
    assert lazy.reads == 4


def test_what_is_not_seen_is_not_read(pair):
    noisy, denoised = pair
    lazy = Lazy(denoised)
    everywhere = Wiped(noisy, lazy, np.ones(1, bool))
    np.testing.assert_array_equal(everywhere[1], noisy[1])
    assert everywhere[1].dtype == denoised.dtype
    assert lazy.reads == 0
