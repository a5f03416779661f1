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

from .arrays import check_values
from .axes import BESIDE, Layout
from .noise.line_noise import NO_LINE_NOISE, LineNoise
from .noise.outliers import in_patches
from .noise.stabilise import Stabiliser, stabilise_plane
from .noise.stable_noise import StableNoise
from .probe.adjacent import beside_plane

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
        What is read; all if None. Planes beside those in the window are seen, too.
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
    ) -> None:
        self._image, self._layout, self._stabilisers = image, layout, stabilisers
        self._noise, self._takes_line_noise, self._axis = noise, takes_line_noise, axis
        window = window or (slice(None),) * len(layout.shape)
        self.layout = layout.part(window)
        """Of what is read."""
        spans = dict(zip(layout.axes, window, strict=True))
        self._window = spans["Y"], spans["X"]
        self._numbers = layout.numbers(window)
        self._read_last: OrderedDict[int, _Plane] = OrderedDict()

    @property
    def order(self) -> list[int]:
        """The numbers of all planes, in the order in which they are best read."""
        return self.layout.in_order(self._axis)

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
            noisy = self._layout.plane(self._image, number, *self._window)
            check_values(noisy)
            line_noise = LineNoise.of(noisy) if self._takes_line_noise else NO_LINE_NOISE
            stable = stabilise_plane(self._stabilisers, line_noise.taken_from(noisy))
            known = self._noise.without_outliers(stable)
            dark = in_patches(stable.isnan())  # masked; single ones are dead pixels
            missing = dark | torch.from_numpy(~np.isfinite(noisy))
            self._read_last[number] = _Plane(noisy, line_noise, stable, known, missing)
        self._read_last.move_to_end(number)
        if len(self._read_last) > _REMEMBERED:
            self._read_last.popitem(last=False)
        return self._read_last[number]


@dataclass(frozen=True, eq=False)
class _Plane:
    noisy: NDArray[Any]
    line_noise: LineNoise
    stable: Tensor
    known: Tensor
    missing: Tensor
