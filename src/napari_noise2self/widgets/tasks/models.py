"""Apply, save and load a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...progress import Control, Report
from ...settings import Device
from .image import ImageTask, result_dtype
from .task import Outcome, Show, Task

_OF_THE_TRAINING = {
    "held_out_loss": None,
    "noise_floor": None,
    "classic": None,
    "classic_won": False,
}


@dataclass(frozen=True)
class ApplyTask(ImageTask):
    """Denoise an image with a model that was trained before.

    The figures leave out what was measured on the training image. Their first note says so if
    the image is unlike it.

    Parameters
    ----------
    model : Denoiser
        As it came from another task.
    origin : dict
        Name and path of the model, for the metadata of the result.
    """

    kind: ClassVar[str] = "denoising"

    model: Any
    origin: dict[str, str | None]

    def run(self, control: Control, report: Report, show: Show) -> Outcome:
        """Compare, denoise."""
        image, axes = self.image, self.axes
        warning = self.model.mismatch(image, axes, control)
        result = self.model.result(
            image, axes=axes, dtype=result_dtype(axes), control=control, report=report
        )
        notes = [*([warning] if warning else []), *result.figures["notes"]]
        figures = {**result.figures, **_OF_THE_TRAINING, "unlike": warning, "notes": notes}
        return Outcome(self.with_alpha(result.image), figures, self.model.settings)


@dataclass(frozen=True)
class SaveTask(Task):
    """Write a model to a file.

    Parameters
    ----------
    model : Denoiser
        As it came from another task.
    path : str
        The file.
    overwrite : bool
        Whether the file may be there already.
    """

    kind: ClassVar[str] = "saving"
    when_cancelled: ClassVar[str] = "Cancelled; the file may have been written by then."

    model: Any
    path: str
    overwrite: bool

    def run(self, control: Control, report: Report, show: Show) -> str:
        """Save; return the path."""
        self.model.save(self.path, overwrite=self.overwrite)
        return self.path


@dataclass(frozen=True)
class LoadTask(Task):
    """Read a model from a file, of which nothing is executed.

    Parameters
    ----------
    path : str
        The file.
    device : str
        Where to compute with it.
    """

    kind: ClassVar[str] = "loading"

    path: str
    device: Device

    def run(self, control: Control, report: Report, show: Show) -> object:
        """Load."""
        from ...denoiser import Denoiser

        return Denoiser.load(self.path, device=self.device)
