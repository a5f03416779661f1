"""Arrays between a noisy image and its denoised one, computed where they are looked at."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

_Part = tuple[range, ...]
_LARGEST = 2**25  # values of a part that is kept: two planes of 4096 × 4096


class LastPart:
    """An array on disk, or one that is computed, of which the part read last is kept.

    To mix another amount of the plane on view takes no other look at it.

    Parameters
    ----------
    array : array
        Of any kind that slices to NumPy.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape: tuple[int, ...] = tuple(array.shape)
        self._last: tuple[_Part, NDArray[Any]] | None = None

    def __getitem__(self, key: Any) -> NDArray[Any]:
        indices = _spread(key, len(self.shape))
        if indices is None:
            return np.asarray(self._array[key])
        # one plane is the same part as a stack of that alone, which napari asks for
        part, last = self._part(indices), self._last
        if last is None or last[0] != part:
            slices = [
                index if isinstance(index, slice) else slice(along[0], along[0] + 1)
                for index, along in zip(indices, part, strict=True)
            ]
            last = part, np.asarray(self._array[tuple(slices)])
            self._last = last if last[1].size <= _LARGEST else None
        return last[1][tuple(slice(None) if isinstance(index, slice) else 0 for index in indices)]

    def lacks(self, indices: tuple[int | slice, ...]) -> bool:
        """Tell whether a part is still to be read, and would be kept then."""
        part, last = self._part(indices), self._last
        is_kept = math.prod(map(len, part)) <= _LARGEST
        return is_kept and (last is None or last[0] != part)

    def _part(self, indices: tuple[Any, ...]) -> _Part:
        """Return which indices a part has along each axis."""
        found = [range(n)[index] for index, n in zip(indices, self.shape, strict=True)]
        return tuple(
            along if isinstance(along, range) else range(along, along + 1) for along in found
        )


def _spread(key: Any, ndim: int) -> tuple[Any, ...] | None:
    """Return an index or slice for each axis; None if a key has anything else in it."""
    indices = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(index, SupportsIndex | slice | EllipsisType) for index in indices):
        return None
    place = indices.index(...) if ... in indices else len(indices)
    missing = (slice(None),) * (ndim - len(indices) + (... in indices))
    return (*indices[:place], *missing, *indices[place + 1 :])


@dataclass(frozen=True, eq=False)
class _Pair:
    """A noisy and a denoised image; for everybody else the NumPy array of its values.

    A layer can have it as its data: napari computes the plane on view, and all of it when it is
    saved.
    """

    noisy: Any
    denoised: Any

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
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[...].astype(dtype or self.dtype, copy=False)

    def __getattr__(self, name: str) -> Any:
        # max, mean, astype, …; not the names by which libraries ask what kind of array it is
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)


@dataclass(frozen=True, eq=False)
class Mix(_Pair):
    """So much of the denoised image, and the rest of the noisy one.

    Parameters
    ----------
    noisy, denoised : array
        Of the same shape; the mix has the dtype of the denoised one.
    amount : float
        Of the denoised image, from 0 to 1.
    """

    amount: float

    def __getitem__(self, key: Any) -> NDArray[Any]:
        working = np.result_type(self.dtype, np.float32)
        mixed = np.asarray(self.noisy[key]).astype(working)
        mixed *= 1 - self.amount
        mixed += np.multiply(self.denoised[key], self.amount, dtype=working)
        whole = self.dtype.kind in "ui"
        return np.rint(mixed).astype(self.dtype) if whole else mixed.astype(self.dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Wiped(_Pair):
    """A result that is the noisy image in some places, but only to look at.

    Its parts, from which napari draws, are noisy there. As a whole, which is how a layer is saved
    or duplicated, it is the result.

    Parameters
    ----------
    noisy, denoised : array
        Of the same shape; the denoised one may be a mix.
    where : ndarray of bool
        Whether a pixel is noisy; broadcasts to that shape.
    """

    where: NDArray[np.bool_]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        if self.where.all():
            return np.asarray(self.noisy[key]).astype(self.dtype)
        seen = np.array(self.denoised[key])
        where = np.broadcast_to(self.where, self.shape)[key]
        np.copyto(seen, np.asarray(self.noisy[key]), casting="unsafe", where=where)
        return seen

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.denoised).astype(dtype or self.dtype, copy=bool(copy))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deepcopy(self.denoised, memo)


def result_of(data: Any) -> Any:
    """Return what is saved: a result as if nothing was wiped."""
    return data.denoised if isinstance(data, Wiped) else data


def denoised_of(data: Any) -> Any:
    """Return the denoised image of a mix, and any other array as it is."""
    result = result_of(data)
    return result.denoised if isinstance(result, Mix) else result


def amount_of(data: Any) -> float:
    """Return how much of the denoised image an array has: all of it, if it is no mix."""
    result = result_of(data)
    return result.amount if isinstance(result, Mix) else 1.0
