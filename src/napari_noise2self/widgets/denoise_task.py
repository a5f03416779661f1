"""Train on an image and denoise it, after a first look."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..progress import Cancelled, Control, Progress, Report
from ..settings import Settings
from .first_look import FirstLook, first_look
from .live import Live
from .task import Outcome, Show, Task

_LOG = logging.getLogger(__name__)
_RGB = 3


@dataclass(frozen=True)
class DenoiseTask(Task):
    """Train on an image and denoise it; shows a `FirstLook` before, and meanwhile.

    Parameters
    ----------
    data : array
        The image.
    axes : str
        One letter for each of its axes.
    settings : Settings
        How to train and denoise.
    place : sequence of int, optional
        Indices of a pixel of the plane to look at first; no first look if None.
    live : Live
        What the main thread says while the task runs.
    """

    kind: ClassVar[str] = "denoising"

    data: Any
    axes: str
    settings: Settings
    place: Sequence[int] | None = None
    live: Live = field(default_factory=Live)

    @property
    def last_settings(self) -> Settings:
        """The settings with the partition that the user chose last."""
        return self.live.settings or self.settings

    def run(self, control: Control, report: Report, show: Show) -> Outcome:
        """Look, train, denoise."""
        from ..denoiser import Denoiser

        image = without_alpha(self.data, self.axes)
        look = self._first_look(image, control)
        if look:
            show(look)
        denoiser = Denoiser(self.settings)
        self.live.begin(look)

        def report_and_show(progress: Progress) -> None:
            report(progress)
            if progress.stage == "training":
                self.live.follow(denoiser)
                preview = self.live.preview(denoiser, image, self.axes, control)
                if preview:
                    show(preview)

        denoiser.fit(image, axes=self.axes, control=control, report=report_and_show)
        # whole numbers stay whole in colour: napari takes colours as 0-255, or as fractions
        result = denoiser.result(
            image,
            axes=self.axes,
            dtype="same" if "S" in self.axes else "float32",
            control=control,
            report=report,
        )
        return Outcome(with_alpha(result.image, self.data, self.axes), result.figures, denoiser)

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


def without_alpha(data: Any, axes: str) -> Any:
    """Return an image without its alpha channel, if it has one."""
    return data[..., :_RGB] if "S" in axes else data


def with_alpha(image: NDArray[Any], data: Any, axes: str) -> NDArray[Any]:
    """Give an image the alpha channel of its source, if that has one."""
    if "S" not in axes or data.shape[-1] == _RGB:
        return image
    return np.concatenate([image, np.asarray(data[..., _RGB:])], axis=-1)
