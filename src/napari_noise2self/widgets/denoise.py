"""The dock: choose an image, train on it, get it back without the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer

from ..figures.words import kept_step, loss_levels, summary
from ..progress import Progress
from ..settings import Device
from .dock import State
from .form.memory import remember, remembered
from .form.settings_form import SettingsForm
from .hidden_pixels import HiddenPixels
from .job import Job
from .later import Later
from .layers.placeholder import Placeholder
from .layers.source import Source, n_pixels
from .layers.transient import when_drawn
from .layouts import settle
from .models import BUSY, Model
from .plots.loss import LossPlot
from .results_dock import ResultsDock
from .tasks.denoise import DenoiseTask
from .tasks.first_look import FirstLook
from .tasks.live import View
from .tasks.sizes import SizesTask
from .tasks.task import Outcome

if TYPE_CHECKING:
    from napari.viewer import Viewer

_STATES = {
    "calibrating": State.PREPARING,
    "training": State.TRAINING,
    "predicting": State.PREDICTING,
}
_STOP_TOOLTIP = "End the training now, and denoise with the best network so far."
_NO_NETWORK = (
    "There is no pretrained network of this kind; train one first. Or choose under Advanced\n"
    "Start: Pretrained, and the default network, width and depth."
)


class DenoiseWidget(ResultsDock):
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
        self._first_look = Placeholder(napari_viewer, self)
        self.form = SettingsForm(remembered())
        self.hidden_pixels = HiddenPixels(napari_viewer, self.images, self.form)
        self._losses = Later(LossPlot)
        self._lay_out(
            [("Image", self.images.native), ("Preset", self.form.preset)],
            [
                self.start_button,
                self.progress,
                self.status,
                self.compare,
                self.figures,
                self._losses,
                self.form,
                self.hidden_pixels,
                self.reuse,
                self.form.advanced,
            ],
        )
        self._sizes_drawn = when_drawn(self, self._scroll_to_sizes)
        self.progress.stop_requested.connect(self.stop)
        self.progress.pause_requested.connect(self._on_pause)
        self.models.continue_requested.connect(self.continue_training)
        self.hidden_pixels.sizes.requested.connect(self.compare_sizes)
        self.form.changed.connect(self._on_settings)
        self.reset_choices()
        self._choose_active_image()

    @property
    def device(self) -> Device:
        """Where to compute with a model from a file."""
        return self.form.settings.device

    @property
    def plot(self) -> LossPlot:
        """The held-out loss of the training."""
        return self._losses.part

    def start(self) -> None:
        """Train on the chosen image, then denoise it."""
        layer = self.images.value
        if layer is not None and self._job is None:
            self._train(layer)

    def continue_training(self) -> None:
        """Train the model in hand on the chosen image for longer, then denoise it."""
        layer, model = self.images.value, self.models.model
        if layer is not None and model is not None and self._job is None:
            self._train(layer, model.denoiser)

    def _train(self, layer: Image, model: object | None = None) -> None:
        """Train a model, a new one if there is none, and denoise an image with it."""
        source = Source.capture(layer, self._viewer.dims)
        settings = self.form.settings
        remember(settings)
        place = source.place if model is None else None
        task = DenoiseTask(
            source.name, source.data, source.axes, settings, place=place, model=model
        )
        self._first_look.begin()
        self.plot.clear()
        self._losses.hide()
        self.progress.begin(stoppable=True)
        self.status.say(f"{source.name}: {source.planes}")
        self._begin(source, task, State.PREPARING, self._on_success, self._on_first_look)
        assert self._job is not None
        self._job.arrived.connect(self._on_arrival)

    def apply(self) -> None:
        """Denoise the chosen image with the model in hand, without training."""
        self._losses.hide()
        super().apply()

    def compare_sizes(self) -> None:
        """Score each partition size on what is in view, with the model in hand if there is one."""
        layer, model = self.images.value, self.models.model
        if self._job is not None or self._sizes_hindrance():
            self.hidden_pixels.sizes.clear()
            return
        source = Source.capture(layer, self._viewer.dims)
        shape, axes = source.data.shape, source.axes
        assert source.place is not None
        view = View.of(layer, shape, axes, self._viewer.dims)
        task = SizesTask(
            source.name,
            source.data,
            axes,
            self.form.settings,
            view or View.middle(source.place, shape, axes),
            None if model is None else model.denoiser,
        )
        self.progress.begin("Comparing partition sizes")
        self.status.say(f"{source.name}: the middle of what is on view")
        self._begin(source, task, State.PREDICTING, self._on_sizes)

    def stop(self) -> None:
        """End the training, and denoise with the best network so far."""
        if self._job is not None and self._state is State.TRAINING:
            self._job.stop()
            self._enter(State.STOPPING)

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        super().leave()
        self._first_look.remove()
        self.hidden_pixels.leave()
        self.form.leave()

    def _on_progress(self, progress: Progress) -> None:
        super()._on_progress(progress)
        if progress.held_out_loss is not None:
            self.plot.add(progress.done, progress.held_out_loss)
            self._losses.show()
        self._look_on()
        state = _STATES[progress.stage]
        late = self._state is State.STOPPING and state is State.TRAINING
        if state is not self._state and not late:
            self._enter(state)

    def _on_pause(self, resting: bool) -> None:
        self.progress.rest(resting)
        if self._job is not None:
            self._job.pause(resting=resting)

    def _on_settings(self) -> None:
        """See what can be compared, or let a training hide other pixels from its next step on."""
        if self._job is None:
            self.hidden_pixels.sizes.refresh(self._sizes_hindrance())
        elif isinstance(self._job.task, DenoiseTask):
            self._job.task.live.settings = self.form.settings

    def _look_on(self) -> None:
        """Tell the training what the user looks at."""
        assert self._job is not None
        task, layer = self._job.task, self._job.source.layer()
        if isinstance(task, DenoiseTask):
            gone = layer is None or layer not in self._viewer.layers
            shape, dims = task.data.shape, self._viewer.dims
            task.live.view = None if gone else View.of(layer, shape, task.axes, dims)

    def _on_sizes(self, figures: dict[str, Any]) -> None:
        self._finish("Partition sizes compared: see below.")
        self.hidden_pixels.sizes.show_scores(figures)
        self._sizes_drawn.start()

    def _scroll_to_sizes(self) -> None:
        self._scroll.ensureWidgetVisible(self.hidden_pixels.sizes)

    def _on_first_look(self, look: FirstLook) -> None:
        assert self._job is not None
        self._first_look.show(look.image, self._job.source.look_of_first_look(look))

    def _on_arrival(self, outcome: Outcome) -> None:
        """Show what there is besides the image, which holds up the window enough by itself."""
        self.plot.show_outcome(kept_step(outcome.figures), loss_levels(outcome.figures))
        self.figures.fill(outcome.figures)
        settle()

    def _on_success(self, outcome: Outcome) -> None:
        seconds = self._seconds
        try:
            source, layer = self._show_result(outcome, seconds)
        finally:
            self._finish()
        self.hidden_pixels.learn(source, outcome.settings, outcome.figures)
        self.models.model = Model(outcome.model, source.name)
        self._keep(layer, source, summary(outcome.figures, layer.name, seconds))
        settle()

    def _show_result(self, outcome: Outcome, seconds: float) -> tuple[Source, Layer]:
        """Put the result in place of the first look."""
        assert self._job is not None
        source = self._job.source
        look = source.result_look(outcome, seconds=seconds)
        return source, self._first_look.become(outcome.image, look)

    def _finish(self, message: str = "") -> Job:
        """Let go of the job, and of a first look that became no result."""
        job = super()._finish(message)
        if self.hidden_pixels.sizes.isHidden():
            self.hidden_pixels.sizes.clear()
        self._first_look.dismiss()
        return job

    def _refresh(self) -> None:
        super()._refresh()
        idle = self._state is State.IDLE
        training = self._state is State.TRAINING
        self.form.enable(usable=idle, partition=idle or training)
        self.form.explain_for(n_pixels(self.images.value))
        model = self.models.model
        self.hidden_pixels.model = model.denoiser if idle and model else None
        self.hidden_pixels.refresh()
        self.hidden_pixels.sizes.refresh(self._sizes_hindrance() if idle else BUSY)
        self.progress.pause.setEnabled(training)
        self.progress.pause.setChecked(training and self.progress.pause.isChecked())
        self.progress.pause.setToolTip(
            "Let the training rest; the computer is free meanwhile."
            if training
            else "Only the training can rest."
        )
        self.progress.stop.setEnabled(training)
        self.progress.stop.setToolTip(
            _STOP_TOOLTIP
            if training
            else "Only the training can be ended early; Cancel ends the job at any time."
        )

    def _sizes_hindrance(self) -> str:
        """Say why partition sizes can't be compared; empty if they can be."""
        layer = self.images.value
        if layer is None:
            return "There is no image layer; open an image first."
        if self._viewer.dims.ndisplay != 2:
            return "One plane must be in view; change to 2D."
        settings = self.form.settings.effective
        if self.models.model is None and settings.start == "fresh":
            return _NO_NETWORK
        return ""
