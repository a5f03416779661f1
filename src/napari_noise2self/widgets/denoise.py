"""The dock: choose an image, train on it, get it back without the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Layer

from ..progress import Progress
from ..words import loss_levels, summary
from .denoise_task import DenoiseTask
from .dock import Dock, State
from .figures_panel import FiguresPanel
from .first_look import FirstLook
from .job import Job
from .layers import Source
from .loss_plot import LossPlot
from .placeholder import Placeholder
from .residual_task import Residual, ResidualTask
from .settings_form import SettingsForm
from .task import Outcome

if TYPE_CHECKING:
    from napari.viewer import Viewer

_STATES = {
    "calibrating": State.PREPARING,
    "training": State.TRAINING,
    "predicting": State.PREDICTING,
}
_STOP_TOOLTIP = "End the training now, and denoise with the best network so far."
_RESIDUAL_TOOLTIP = (
    "Add a layer of what was taken away: noisy minus denoised.\n"
    "It should look like noise, which may be stronger where the image is bright.\n"
    "Shapes in one colour are detail that was lost."
)


class DenoiseWidget(Dock):
    """Trains on an image layer and adds its denoised image as a new layer.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the images are; napari passes it by the name of this parameter.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(
            napari_viewer,
            "Train && denoise",
            "Train a small network on the noisy image itself, then denoise the image with it.",
        )
        self._first_look = Placeholder(napari_viewer)
        self._last: tuple[Source, Layer] | None = None
        self.form = SettingsForm()
        self.plot = LossPlot()
        self.plot.hide()
        self.figures = FiguresPanel()
        self._lay_out(
            [("Image", self.images.native), ("Preset", self.form.preset)],
            [
                self.start_button,
                self.progress,
                self.plot,
                self.status,
                self.figures,
                self.form,
            ],
        )
        self.progress.stop_requested.connect(self.stop)
        self.figures.residual_requested.connect(self.show_residual)
        self.reset_choices()
        self._choose_active_image()

    def start(self) -> None:
        """Train on the chosen image, then denoise it."""
        layer = self.images.value
        if layer is None or self._job is not None:
            return
        source = Source.capture(layer, self._viewer.dims)
        task = DenoiseTask(source.name, source.data, source.axes, self.form.settings, source.place)
        self._first_look = Placeholder(self._viewer)
        self.plot.clear()
        self.plot.hide()
        self.figures.hide()
        self.progress.begin(stoppable=True)
        self.status.say(f"{source.name}: {source.planes}")
        self._begin(source, task, State.PREPARING, self._on_success, self._on_first_look)

    def stop(self) -> None:
        """End the training, and denoise with the best network so far."""
        if self._job is not None and self._state is State.TRAINING:
            self._job.stop()
            self._enter(State.STOPPING)

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        super().leave()
        self._first_look.remove()

    def show_residual(self) -> None:
        """Add a layer of what the last run took away."""
        self._refresh()  # the layers may have changed without a word
        if self._last is None or not self.figures.residual.isEnabled():
            return
        source, result = self._last
        rgb = "S" in source.axes
        task = ResidualTask(source.name, source.data, result.data, result.name, rgb)
        self.progress.begin()
        self._begin(source, task, State.SUBTRACTING, self._on_residual)

    def _on_progress(self, progress: Progress) -> None:
        super()._on_progress(progress)
        if progress.held_out_loss is not None:
            self.plot.add(progress.done, progress.held_out_loss)
            self.plot.show()
        state = _STATES[progress.stage]
        late = self._state is State.STOPPING and state is State.TRAINING
        if state is not self._state and not late:
            self._enter(state)

    def _on_first_look(self, look: FirstLook) -> None:
        assert self._job is not None
        self._first_look.show(self._job.source.first_look_layer(look))

    def _on_success(self, outcome: Outcome) -> None:
        seconds = self._seconds
        try:
            job, layer = self._show_result(outcome)
        finally:
            self._finish()
        message = summary(outcome.figures, layer.name, seconds)
        if job.source.data_was_replaced:
            message += (
                f"\n{job.source.name!r} has other data by now; the result belongs to the old data."
            )
        self.status.say(message)
        self.plot.show_levels(loss_levels(outcome.figures))
        self.figures.show_figures(outcome.figures)
        self._last = job.source, layer
        self._refresh()

    def _show_result(self, outcome: Outcome) -> tuple[Job, Layer]:
        """Put the result in place of the first look."""
        job = self._job
        assert job is not None
        assert isinstance(job.task, DenoiseTask)
        layer = job.source.result_layer(outcome, job.task.settings)
        return job, self._first_look.become(layer)

    def _on_residual(self, residual: Residual) -> None:
        job = self._finish(self.status.text())
        assert isinstance(job.task, ResidualTask)
        layer = job.source.residual_layer(residual, job.task.denoised_name)
        self._viewer.add_layer(layer)

    def _finish(self, message: str = "") -> Job:
        """Let go of the job, and of a first look that became no result."""
        job = super()._finish(message)
        self._first_look.dismiss(self)
        return job

    def _refresh(self) -> None:
        super()._refresh()
        idle = self._state is State.IDLE
        self.form.setEnabled(idle)
        self.form.preset.setEnabled(idle)
        self.progress.stop.setEnabled(self._state is State.TRAINING)
        self.progress.stop.setToolTip(
            _STOP_TOOLTIP
            if self._state is State.TRAINING
            else "Only the training can be ended early; Cancel ends the job at any time."
        )
        self._forget_what_is_gone()
        hindrance = self._residual_hindrance()
        self.figures.residual.setEnabled(idle and not hindrance)
        self.figures.residual.setToolTip(hindrance or _RESIDUAL_TOOLTIP)

    def _forget_what_is_gone(self) -> None:
        """Keep no image of a layer that the user removed."""
        if self._last is not None:
            source, result = self._last
            layers = self._viewer.layers
            if source.layer() not in layers or result not in layers:
                self._last = None

    def _residual_hindrance(self) -> str:
        """Say why there can be no residual; empty if there can be."""
        if self._last is None:
            return "The noisy or the denoised layer is gone; denoise again."
        if self._last[0].data_was_replaced:
            return "The noisy layer has other data by now; denoise again."
        return ""
