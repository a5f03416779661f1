"""The planes of an image as a network sees them, each with those beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arrays import InputError, check_values
from .axes import BESIDE, Layout
from .noise.dead_lines import dead_lines
from .noise.line_noise import NO_LINE_NOISE, LineNoise
from .noise.outliers import in_patches
from .noise.stabilise import Stabiliser, stabilise_plane
from .noise.stable_noise import StableNoise
from .stack import beside_plane

Window = tuple[slice, ...]
"""For each axis of an image."""

_REMEMBERED = 1 + len(BESIDE)


class StackReader:
    """Reads planes of an image, or of a window of it.

    Parameters
    ----------
    image : array
        NumPy, or what can be sliced to it.
    layout : Layout
        Of the image.
    stabilisers : sequence of Stabiliser
        One for each channel.
    noise : StableNoise
        Of the stabilised planes.
    takes_line_noise : bool
        Whether that is taken away first.
    axis : str
        Letter of the axis along which adjacent planes are seen; nothing if none are.
    window : tuple of slice, optional
        What is wanted; all if None. Planes beside those in the window are seen, too.
    margin : int
        How far around the window pixels are given, too. Line noise and outliers are then those of
        whole planes. If 0, the window is read as if nothing lay around it, which is faster.
    stride : int
        With a margin, what is given begins at a multiple of this.

    Raises
    ------
    InputError
        If the window is none of this image.
    """

    def __init__(
        self,
        image: Any,
        layout: Layout,
        stabilisers: Sequence[Stabiliser],
        noise: StableNoise,
        takes_line_noise: bool,
        axis: str = "",
        window: Window | None = None,
        margin: int = 0,
        stride: int = 1,
    ) -> None:
        self._image, self._layout, self._stabilisers = image, layout, stabilisers
        self._noise, self._takes_line_noise, self._axis = noise, takes_line_noise, axis
        window = _checked(window, layout)
        self.layout = layout.part(window)
        """Of the window."""
        spans = {
            letter: _Span.of(wanted, extent, margin, stride)
            for letter, wanted, extent in zip(layout.axes, window, layout.shape, strict=True)
        }
        self._rows, self._columns = spans["Y"], spans["X"]
        self._numbers = layout.numbers(window)
        self._read_last: OrderedDict[int, _Plane] = OrderedDict()

    @property
    def order(self) -> list[int]:
        """The numbers of all planes, in the order in which they are best read."""
        return self.layout.in_order(self._axis)

    @property
    def wanted(self) -> tuple[slice, slice]:
        """Where the window is in what is given."""
        return self._rows.wanted, self._columns.wanted

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column, in the image, of the first pixel that is given."""
        return self._rows.origin, self._columns.origin

    def plane(self, number: int) -> NDArray[Any]:
        """Return a plane as it is, (C, Y, X).

        Raises
        ------
        InputError
            If it has values beyond float32.
        """
        return self._read(self._numbers[number]).noisy

    def stable(self, number: int) -> Tensor:
        """Return a plane in the network's range, (C, Y, X)."""
        return self._read(self._numbers[number]).stable

    def known(self, number: int) -> Tensor:
        """Return the same with NaN also where pixels tell nothing; see `outliers`."""
        return self._read(self._numbers[number]).known

    def missing(self, number: int) -> Tensor:
        """Return which pixels of a plane have no value, bool of shape (C, Y, X)."""
        return self._read(self._numbers[number]).missing

    def line_noise(self, number: int) -> LineNoise:
        """Return what was taken away from a plane first."""
        return self._read(self._numbers[number]).line_noise

    def stabilisers(self, number: int) -> Sequence[Stabiliser]:
        """Return those of what is wanted of a plane, one for each channel; see `Stabiliser`."""
        return self._read(self._numbers[number]).stabilisers

    def beside(self, number: int) -> Tensor | None:
        """Return the planes beside one, (C, places in `BESIDE`, Y, X), if they are to be seen."""
        if not self._axis:
            return None
        whole = self._numbers[number]
        adjacent = self._layout.adjacent(whole, self._axis)
        return beside_plane(whole, adjacent, lambda other: self._read(other).known)

    def _read(self, number: int) -> _Plane:
        """Read a plane of the whole image once, as long as it is needed for those beside it."""
        if number not in self._read_last:
            rows, columns = self._rows, self._columns
            noisy = self._layout.plane(self._image, number, rows.read, columns.read)
            check_values(noisy)
            line_noise = LineNoise.of(noisy) if self._takes_line_noise else NO_LINE_NOISE
            even = line_noise.taken_from(noisy)
            own = self._own_stabilisers(number, even)
            stable = stabilise_plane(own, even)
            dead = torch.from_numpy(dead_lines(noisy))
            known = self._noise.without_outliers(torch.where(dead, torch.nan, stable))
            dark = in_patches(stable.isnan() & ~dead)  # masked; single ones are dead pixels
            missing = dark | torch.from_numpy(~np.isfinite(noisy))
            given = slice(None), rows.given, columns.given
            wanted = [each.part(*given[1:]).part(*self.wanted) for each in own]
            self._read_last[number] = _Plane(
                noisy[given], line_noise, wanted, stable[given], known[given], missing[given]
            )
        self._read_last.move_to_end(number)
        if len(self._read_last) > _REMEMBERED:
            self._read_last.popitem(last=False)
        return self._read_last[number]

    def _own_stabilisers(self, number: int, even: NDArray[Any]) -> Sequence[Stabiliser]:
        """Return the stabilisers of what was read of a plane, `even`.

        How it was amplified is measured on the whole plane, noise at each place on what was read.
        """
        whole = even
        extents = tuple(self._layout.extent(letter) for letter in "YX")
        if even.shape[1:] != extents and any(each.each_plane for each in self._stabilisers):
            whole = self._layout.plane(self._image, number)
            whole = LineNoise.of(whole).taken_from(whole) if self._takes_line_noise else whole
        own = zip(self._stabilisers, whole, even, strict=True)
        return [each.of_plane(plane).in_places(part) for each, plane, part in own]


def _checked(window: Window | None, layout: Layout) -> Window:
    """Return a window with its bounds in numbers, after a look at whether it is one."""
    if window is None:
        window = (slice(None),) * len(layout.shape)
    if len(window) == len(layout.shape):
        pairs = zip(window, layout.shape, strict=True)
        bounds = [span.indices(extent) for span, extent in pairs]
        found = tuple(slice(start, stop) for start, stop, _ in bounds)
        whole = layout.part(found).n_channels == layout.n_channels
        if whole and all(start < stop and step == 1 for start, stop, step in bounds):
            return found
    raise InputError(
        f"A window of an image of shape {layout.shape} is a slice of pixels, without a step, for "
        "each axis, and all of the channels."
    )


@dataclass(frozen=True)
class _Span:
    """What is wanted of an axis, what is given, and what is read for it.

    Parameters
    ----------
    read : slice
        Of the axis.
    given : slice
        Of what is read.
    wanted : slice
        Of what is given.
    """

    read: slice
    given: slice
    wanted: slice

    @classmethod
    def of(cls, wanted: slice, extent: int, margin: int, stride: int) -> _Span:
        """Return the spans for some of an axis; see `StackReader`."""
        if not margin:
            all_of_it = slice(0, wanted.stop - wanted.start)
            return cls(wanted, all_of_it, all_of_it)
        low = max(0, wanted.start - margin) // stride * stride
        given = slice(low, min(extent, wanted.stop + margin))
        return cls(slice(0, extent), given, slice(wanted.start - low, wanted.stop - low))

    @property
    def origin(self) -> int:
        """Where what is given begins."""
        return int(self.read.start + self.given.start)


@dataclass(frozen=True, eq=False)
class _Plane:
    noisy: NDArray[Any]
    line_noise: LineNoise
    stabilisers: Sequence[Stabiliser]
    stable: Tensor
    known: Tensor
    missing: Tensor
