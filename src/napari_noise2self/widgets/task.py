"""What the dock computes in the background: no Qt, no viewer, no layer in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..axes import AxesError
from ..progress import Cancelled, Control, Report
from ..settings import Settings

if TYPE_CHECKING:
    from ..arrays import OutputDtype

_RGB = 3


class TaskError(Exception):
    """One sentence for the user. Its cause is set where the error was not foreseen."""


@dataclass(frozen=True)
class Outcome:
    """A denoised image and what its training found."""

    image: NDArray[Any]
    figures: dict[str, Any]


@dataclass(frozen=True)
class DenoiseTask:
    """Train on an image and denoise it.

    Parameters
    ----------
    name : str
        Of the image, for napari's list of running tasks, which shows this object as text.
    """

    name: str

    def __str__(self) -> str:
        return f"denoising of {self.name!r}"

    def __call__(
        self, data: Any, axes: str, settings: Settings, *, control: Control, report: Report
    ) -> Outcome:
        """Run in a background thread.

        Raises
        ------
        TaskError
            If it can't be done.
        Cancelled
            If `control` was cancelled.
        """
        try:
            return _train_and_denoise(data, axes, settings, control, report)
        except (Cancelled, TaskError):
            raise
        except Exception as error:
            if _is_foreseen(error):
                raise TaskError(str(error)) from None
            raise TaskError(explain(error)) from error


def _train_and_denoise(
    data: Any, axes: str, settings: Settings, control: Control, report: Report
) -> Outcome:
    """Denoise with a model trained on the same image."""
    try:
        # here, in the background: loading PyTorch takes seconds
        from ..denoiser import Denoiser
    except (ImportError, OSError) as error:
        raise TaskError(
            f"PyTorch could not be loaded ({error}); reinstall it as https://pytorch.org says, "
            "then start napari again."
        ) from error
    control.check()
    colour = axes.endswith("S")
    has_alpha = colour and data.shape[-1] > _RGB
    image = data[..., :_RGB] if has_alpha else data
    denoiser = Denoiser(settings).fit(image, axes=axes, control=control, report=report)
    # whole numbers stay whole in colour: napari takes colours as 0-255, or as fractions
    dtype: OutputDtype = "same" if colour else "float32"
    result = denoiser.result(image, axes=axes, dtype=dtype, control=control, report=report)
    if not has_alpha:
        return Outcome(result.image, result.figures)
    alpha = np.asarray(data[..., _RGB:])
    return Outcome(np.concatenate([result.image, alpha], axis=-1), result.figures)


def _is_foreseen(error: Exception) -> bool:
    """Tell whether the message of an error is a sentence written for the user."""
    from ..arrays import InputError
    from ..devices import DeviceError

    return isinstance(error, AxesError | InputError | DeviceError)


def explain(error: Exception) -> str:
    """Say in one sentence what went wrong and what to do next."""
    if type(error).__name__ == "OutOfMemoryError":  # torch's, by name: no torch in widgets
        return (
            "The graphics card ran out of memory; choose a smaller batch size, patch size or "
            "width under Advanced, or CPU as the device."
        )
    if isinstance(error, MemoryError):
        return "This computer ran out of memory; close other programs, or crop the image."
    reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
    return (
        f"Denoising failed: {reason}. Try again with other settings; if it fails again, please "
        "report it with the traceback of this message."
    )
