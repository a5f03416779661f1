"""The planes to train on: which they are, how noisy, and how a network is to learn from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .arrays import InputError, check_image, check_values
from .axes import BESIDE, Beside, Layout
from .noise.dead_lines import without_dead_lines
from .noise.line_noise import without_line_noise
from .noise.stabilise import Stabiliser, of_plane, stabilise_plane
from .noise.stable_noise import StableNoise
from .progress import Control

_LARGEST_TRAINING_SET = 2**28  # values, 1 GiB as float32


@dataclass(frozen=True)
class TrainingPlanes:
    """The planes to train on, and where they come from.

    Parameters
    ----------
    planes : sequence of ndarray
        Of shape (C, Y, X).
    places : list of tuple of int
        Number of the image, and of the plane in it.
    layouts : list of Layout
        Of the images.
    """

    planes: Sequence[NDArray[Any]]
    places: list[tuple[int, int]]
    layouts: list[Layout]

    @property
    def stack_axes(self) -> str:
        """Letters of the axes along which planes lie beside each other in any image."""
        return "".join(dict.fromkeys("".join(layout.stack_axes for layout in self.layouts)))

    @property
    def n_pixels(self) -> int:
        """Of all planes and channels of the images, trained on or not."""
        return sum(math.prod(layout.shape) for layout in self.layouts)

    @property
    def along(self) -> dict[str, list[Beside]]:
        """Which of the planes lie beside each of them, for each of `stack_axes`."""
        return {axis: self.beside([axis] * len(self.layouts)) for axis in self.stack_axes}

    def beside(self, axes: Sequence[str]) -> list[Beside]:
        """Return which of the planes lie beside each of them.

        Parameters
        ----------
        axes : sequence of str
            For each image the letter of the axis along which they do; nothing if there is none.
        """
        numbers = {place: number for number, place in enumerate(self.places)}
        beside = []
        for image, plane in self.places:
            layout, axis = self.layouts[image], axes[image]
            there: Beside = (None,) * len(BESIDE)
            if axis and axis in layout.stack_axes:
                adjacent = layout.adjacent(plane, axis)
                there = tuple(None if n is None else numbers.get((image, n)) for n in adjacent)
            beside.append(there)
        return beside


def training_planes(
    images: Any, axes: str | None, control: Control, takes_line_noise: bool = False
) -> TrainingPlanes:
    """Read the planes to train on: all, or as many, evenly spread, as memory allows.

    Parameters
    ----------
    images : array or list of arrays
        One or many images.
    axes : str, optional
        Of each of them; see `check_image`.
    control : Control
        To cancel.
    takes_line_noise : bool
        Whether that is taken away first.

    Raises
    ------
    InputError, AxesError
        If they can't be trained on, or not together.
    Cancelled
        If `control` was cancelled.
    """
    images = images if isinstance(images, list | tuple) else [images]
    layouts = [check_image(image, axes) for image in images]
    if not layouts:
        raise InputError("There is no image to train on; give at least one.")
    if len({layout.n_channels for layout in layouts}) != 1:
        raise InputError("Images trained on together must have the same number of channels.")
    planes, places = [], []
    for image, number in _places(layouts):
        control.check()  # a lazy stack may take long to read
        plane = layouts[image].plane(images[image], number)
        check_values(plane)
        plane = without_dead_lines(plane)
        if np.isfinite(plane).all(axis=0).any():
            planes.append(plane)
            places.append((image, number))
    if not planes:
        raise InputError("The image has no finite pixels; there is nothing to denoise.")
    even = without_line_noise(planes, takes_line_noise, control)
    return TrainingPlanes(even, places, layouts)


def _places(layouts: Sequence[Layout]) -> list[tuple[int, int]]:
    """Choose the planes to train on; where they are too many, some with those beside them."""
    places = [(i, number) for i, layout in enumerate(layouts) for number in range(layout.n_planes)]
    values = sum(math.prod(layout.shape) for layout in layouts)
    if values <= _LARGEST_TRAINING_SET:
        return places
    largest = max(len(layout.stack_axes) for layout in layouts)
    group = 1 + largest * len(BESIDE)
    chosen: set[tuple[int, int]] = set()
    for image, number in places[:: math.ceil(group * values / _LARGEST_TRAINING_SET)]:
        beside = (layouts[image].adjacent(number, axis) for axis in layouts[image].stack_axes)
        chosen |= {(image, n) for n in (number, *sum(beside, ())) if n is not None}
    return sorted(chosen)


def to_learn_from(
    planes: Sequence[NDArray[Any]], stabilisers: Sequence[Stabiliser]
) -> list[Tensor]:
    """Stabilise planes (C, Y, X); NaN where pixels are missing, or no image of anything."""
    noise = StableNoise.of(stabilisers)
    stable = (stabilise_plane(of_plane(stabilisers, plane), plane) for plane in planes)
    return [noise.without_outliers(plane) for plane in stable]
