"""What a trained model makes of the view with another partition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...progress import Control, Report
from ...settings import Settings
from .live import View
from .plane import PlaneTask
from .task import Show

if TYPE_CHECKING:
    from ...denoiser import Denoiser

_ALIKE = 1.5  # factor between paces
_MEANINGFUL = 2**18  # pixels predicted


@dataclass
class Pace:
    """How fast predictions are.

    Parameters
    ----------
    seconds : float
        For a pixel, each time a subset is predicted.
    """

    seconds: float = 1e-6

    def measure(self, seconds: float, pixels: float) -> None:
        """Take what was measured, if it means something and is quite different.

        The window is not to flicker, and of few pixels most of the time goes elsewhere.
        """
        measured = seconds / pixels
        if pixels >= _MEANINGFUL and not 1 / _ALIKE < measured / self.seconds < _ALIKE:
            self.seconds = measured


@dataclass(frozen=True)
class PredictTask(PlaneTask):
    """Predict each subset from the others in windows of a plane; the rest stays noisy.

    Parameters
    ----------
    model : Denoiser
        Trained.
    settings : Settings
        With the partition.
    views : tuple of View
        The windows, one after the other: each is shown as soon as it is predicted.
    pace : Pace
        Is told how long it took.
    """

    kind: ClassVar[str] = "predicting"

    model: Denoiser
    settings: Settings
    views: tuple[View, ...]
    pace: Pace

    @property
    def wish(self) -> tuple[object, ...]:
        """See `PlaneTask.wish`; which windows come before the last one depends on the pace."""
        return (*super().wish, id(self.model), self.settings, str(self.views[-1]))

    def run(self, control: Control, report: Report, show: Show) -> NDArray[Any]:
        """Read the plane, predict the windows."""
        *first, last = self.views
        for view in first:
            show(self._predicted(view, control))
        return self._predicted(last, control)

    def _predicted(self, view: View, control: Control) -> NDArray[Any]:
        """Return the plane with the prediction in a window."""
        from ...arrays import check_image

        model, started = self.model.repartitioned(self.settings), time.perf_counter()
        predicted = model.denoise(
            self.image,
            axes=self.axes,
            window=view.window,
            rough=True,
            prediction="j-invariant",
            flips=1,
            control=control,
        )
        predictions = model.partition.n_subsets * predicted.size
        self.pace.measure(time.perf_counter() - started, predictions)
        spans = dict(zip(self.axes, view.window, strict=True))
        plane = self.read().astype(np.float32)
        part = check_image(predicted, self.axes).plane(predicted, 0)
        plane[:, spans["Y"], spans["X"]] = part
        return self.shown(plane)
