"""One plane as the network sees it while a subset is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..partition import Partition
from ..progress import Control, Report
from ..settings import Fill
from .denoise_task import without_alpha
from .task import Show, Task


@dataclass(frozen=True)
class FillTask(Task):
    """Fill the pixels that are hidden with a subset.

    Parameters
    ----------
    data : array
        The image.
    axes : str
        One letter for each of its axes.
    place : sequence of int
        Indices of a pixel of the plane.
    partition : Partition
        Which pixels are hidden together.
    subset : int
        Which of them are.
    method : {"interpolate", "zero"}
        What stands in their place.
    """

    kind: ClassVar[str] = "filling"

    data: Any
    axes: str
    place: Sequence[int]
    partition: Partition
    subset: int
    method: Fill

    def run(self, control: Control, report: Report, show: Show) -> NDArray[Any]:
        """Read the plane and fill it; return (Y, X) as float32, or (Y, X, 3) in colour."""
        from ..arrays import check_image
        from ..partition_view import filled

        image = without_alpha(self.data, self.axes)
        plane = check_image(image, self.axes).plane(image, self.number)
        control.check()
        seen = filled(plane, self.partition, self.subset, self.method)
        if "S" not in self.axes:
            return np.array(seen[0])
        colours = np.moveaxis(seen, 0, -1)
        whole = plane.dtype.kind in "ui"  # napari takes colours as 0-255, or as fractions
        return np.rint(colours).astype(plane.dtype) if whole else np.array(colours)

    @property
    def number(self) -> int:
        """The number of the plane in the image."""
        outer = [axis for axis, letter in enumerate(self.axes) if letter not in "YXS"]
        extents = [self.data.shape[axis] for axis in outer]
        return int(np.ravel_multi_index([self.place[axis] for axis in outer], extents))
