"""One plane as the network sees it while a subset is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from ...partition import Partition
from ...progress import Control, Report
from ...settings import Fill
from .plane import PlaneTask
from .task import Show


@dataclass(frozen=True)
class FillTask(PlaneTask):
    """Fill the pixels that are hidden with a subset.

    Parameters
    ----------
    partition : Partition
        Which pixels are hidden together.
    subset : int
        Which of them are.
    method : {"interpolate", "zero"}
        What stands in their place.
    """

    kind: ClassVar[str] = "filling"

    partition: Partition
    subset: int
    method: Fill

    @property
    def wish(self) -> tuple[object, ...]:
        """See `PlaneTask.wish`."""
        return (*super().wish, self.partition, self.subset, self.method)

    def run(self, control: Control, report: Report, show: Show) -> NDArray[Any]:
        """Read the plane and fill it."""
        from ...partition.view import filled

        plane = self.read()
        control.check()
        return self.shown(filled(plane, self.partition, self.subset, self.method))
