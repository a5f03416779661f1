"""Which partition size is enough for the image on view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ...progress import Control, Report
from ...settings import Settings
from .image import ImageTask
from .live import View
from .task import Show


@dataclass(frozen=True)
class SizesTask(ImageTask):
    """Score each partition size with one model, in the middle of the view.

    Parameters
    ----------
    settings : Settings
        With the kind of partition and the exclusion.
    view : View
        The window; of a large one, the middle is scored.
    model : Denoiser, optional
        As it came from another task; the pretrained network if None.
    """

    kind: ClassVar[str] = "comparison of partition sizes"

    settings: Settings
    view: View
    model: Any = None

    def run(self, control: Control, report: Report, show: Show) -> dict[str, Any]:
        """Read the window, score; return the figures."""
        from ...denoiser import Denoiser
        from ...partition_sizes import as_figures, score_partition_sizes

        window, axes = np.asarray(self.image[self.view.window]), self.axes
        if self.model is None:
            settings = replace(self.settings, preset="fast", max_steps=0)
            model = Denoiser(settings).fit(window, axes=axes, control=control)
        else:
            model = self.model.repartitioned(self.settings)
        scores = score_partition_sizes(model, window, axes=axes, control=control, report=report)
        return as_figures(model.settings.partition, scores)
