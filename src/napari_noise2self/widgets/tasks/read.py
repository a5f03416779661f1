"""A part of an image, read where nobody has to wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...progress import Control, Report
from ..layers.mix import LastPart
from .task import Show, Task


@dataclass(frozen=True)
class ReadTask(Task):
    """Read a part, which the image keeps.

    Parameters
    ----------
    image : LastPart
        The image.
    part : tuple of int and slice
        Which part.
    """

    kind: ClassVar[str] = "reading"

    image: LastPart
    part: tuple[int | slice, ...]

    def run(self, control: Control, report: Report, show: Show) -> None:
        """Read it."""
        self.image[self.part]
