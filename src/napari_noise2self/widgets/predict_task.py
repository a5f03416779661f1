"""What a trained model makes of the view with another partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..progress import Control, Report
from ..settings import Settings
from .live import View
from .plane_task import PlaneTask
from .task import Show

if TYPE_CHECKING:
    from ..denoiser import Denoiser


@dataclass(frozen=True)
class PredictTask(PlaneTask):
    """Predict each subset from the others in a window of a plane; the rest stays noisy.

    Parameters
    ----------
    model : Denoiser
        Trained.
    settings : Settings
        With the partition.
    view : View
        The window.
    """

    kind: ClassVar[str] = "predicting"

    model: Denoiser
    settings: Settings
    view: View

    @property
    def wish(self) -> tuple[object, ...]:
        """See `PlaneTask.wish`."""
        return (*super().wish, id(self.model), self.settings, str(self.view))

    def run(self, control: Control, report: Report, show: Show) -> NDArray[Any]:
        """Read the plane, predict the window."""
        from ..arrays import check_image

        window = np.asarray(self.image[self.view.window])
        predicted = self.model.repartitioned(self.settings).denoise(
            window, axes=self.axes, prediction="j-invariant", control=control
        )
        spans = dict(zip(self.axes, self.view.window, strict=True))
        plane = self.read().astype(np.float32)
        part = check_image(predicted, self.axes).plane(predicted, 0)
        plane[:, spans["Y"], spans["X"]] = part
        return self.shown(plane)
