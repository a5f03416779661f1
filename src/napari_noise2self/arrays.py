"""Which arrays can be denoised, and how a result takes an array's place."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .axes import Layout

OutputDtype = Literal["same", "float32"]
FloatArray = NDArray[np.float64]


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
    mean: FloatArray,
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
