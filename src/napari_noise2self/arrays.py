"""Which arrays can be denoised, and how a result takes an array's place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .axes import BESIDE, Layout
from .progress import Control

OutputDtype = Literal["same", "float32"]

Beside = tuple[int | None, ...]
"""Numbers of the planes at the places in `BESIDE`; None where there is none."""

_LARGEST_TRAINING_SET = 2**28  # values, 1 GiB as float32


class InputError(ValueError):
    """The image cannot be denoised. The message says why, and what to do."""


def check_image(image: Any, axes: str | None = None) -> Layout:
    """Return the layout of an image that can be denoised.

    Raises
    ------
    InputError
        If it is empty, boolean or complex, or not an array.
    AxesError
        If its axes are unclear.
    """
    if not hasattr(image, "shape") or not hasattr(image, "dtype"):
        raise InputError("This is not an image array; pass a NumPy array or the like.")
    dtype = np.dtype(image.dtype)
    if dtype.kind == "b":
        raise InputError(
            "A true/false image is a mask, not a noisy image; if it holds photon counts, "
            "convert it first: image.astype('uint8')."
        )
    if dtype.kind not in "uif":
        raise InputError(
            f"Images of type {dtype} can't be denoised; convert to whole or real numbers first."
        )
    if 0 in image.shape:
        raise InputError(f"The image of shape {tuple(image.shape)} is empty.")
    return Layout.of(image.shape, axes)


@dataclass(frozen=True)
class TrainingPlanes:
    """The planes to train on, and where they come from.

    Parameters
    ----------
    planes : list of ndarray
        Of shape (C, Y, X), in the dtype of the images.
    places : list of tuple of int
        Number of the image, and of the plane in it.
    layouts : list of Layout
        Of the images.
    """

    planes: list[NDArray[Any]]
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


def training_planes(images: Any, axes: str | None, control: Control) -> TrainingPlanes:
    """Read the planes to train on: all, or as many, evenly spread, as memory allows.

    Parameters
    ----------
    images : array or list of arrays
        One or many images.
    axes : str, optional
        Of each of them; see `check_image`.
    control : Control
        To cancel.

    Raises
    ------
    InputError, AxesError
        If they can't be trained on, or not together.
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
        if np.isfinite(plane).all(axis=0).any():
            planes.append(plane)
            places.append((image, number))
    if not planes:
        raise InputError("The image has no finite pixels; there is nothing to denoise.")
    return TrainingPlanes(planes, places, layouts)


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


def check_values(plane: NDArray[Any]) -> None:
    """Raise InputError where finite values are too large for the float32 of the result."""
    if plane.dtype.kind == "f" and plane.dtype.itemsize > 4:
        largest = np.abs(plane, where=np.isfinite(plane), out=np.zeros_like(plane)).max()
        if largest > np.finfo(np.float32).max:
            raise InputError("The image has values beyond 3.4e38; divide it by its largest first.")


def output_dtype(image: Any, choice: OutputDtype) -> np.dtype[Any]:
    """Return the dtype of the result, in native byte order."""
    return np.dtype(image.dtype).newbyteorder("=") if choice == "same" else np.dtype(np.float32)


def finish(
    mean: NDArray[np.float64],
    plane: NDArray[Any],
    missing: NDArray[np.bool_],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Clip to a dtype, rounding to whole numbers; return missing pixels as they were."""
    if dtype.kind in "ui":
        whole = np.clip(np.rint(mean), np.iinfo(dtype).min, np.iinfo(dtype).max)
        full = whole >= np.iinfo(dtype).max  # as float64, 2**63 - 1 is 2**63, which won't convert
        found = np.where(full, np.iinfo(dtype).max, np.where(full, 0, whole).astype(dtype))
    else:
        found = np.clip(mean, np.finfo(dtype).min, np.finfo(dtype).max)
    return np.where(missing, plane, found).astype(dtype)
