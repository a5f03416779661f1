"""An array between a noisy image and its denoised one, computed where it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Mix:
    """So much of the denoised image, and the rest of the noisy one.

    A layer can have it as its data: napari computes the plane on view, and all of it when it is
    saved. For everybody else it behaves like the NumPy array of its values.

    Parameters
    ----------
    noisy, denoised : array
        Of the same shape; the mix has the dtype of the denoised one.
    amount : float
        Of the denoised image, from 0 to 1.
    """

    noisy: Any
    denoised: Any
    amount: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Of both images."""
        return tuple(self.denoised.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the denoised image."""
        dtype: np.dtype[Any] = np.dtype(self.denoised.dtype)
        return dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        working = np.result_type(self.dtype, np.float32)
        mixed = np.asarray(self.noisy[key]).astype(working)
        mixed *= 1 - self.amount
        mixed += np.multiply(self.denoised[key], self.amount, dtype=working)
        whole = self.dtype.kind in "ui"
        return np.rint(mixed).astype(self.dtype) if whole else mixed.astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[...].astype(dtype or self.dtype, copy=False)

    def __getattr__(self, name: str) -> Any:
        # max, mean, astype, …; not the names by which libraries ask what kind of array it is
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)


def denoised_of(data: Any) -> Any:
    """Return the denoised image of a mix, and any other array as it is."""
    return data.denoised if isinstance(data, Mix) else data


def amount_of(data: Any) -> float:
    """Return how much of the denoised image an array has: all of it, if it is no mix."""
    return data.amount if isinstance(data, Mix) else 1.0
