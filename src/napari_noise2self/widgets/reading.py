"""The plane on view, read in the background before something is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from .job import Job
from .layers.mix import LastPart
from .tasks.read import ReadTask

_Part = tuple[int | slice, ...]


class Reading(QObject):
    """Does what is wished for once a part of an image has been read.

    Parameters
    ----------
    parent : QObject
        Owns it.
    """

    lost = Signal()
    """It could not be read, or that was cancelled: nobody wishes for anything any more."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._read: tuple[Any, _Part] | None = None
        self.wishes: dict[Callable[..., None], tuple[Any, ...]] = {}
        """What will be done, and with which arguments; of each the latest."""

    def delays(
        self, image: Any, part: _Part | None, wish: Callable[..., None], *arguments: Any
    ) -> bool:
        """Tell whether a part is still to be read; if so, it is, and the wish fulfilled then.

        Parameters
        ----------
        image : array
            Only of a `LastPart` anything has to be read.
        part : tuple of int and slice, optional
            None if it is not known.
        wish : callable
            It asks again.
        *arguments
            Passed to it.
        """
        if part is None or not isinstance(image, LastPart) or not image.lacks(part):
            return False
        if (image, part) != self._read:
            self._stop()
            self._read = image, part
            self._job = job = Job(None, ReadTask("the noisy image", image, part), self)
            job.succeeded.connect(self._on_success)
            job.failed.connect(self._on_failure)
            job.ended.connect(self._on_end)
            job.start()
        elif self._job is None:
            return False  # what napari read since has taken its place: no second try
        self.wishes[wish] = arguments
        return True

    def forget(self, wish: Callable[..., None]) -> None:
        """Do without one wish."""
        self.wishes.pop(wish, None)

    def cancel(self) -> None:
        """Read nothing, and wish for nothing."""
        self._stop()
        self._read = None
        self.wishes.clear()

    def _stop(self) -> None:
        """Let go of the job."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _on_success(self) -> None:
        self._stop()
        while self.wishes and self._job is None:  # another part may be on view by now
            wish = next(iter(self.wishes))
            wish(*self.wishes.pop(wish))

    def _on_failure(self, error: Exception) -> None:
        show_error(str(error))
        self._on_end()

    def _on_end(self) -> None:
        """Come to an end without the part: napari may have cancelled the job from its own list."""
        self.cancel()
        self.lost.emit()
