"""A dock that keeps what it made in view: figures, comparison, residual, model, code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QApplication

from ..figures.words import applied_summary
from ..settings import Device
from ..snippet import as_python, hindrance
from .compare import ComparePanel
from .dock import Dock, State
from .figures_panel import FiguresPanel
from .form.section import Section
from .layers.mix import denoised_of
from .layers.source import Source
from .models import Model, ModelRow
from .results import story_of
from .tasks.models import ApplyTask, LoadTask, SaveTask
from .tasks.residual import Residual, ResidualTask
from .tasks.task import Outcome

if TYPE_CHECKING:
    from napari.viewer import Viewer

_RESIDUAL_TOOLTIP = (
    "A layer of what was taken away: noisy minus denoised.\n"
    "It should look like noise, which may be stronger where the image is bright.\n"
    "Shapes in one colour are detail that was lost."
)


class ResultsDock(Dock):
    """Compares its results, shows their residuals, and makes use of its model again.

    Parameters
    ----------
    viewer, verb, explanation
        As of `Dock`.
    """

    def __init__(self, viewer: Viewer, verb: str, explanation: str) -> None:
        super().__init__(viewer, verb, explanation)
        self.figures = FiguresPanel()
        self.compare = ComparePanel(viewer)
        self.models = ModelRow()
        self.reuse = Section("Model and code", self.models)
        self._residual: Image | None = None
        self.compare.chosen.connect(self._refresh)
        self.compare.residual_requested.connect(self.toggle_residual)
        self.models.apply_requested.connect(self.apply)
        self.models.save_requested.connect(self.save)
        self.models.load_requested.connect(self.load)
        self.models.copy_requested.connect(self.copy_as_python)

    @property
    def device(self) -> Device:
        """Where to compute with a model from a file."""
        return "auto"

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers; napari calls this when they change."""
        self.compare.reset_choices()
        super().reset_choices(event)

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        super().leave()
        self._follow(None)
        self.compare.leave()
        self.models.model = None

    def toggle_residual(self) -> None:
        """Show a layer of what the chosen result took away, or hide it."""
        self._refresh()  # the layers may have changed without a word
        result = self.compare.layer
        if result is None or not self.compare.residual.isEnabled():
            return
        shown = self.compare.results.residual(result)
        if shown is None:
            self._subtract(result)
        else:
            shown.visible = not shown.visible
            self._refresh()

    def apply(self) -> None:
        """Denoise the chosen image with the model in hand, without training."""
        layer, model = self.images.value, self.models.model
        if layer is None or model is None or self._job is not None:
            return
        source = Source.capture(layer, self._viewer.dims)
        task = ApplyTask(source.name, source.data, source.axes, model.denoiser, model.origin)
        self.progress.begin()
        self.status.say(f"{source.name}: {source.planes}")
        self._begin(source, task, State.PREDICTING, self._on_applied)

    def save(self, path: str, overwrite: bool) -> None:
        """Write the model in hand to a file."""
        model = self.models.model
        if model is None or self._job is not None:
            return
        self.progress.begin("Saving the model")
        task = SaveTask(model.name, model.denoiser, path, overwrite)
        self._begin(None, task, State.SAVING, self._on_saved)

    def load(self, path: str) -> None:
        """Take the model of a file in hand."""
        if self._job is not None:
            show_warning("The dock is at work; load the model when it is done.")
            return
        self.progress.begin("Loading the model")
        task = LoadTask(Path(path).name, path, self.device)
        self._begin(None, task, State.LOADING, self._on_loaded)

    def copy_as_python(self) -> None:
        """Copy the code that gives the pixels of the chosen result again."""
        result = self.compare.layer
        if result is not None and not self._copy_hindrance():
            code = as_python(story_of(result), self.compare.results.expression(result))
            QApplication.clipboard().setText(code)
            self.status.say("Copied; paste the code into napari's console, or into a script.")

    def _keep(self, layer: Image, source: Source, message: str) -> None:
        """Compare a new result with its source, and say how it came about."""
        if source.data_was_replaced:
            message += (
                f"\n{source.name!r} has other data by now; the result belongs to the old data."
            )
        self.status.say(message)
        self.compare.results.add(layer, source)
        self.compare.reset_choices()
        self.compare.choose(layer)
        self._refresh()

    def _on_applied(self, outcome: Outcome) -> None:
        seconds = self._seconds
        job = self._finish()
        task, source = job.task, job.source
        assert isinstance(task, ApplyTask)
        layer = source.result_layer(outcome, seconds=seconds, model=task.origin)
        self._viewer.add_layer(layer)
        self._keep(layer, source, applied_summary(task.origin["name"] or "", layer.name, seconds))

    def _on_saved(self, path: str) -> None:
        self._finish(f"The model was saved as {path}.")
        assert self.models.model is not None
        self.models.model = replace(self.models.model, path=path)

    def _on_loaded(self, denoiser: object) -> None:
        task = self._finish().task
        assert isinstance(task, LoadTask)
        self.models.model = Model(denoiser, Path(task.path).stem, task.path)
        self.status.say(f"Model {task.name!r} is ready; 'Apply model' denoises the image with it.")
        self.reuse.unfold()
        self._refresh()

    def _subtract(self, result: Image) -> None:
        source = self.compare.results.source(result)
        assert source is not None
        noisy = source.layer()
        like = replace(Source.capture(result), name=noisy.name if noisy else source.name)
        task = ResidualTask(
            like.name,
            source.data,
            denoised_of(result.data),
            result.name,
            str(result.unique_id),
            "S" in source.axes,
        )
        self.progress.begin("Subtracting the result")
        self._begin(like, task, State.SUBTRACTING, self._on_residual)

    def _on_residual(self, residual: Residual) -> None:
        job = self._finish(self.status.text())
        task, source = job.task, job.source
        assert isinstance(task, ResidualTask)
        layer = source.residual_layer(residual, task.denoised_name, task.denoised_id)
        self._viewer.add_layer(layer)

    def _follow(self, residual: Image | None) -> None:
        """Follow the eye of this layer in the layer list, and of no other."""
        if residual != self._residual:
            before, self._residual = self._residual, residual
            if before is not None:
                before.events.visible.disconnect(self._refresh)
            if residual is not None:
                residual.events.visible.connect(self._refresh)

    def _refresh(self) -> None:
        super()._refresh()
        idle = self._state is State.IDLE
        self.compare.refresh()
        self._refresh_residual(idle)
        self.models.refresh(
            idle=idle, image=self.images.value is not None, no_copy=self._copy_hindrance()
        )
        result = self.compare.layer
        figures = {} if result is None else story_of(result)["figures"]
        self.figures.show_figures(figures if idle else {})

    def _refresh_residual(self, idle: bool) -> None:
        result = self.compare.layer
        shown = None if result is None else self.compare.results.residual(result)
        self._follow(shown)
        hindrance = "" if shown is not None else self._residual_hindrance(result)
        visible = shown is not None and shown.visible
        self.compare.residual.setText("Hide residual" if visible else "Show residual")
        self.compare.residual.setEnabled(idle and not hindrance)
        self.compare.residual.setToolTip(hindrance or _RESIDUAL_TOOLTIP)

    def _residual_hindrance(self, result: Image | None) -> str:
        """Say why there can be no residual; empty if there can be."""
        source = None if result is None else self.compare.results.source(result)
        if source is None:
            return "The noisy or the denoised layer is gone; denoise again."
        if source.data_was_replaced:
            return "The noisy layer has other data by now; denoise again."
        if result is not None and result.data.shape != source.data.shape:
            return "The denoised layer has other data by now; denoise again."
        return ""

    def _copy_hindrance(self) -> str:
        """Say why there is no code to copy; empty if there is."""
        result = self.compare.layer
        return "There is no result yet." if result is None else hindrance(story_of(result))
