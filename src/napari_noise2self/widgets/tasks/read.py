"""A part of an image, read where nobody has to wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import lacks_memory
from ...progress import Control, Report
from ..layers.mix import LastPart
from .task import Show, Task, TaskError, explain, reason_of


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
    needs_torch: ClassVar[bool] = False

    image: LastPart
    part: tuple[int | slice, ...]

    def run(self, control: Control, report: Report, show: Show) -> None:
        """Read it."""
        try:
            self.image[self.part]
        except Exception as error:
            told = (
                f"The plane on view of {self.name} can't be read ({reason_of(error)}); make sure "
                "that its file is still there, and whole."
            )
            raise TaskError(explain(error, str(self)) if lacks_memory(error) else told) from None
