"""An image with what its file says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

PROVENANCE = "napari-noise2self"
"""The name under which a file says how its pixels were made."""

MINISWHITE, MINISBLACK, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
"""How TIFF numbers the meaning of pixels."""

_ALPHA = {1, 2}
"""How TIFF numbers what an extra sample means: opacity, of colours multiplied by it or not."""

PixelSize = tuple[float, str]
"""Extent of a pixel along one axis, and its unit."""


class ImageError(ValueError):
    """An image file can't be read or written. The message is one sentence that says what to do."""


class ImageExistsError(ImageError, FileExistsError):
    """The file to write exists already."""


@dataclass(frozen=True)
class Metadata:
    """What a file says about its pixels, as it stands there.

    Parameters
    ----------
    flavour : {"imagej", "ome", "plain"}
        Which dialect of TIFF it is.
    pixel_size : mapping of str to (float, str)
        Extent of a pixel along each known axis, with its unit.
    properties : mapping
        ImageJ's properties, or the JSON that tifffile writes into plain files.
    description : str
        The OME-XML, or the free text of a plain file.
    tags : mapping
        Resolution, photometric interpretation, who made it and the like, as arguments of
        ``TiffWriter.write``.
    notes : tuple of str
        What the user should know, for example that more series are in the file; one sentence each.
    """

    flavour: Literal["imagej", "ome", "plain"] = "plain"
    pixel_size: Mapping[str, PixelSize] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, the meaning of their axes, and what else their file says.

    Parameters
    ----------
    data : ndarray
        The pixels, in native byte order.
    axes : str
        One of tifffile's letters for each axis, such as "TZCYX" or "YXS". Stack axes without a
        name are I or Q; if there are several, P, O, N, … from right to left, so that no two agree.
    metadata : Metadata
        What is written back with the result.
    """

    data: NDArray[Any]
    axes: str
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        if len(self.axes) != self.data.ndim:
            raise ImageError(
                f"Axes {self.axes!r} don't fit shape {self.data.shape}; give one letter for each."
            )

    @property
    def pixel_size(self) -> dict[str, PixelSize]:
        """Extent of a pixel and its unit, such as ``{"Y": (0.2, "µm")}``, for the known axes."""
        known = self.metadata.pixel_size
        return {axis: known[axis] for axis in self.axes if axis in known}

    @property
    def opaque(self) -> NDArray[Any]:
        """The pixels without their alpha channel, which is no light: what there is to denoise."""
        return self.data[self._samples(slice(-1))] if self._has_alpha else self.data

    def with_alpha(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return what became of `opaque` with the alpha channel as it is, if there is one."""
        if not self._has_alpha:
            return pixels
        alpha = self.data[self._samples(slice(-1, None))].astype(pixels.dtype)
        return np.concatenate([pixels, alpha], axis=self.axes.index("S"))

    @property
    def _has_alpha(self) -> bool:
        """Whether the last sample of each pixel is its opacity."""
        extra = self.metadata.tags.get("extrasamples", ())
        return "S" in self.axes and not _ALPHA.isdisjoint(extra[-1:])

    def _samples(self, some: slice) -> tuple[slice, ...]:
        return tuple(some if axis == "S" else slice(None) for axis in self.axes)
