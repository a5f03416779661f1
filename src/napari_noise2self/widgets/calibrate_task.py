"""Calibrate the classics on an image and denoise it with the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from ..progress import Control, Progress, Report
from ..settings import Settings
from .denoise_task import with_alpha, without_alpha
from .task import Outcome, Show, Task, TaskError


@dataclass(frozen=True)
class CalibrateTask(Task):
    """Calibrate the classics on an image and denoise it with the best.

    Shows the figures of the calibration, with all curves, before the image is denoised.

    Parameters
    ----------
    data : array
        The image.
    axes : str
        One letter for each of its axes.
    settings : Settings
        Of which partition, exclusion, seed and prediction matter.
    clean : array, optional
        The same image without noise, which adds the true errors to the curves.
    """

    kind: ClassVar[str] = "calibration"

    data: Any
    axes: str
    settings: Settings
    clean: Any = None

    def run(self, control: Control, report: Report, show: Show) -> Outcome:
        """Calibrate, show, denoise."""
        from ..calibration import calibrate

        image = without_alpha(self.data, self.axes)
        clean = None if self.clean is None else self._fitting_clean()
        calibration = calibrate(
            image, self.settings, axes=self.axes, clean=clean, control=control, report=report
        )
        show(calibration.figures)
        report(Progress("predicting", 0, 1, 0.0, math.inf))
        denoised = calibration.denoise(
            image,
            axes=self.axes,
            dtype="same" if "S" in self.axes else "float32",
            control=control,
            report=report,
        )
        return Outcome(with_alpha(denoised, self.data, self.axes), calibration.figures)

    def _fitting_clean(self) -> Any:
        """Return the clean image if it is one of this image."""
        if tuple(self.clean.shape) != tuple(self.data.shape):
            raise TaskError(
                f"The clean image is {_times(self.clean.shape)} pixels, the noisy one "
                f"{_times(self.data.shape)}; choose the clean image of the same field of view."
            )
        return without_alpha(self.clean, self.axes)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(extent) for extent in shape)
