"""What can be computed of the plane on view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .image import ImageTask


@dataclass(frozen=True)
class PlaneTask(ImageTask):
    """Computes something of one plane of an image; gives (Y, X) or (Y, X, 3) in colour.

    Parameters
    ----------
    place : sequence of int
        Indices of a pixel of the plane.
    """

    place: Sequence[int]

    @property
    def wish(self) -> tuple[object, ...]:
        """What is wanted: two tasks with equal wishes on the same image give the same."""
        return (self.number,)

    @property
    def number(self) -> int:
        """The number of the plane in the image."""
        outer = [axis for axis, letter in enumerate(self.axes) if letter not in "YXS"]
        extents = [self.data.shape[axis] for axis in outer]
        return int(np.ravel_multi_index([self.place[axis] for axis in outer], extents))

    def read(self) -> NDArray[Any]:
        """Return the plane, (C, Y, X), in the type of the image."""
        from ...arrays import check_image

        image = self.image
        return check_image(image, self.axes).plane(image, self.number)

    def shown(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return a plane (C, Y, X) as napari shows it."""
        if "S" not in self.axes:
            return np.array(plane[0])
        colours = np.moveaxis(plane, 0, -1)
        whole = self.data.dtype.kind in "ui"  # napari takes colours as 0-255, or as fractions
        return np.rint(colours).astype(self.data.dtype) if whole else np.array(colours)
