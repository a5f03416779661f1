"""What each axis of an array means, and how an array falls into planes.

Letters are tifffile's: Y and X are space; C and S are channels, denoised jointly because their
noise may be shared (S are the samples of a colour image); all others (T, Z, …) number planes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BESIDE = (-2, -1, 1, 2)
"""Where the planes lie that are adjacent to one in a stack."""
Beside = tuple[int | None, ...]
"""Numbers of the planes at the places in `BESIDE`; None where there is none."""
_ENOUGH = 0.75
"""Share of the pixels in the middle of a plane that must be known, for that to be looked at,"""
_LOOKS = 32
"""and in how many places along each axis another window is looked at."""
_CHANNELS = "CS"
_DEFAULT_AXES = "LMNOPQ"


class AxesError(ValueError):
    """Axes and array don't fit each other. The message says what to do."""


@dataclass(frozen=True)
class Layout:
    """Where the planes of an array are.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    axes : str
        One letter for each axis, with Y and X among them.
    """

    shape: tuple[int, ...]
    axes: str

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.shape) or len(set(self.axes)) != len(self.axes):
            raise AxesError(
                f"Axes {self.axes!r} don't fit an image of shape {self.shape}; give one "
                "different letter for each axis, for example axes='TZYX'."
            )
        if not {"Y", "X"} <= set(self.axes):
            raise AxesError(f"Axes {self.axes!r} need both Y and X, the axes of a plane.")

    @classmethod
    def of(cls, shape: Sequence[int], axes: str | None = None) -> Layout:
        """Return the layout of an array, whose last two axes are Y and X if `axes` is None.

        Raises
        ------
        AxesError
            If axes and shape don't fit, or if it is unclear whether the last axis is colour.
        """
        shape = tuple(int(extent) for extent in shape)
        if axes is not None:
            return cls(shape, axes.upper())
        if len(shape) < 2:
            raise AxesError(f"An image needs at least two axes; this one has shape {shape}.")
        if len(shape) >= 3 and shape[-1] in (3, 4) and min(shape[-3:-1]) > 4:
            raise AxesError(
                f"Is the last axis of shape {shape} colour or space? Say so: axes='YXC' for "
                "colour, or for example axes='ZYX'."
            )
        if len(shape) > 2 + len(_DEFAULT_AXES):
            raise AxesError(f"Name the axes of an image of shape {shape}, for example axes='TZYX'.")
        return cls(shape, _DEFAULT_AXES[len(_DEFAULT_AXES) - len(shape) + 2 :] + "YX")

    @property
    def n_channels(self) -> int:
        """Number of channels that are denoised jointly."""
        return math.prod(self._extents(_CHANNELS))

    @property
    def n_planes(self) -> int:
        """Number of planes, each with all its channels."""
        return math.prod(self._plane_shape)

    @property
    def stack_axes(self) -> str:
        """Letters of the axes along which planes lie beside each other."""
        extents = zip(self._outer_axes, self._plane_shape, strict=True)
        return "".join(letter for letter, extent in extents if extent > 1)

    def adjacent(self, number: int, axis: str) -> Beside:
        """Return the numbers of the planes beside one along an axis, None beyond the ends.

        Parameters
        ----------
        number : int
            Of the plane.
        axis : str
            One of `stack_axes`.

        """
        place, along = self._place(number), self._outer_axes.index(axis)
        numbers: list[int | None] = []
        for step in BESIDE:
            there = (*place[:along], place[along] + step, *place[along + 1 :])
            inside = 0 <= there[along] < self._plane_shape[along]
            numbers.append(int(np.ravel_multi_index(there, self._plane_shape)) if inside else None)
        return tuple(numbers)

    def in_order(self, axis: str) -> list[int]:
        """Return the numbers of all planes, those beside each other along an axis in a row."""
        numbers = np.arange(self.n_planes).reshape(self._plane_shape)
        along = self._outer_axes.find(axis)
        return [int(n) for n in (np.moveaxis(numbers, along, -1) if axis else numbers).ravel()]

    def part(self, window: Sequence[slice]) -> Layout:
        """Return the layout of a window, given as a slice for each axis."""
        pairs = zip(window, self.shape, strict=True)
        return Layout(tuple(len(range(*s.indices(extent))) for s, extent in pairs), self.axes)

    def numbers(self, window: Sequence[slice]) -> list[int]:
        """Return the number, in the whole, of each plane of a window."""
        spans = zip(self.axes, window, strict=True)
        outer = tuple(span for letter, span in spans if letter in self._outer_axes)
        numbers = np.arange(self.n_planes).reshape(self._plane_shape)
        return [int(number) for number in numbers[outer].ravel()]

    def extent(self, letter: str) -> int:
        """Return how many pixels or planes an axis has."""
        return self.shape[self.axes.index(letter)]

    def plane(
        self,
        array: Any,
        number: int,
        rows: slice = slice(None),
        columns: slice = slice(None),
    ) -> NDArray[Any]:
        """Read a plane, or part of it, of an array (NumPy, memory map, dask, zarr) as (C, Y, X)."""
        numbers = iter(self._place(number))
        parts = {"Y": rows, "X": columns} | dict.fromkeys(_CHANNELS, slice(None))
        index = tuple(parts[letter] if letter in parts else next(numbers) for letter in self.axes)
        kept = [letter for letter in self.axes if letter in parts]
        order = [kept.index(letter) for letter in self._inner_axes]
        plane = np.asarray(array[index]).transpose(order)
        return plane.reshape(self.n_channels, *plane.shape[-2:])

    def set_plane(self, array: NDArray[Any], number: int, plane: NDArray[Any]) -> None:
        """Write one plane, given as (C, Y, X), into an array of this layout."""
        order = [self.axes.index(letter) for letter in self._outer_axes + self._inner_axes]
        moved = array.transpose(order)
        target = moved[self._place(number)]
        target[...] = plane.reshape(target.shape)

    def _place(self, number: int) -> tuple[int, ...]:
        """Return the indices of a plane along the axes that number planes."""
        place = np.unravel_index(number, self._plane_shape) if self._plane_shape else ()
        return tuple(int(n) for n in place)

    @property
    def _inner_axes(self) -> str:
        """Letters of a plane, in the order channels, Y, X."""
        return "".join(letter for letter in self.axes if letter in _CHANNELS) + "YX"

    @property
    def _outer_axes(self) -> str:
        """Letters of the axes that number planes."""
        return "".join(letter for letter in self.axes if letter not in "YX" + _CHANNELS)

    @property
    def _plane_shape(self) -> tuple[int, ...]:
        return self._extents(self._outer_axes)

    def _extents(self, letters: str) -> tuple[int, ...]:
        return tuple(
            extent
            for extent, letter in zip(self.shape, self.axes, strict=True)
            if letter in letters
        )


def fullest(known: NDArray[np.bool_], side: int) -> tuple[slice, slice]:
    """Return the window of a plane with the most known pixels: the middle, if that will do.

    Parameters
    ----------
    known : ndarray
        Which pixels of the plane (Y, X) are; every so many of them are looked at.
    side : int
        Of the window, at most.
    """
    spans = tuple(middle(extent, side) for extent in known.shape)
    if known[spans].mean() >= _ENOUGH:
        return spans[0], spans[1]
    step = max(1, side // _LOOKS)
    some = known[::step, ::step]
    down, across = (min(side // step, extent) for extent in some.shape)
    sums = np.pad(some.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = sums[down:] - sums[:-down]
    counts = rows[:, across:] - rows[:, :-across]
    apart = (
        np.abs(step * np.arange(places) - span.start)
        for places, span in zip(counts.shape, spans, strict=True)
    )
    nearer = np.add.outer(*apart) / (1 + sum(known.shape))  # of windows that are as full
    best = np.unravel_index(np.argmax(counts - nearer), counts.shape)
    top, left = (
        min(step * int(place), max(0, extent - side))
        for place, extent in zip(best, known.shape, strict=True)
    )
    return slice(top, top + side), slice(left, left + side)


def middle(extent: int, side: int) -> slice:
    """Return the middle of an axis, of a length at most."""
    start = max(0, (extent - side) // 2)
    return slice(start, start + side)
