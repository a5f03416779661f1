"""Train on an image and denoise it, after a first look."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ...progress import Cancelled, Control, Progress, Report
from ...settings import Settings
from .first_look import FirstLook, first_look
from .image import ImageTask, result_dtype
from .live import Live
from .task import Outcome, Show

if TYPE_CHECKING:
    from ...denoiser import Denoiser

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DenoiseTask(ImageTask):
    """Train on an image and denoise it; shows a `FirstLook` before, and meanwhile.

    Parameters
    ----------
    settings : Settings
        How to train and denoise.
    place : sequence of int, optional
        Indices of a pixel of the plane to look at first; no first look if None.
    model : Denoiser, optional
        To train for longer, as it came from another task; a new one if None.
    live : Live
        What the main thread says while the task runs.
    """

    kind: ClassVar[str] = "denoising"

    settings: Settings
    place: Sequence[int] | None = None
    model: Any = None
    live: Live = field(default_factory=Live)

    def run(self, control: Control, report: Report, show: Show) -> Outcome:
        """Look, train, denoise."""
        image = self.image
        look = self._first_look(image, control)
        if look:
            show(look)
        denoiser, train = self._begin()
        self.live.begin(look)
        # no closure: napari keeps the traceback of an error, and would keep all that is in one
        look_on = partial(self._look_on, denoiser, image, control, report, show)
        train(image, axes=self.axes, control=control, report=look_on)
        result = denoiser.result(
            image, axes=self.axes, dtype=result_dtype(self.axes), control=control, report=report
        )
        image = self.with_alpha(result.image)
        return Outcome(image, result.figures, denoiser.settings, denoiser)

    def _look_on(
        self,
        denoiser: Denoiser,
        image: Any,
        control: Control,
        report: Report,
        show: Show,
        progress: Progress,
    ) -> None:
        """Report, and show what the training has come to."""
        report(progress)
        if progress.stage == "training":
            self.live.follow(denoiser)
            preview = self.live.preview(denoiser, image, self.axes, control)
            if preview:
                show(preview)

    def _begin(self) -> tuple[Denoiser, Callable[..., Any]]:
        """Return the denoiser, and what trains it; the model in hand stays as it is."""
        from ...denoiser import Denoiser

        if self.model is None:
            denoiser = Denoiser(self.settings)
            return denoiser, denoiser.fit
        denoiser = copy.copy(self.model)
        return denoiser, partial(denoiser.continue_training, settings=self.settings)

    def _first_look(self, image: Any, control: Control) -> FirstLook | None:
        """Return the first look, if there can be one."""
        if self.place is None:
            return None
        try:
            return first_look(image, self.axes, self.place, control)
        except Cancelled:
            raise
        except Exception:  # it is no more than a courtesy: the training says what is wrong
            _LOG.info("There is no first look at %r.", self.name, exc_info=True)
            return None
