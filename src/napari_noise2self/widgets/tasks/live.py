"""What goes on between a dock and a training that runs: what is on view, and how that looks now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import Dims
from napari.layers import Image
from numpy.typing import NDArray

from ...progress import Control
from ...settings import Settings
from ..layers.on_view import place_on_view
from .first_look import FirstLook
from .image import result_dtype

if TYPE_CHECKING:
    from ...denoiser import Denoiser

LARGEST_VIEW = 512 * 512
"""Pixels of the largest window that is shown while training."""
_SHARE = 0.1  # of the time since the training began
_REST = 0.4  # seconds
_FIRST_PACE = 2e-6  # seconds for a pixel, till one preview was made
_FIGURES = {"prediction": "single-pass"}
_SMALLEST = 16


@dataclass(frozen=True)
class View:
    """The window of a plane that the user looks at.

    Parameters
    ----------
    window : tuple of slice
        For each axis of the image.
    """

    window: tuple[slice, ...]

    @classmethod
    def of(
        cls,
        layer: Image,
        shape: Sequence[int],
        axes: str,
        dims: Dims,
        largest: float = LARGEST_VIEW,
    ) -> View | None:
        """Return what is on view of a layer; None where that is no part of one plane of it.

        Of a view with more than `largest` pixels, the middle; of a tiny one, what lies around it.
        """
        has_other_axes = layer.ndim != len(axes.replace("S", ""))
        place = None if has_other_axes else place_on_view(layer, shape, dims)
        if place is None:
            return None
        pixel = layer.downsample_factors[layer.data_level]  # those drawn are of a coarser level
        first, last = layer.corner_pixels
        first, end = (first * pixel).astype(int), ((last + 1) * pixel).astype(int)
        window = []
        for axis, (letter, extent) in enumerate(zip(axes, shape, strict=True)):
            span = slice(0, extent)
            if letter in "YX":
                low, high = max(0, int(first[axis])), min(extent, int(end[axis]))
                if low >= high:
                    return None
                span = _not_tiny(low, high, extent)
            elif letter not in "SC":
                span = slice(place[axis], place[axis] + 1)
            window.append(span)
        return cls(_middle(tuple(window), axes, largest))

    @classmethod
    def middle(
        cls,
        place: Sequence[int],
        shape: Sequence[int],
        axes: str,
        largest: float = LARGEST_VIEW,
    ) -> View:
        """Return the middle of the plane that a pixel is in, of `largest` pixels at most.

        Parameters
        ----------
        place : sequence of int
            Indices of the pixel.
        shape : sequence of int
            Of the image.
        axes : str
            One letter for each axis.
        largest : float
            Number of pixels.
        """
        plane = tuple(
            slice(0, extent) if letter in "YXSC" else slice(at, at + 1)
            for letter, extent, at in zip(axes, shape, place, strict=True)
        )
        return cls(_middle(plane, axes, largest))

    @property
    def area(self) -> int:
        """Number of values in the window."""
        return int(np.prod([span.stop - span.start for span in self.window]))


class Live:
    """Shows how the image on view looks with the network of the moment, at little cost.

    The main thread sets `view` and `settings`; all else happens in the thread of the training.
    """

    def __init__(self) -> None:
        self.view: View | None = None
        """What the user looks at."""
        self.settings: Settings | None = None
        """With another partition, if the user chose one meanwhile."""
        self._applied: Settings | None = None
        self._look: FirstLook | None = None
        self._began = self._last = time.monotonic()
        self._spent, self._pace = 0.0, _FIRST_PACE

    def begin(self, look: FirstLook | None) -> None:
        """Count the time from here on; `look` is what is shown already."""
        self._look = look
        self._began = self._last = time.monotonic()

    def follow(self, denoiser: Denoiser) -> None:
        """Give the training the partition that the user wants by now."""
        settings = self.settings
        if settings is not None and settings is not self._applied:
            denoiser.repartition(settings)
            self._applied = settings

    def preview(
        self, denoiser: Denoiser, image: Any, axes: str, control: Control
    ) -> FirstLook | None:
        """Denoise what is on view, unless that would take more than a tenth of the time.

        Parameters
        ----------
        denoiser : Denoiser
            In training.
        image : array
            The noisy image.
        axes : str
            One letter for each of its axes.
        control : Control
            To cancel.
        """
        view, started = self.view, time.monotonic()
        if view is None or not self._affordable(view, started):
            return None
        denoised = denoiser.denoise(
            image,
            axes=axes,
            window=view.window,
            rough=True,
            dtype=result_dtype(axes),
            prediction="single-pass",
            flips=1,
            control=control,
        )
        self._look = self._paste(denoised, view)
        self._last = time.monotonic()
        self._spent += self._last - started
        self._pace = (self._last - started) / view.area
        return self._look

    def _affordable(self, view: View, now: float) -> bool:
        spent = self._spent + self._pace * view.area
        return now - self._last > _REST and spent < _SHARE * (now - self._began)

    def _paste(self, denoised: NDArray[Any], view: View) -> FirstLook:
        """Put a window into the plane that is shown already, if it is of that."""
        look, corner = self._look, tuple(span.start for span in view.window)
        if look is None or not _contains(look, view):
            return FirstLook(denoised, corner, _FIGURES)
        plane = look.image.copy()  # the other is being drawn
        within = zip(view.window, look.corner, strict=True)
        plane[tuple(slice(s.start - at, s.stop - at) for s, at in within)] = denoised
        return FirstLook(plane, look.corner, _FIGURES)


def _contains(look: FirstLook, view: View) -> bool:
    """Tell whether a window is part of what a look shows."""
    return all(
        at <= span.start and span.stop <= at + extent
        for span, at, extent in zip(view.window, look.corner, look.image.shape, strict=True)
    )


def _not_tiny(low: int, high: int, extent: int) -> slice:
    """Return a part of an axis, with what lies around it where it is tiny."""
    length = max(high - low, min(_SMALLEST, extent))
    start = (low + high - length) // 2
    start = min(max(0, start), extent - length)
    return slice(start, start + length)


def _middle(window: tuple[slice, ...], axes: str, largest: float) -> tuple[slice, ...]:
    """Return the middle of a window that is too large."""
    spans = {letter: span for letter, span in zip(axes, window, strict=True) if letter in "YX"}
    area = float(np.prod([span.stop - span.start for span in spans.values()]))
    shrink = min(1.0, (largest / area) ** 0.5)
    return tuple(
        _shrunk(span, shrink) if letter in "YX" else span
        for letter, span in zip(axes, window, strict=True)
    )


def _shrunk(span: slice, share: float) -> slice:
    """Return the middle share of a span."""
    extent = span.stop - span.start
    kept = max(1, int(extent * share))
    start = span.start + (extent - kept) // 2
    return slice(start, start + kept)
