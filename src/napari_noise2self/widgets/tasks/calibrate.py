"""Calibrate the classics on an image and denoise it with the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ...progress import Control, Progress, Report
from ...settings import Settings
from .image import ImageTask, result_dtype
from .task import Outcome, Show, TaskError


@dataclass(frozen=True)
class CalibrateTask(ImageTask):
    """Calibrate the classics on an image and denoise it with the best.

    Shows the figures of the calibration, with all curves, before the image is denoised.

    Parameters
    ----------
    settings : Settings
        Of which partition, exclusion, seed and prediction matter.
    clean : array, optional
        The same image without noise, which adds the true errors to the curves.
    """

    kind: ClassVar[str] = "calibration"

    settings: Settings
    clean: Any = None

    def run(self, control: Control, report: Report, show: Show) -> Outcome:
        """Calibrate, show, denoise."""
        from ...calibration import calibrate

        image, axes = self.image, self.axes
        clean = None if self.clean is None else self._fitting_clean()
        calibration = calibrate(
            image, self.settings, axes=axes, clean=clean, control=control, report=report
        )
        show(calibration.figures)
        report(Progress("predicting", 0, 1, 0.0, math.inf))
        denoised = calibration.denoise(
            image, axes=axes, dtype=result_dtype(axes), control=control, report=report
        )
        return Outcome(self.with_alpha(denoised), calibration.figures, self.settings)

    def _fitting_clean(self) -> Any:
        """Return the clean image if it is one of this image."""
        if tuple(self.clean.shape) != tuple(self.data.shape):
            raise TaskError(
                f"The clean image is {_times(self.clean.shape)} pixels, the noisy one "
                f"{_times(self.data.shape)}; choose the clean image of the same field of view."
            )
        return replace(self, data=self.clean).image


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(extent) for extent in shape)
