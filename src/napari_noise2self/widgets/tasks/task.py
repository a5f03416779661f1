"""What a dock computes in the background: no Qt, no viewer, no layer in here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from ...axes import AxesError
from ...errors import lacks_gpu_memory, lacks_memory
from ...progress import Cancelled, Control, Report
from ...settings import Settings
from .loading import load_torch

Show = Callable[[Any], None]
"""Passes on what there is to see before the task is done."""


class TaskError(Exception):
    """One sentence for the user. Its cause is set where the error was not foreseen."""


@dataclass(frozen=True)
class Outcome:
    """A new image, what was found on the way to it, and the model that made it if it can be kept.

    Widgets hand the model on to other tasks and never look into it.
    """

    image: NDArray[Any]
    figures: dict[str, Any]
    settings: Settings
    model: object | None = None


@dataclass(frozen=True)
class Task(ABC):
    """One thing to compute; its errors become sentences for the user.

    Parameters
    ----------
    name : str
        Of the image.
    """

    kind: ClassVar[str]
    """What is done, for people: ``"denoising"``."""
    when_cancelled: ClassVar[str] = "Cancelled; nothing was changed."
    """What the user reads then."""
    needs_torch: ClassVar[bool] = True

    name: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.name!r}"

    def __call__(self, *, control: Control, report: Report, show: Show) -> Any:
        """Run in a background thread.

        Raises
        ------
        TaskError
            If it can't be done.
        Cancelled
            If `control` was cancelled.
        """
        try:
            if self.needs_torch:
                _load_torch(control)
            return self.run(control, report, show)
        except (Cancelled, TaskError):
            raise
        except Exception as error:
            if _is_foreseen(error):
                raise TaskError(str(error)) from None
            raise TaskError(explain(error, str(self))) from error

    @abstractmethod
    def run(self, control: Control, report: Report, show: Show) -> Any:
        """Compute; PyTorch is loaded by now, if it is needed."""


def _load_torch(control: Control) -> None:
    """Load PyTorch here, in the background: it takes seconds."""
    try:
        load_torch(control)
        control.check()
    except (ImportError, OSError) as error:
        raise TaskError(
            f"PyTorch could not be loaded ({error}); reinstall it as https://pytorch.org says, "
            "then start napari again."
        ) from error


def _is_foreseen(error: Exception) -> bool:
    """Tell whether the message of an error is a sentence written for the user."""
    from ...arrays import InputError
    from ...devices import DeviceError
    from ...model_file import ModelError

    return isinstance(error, AxesError | InputError | DeviceError | ModelError)


def explain(error: Exception, task: str) -> str:
    """Say in one sentence what went wrong with a task, and what to do next."""
    if lacks_gpu_memory(error):
        return (
            "The graphics card ran out of memory; choose a smaller batch size, patch size or "
            "width under Advanced, or CPU as the device."
        )
    if lacks_memory(error):
        return "This computer ran out of memory; close other programs, or crop the image."
    return (
        f"The {task} failed: {reason_of(error)}. Try again with other settings; if it fails again, "
        "please report it with the traceback of this message."
    )


def reason_of(error: Exception) -> str:
    """Return what an error says, to be part of a sentence."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
