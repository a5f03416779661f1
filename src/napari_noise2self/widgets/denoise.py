"""The dock: choose an image, train on it, get it back without the noise."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any

from magicgui.widgets import create_widget
from napari.layers import Image
from napari.utils.notifications import ErrorNotification, notification_manager, show_error
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..progress import Progress
from .job import Job
from .layers import Source
from .progress_panel import ProgressPanel
from .settings_form import SettingsForm
from .task import Outcome
from .words import summary

if TYPE_CHECKING:
    from napari.viewer import Viewer

_START_TOOLTIP = "Train a small network on the noisy image itself, then denoise the image with it."
_STOP_TOOLTIP = "End the training now, and denoise with the best network so far."


class State(Enum):
    """What the dock is doing."""

    IDLE = "idle"
    TRAINING = "training"
    STOPPING = "stopping"
    PREDICTING = "predicting"


class DenoiseWidget(QWidget):
    """Trains on an image layer and adds its denoised image as a new layer.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the images are; napari passes it by the name of this parameter.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._job: Job | None = None
        self._started = 0.0
        self._state = State.IDLE
        self.form = SettingsForm()
        self.images = _image_choice(napari_viewer)
        self.start_button = QPushButton("Train && denoise")
        self.progress = ProgressPanel()
        self.status = QLabel()
        self._lay_out()
        self.images.changed.connect(self._refresh)
        self.start_button.clicked.connect(self.start)
        self.progress.stop_requested.connect(self.stop)
        self.progress.cancel_requested.connect(self.cancel)
        self.reset_choices()
        self._choose_active_image()

    @property
    def state(self) -> State:
        """What the dock is doing."""
        return self._state

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers; napari calls this when they change."""
        self.images.reset_choices(event)
        self._refresh()

    def start(self) -> None:
        """Train on the chosen image, then denoise it."""
        layer = self.images.value
        if layer is None or self._job is not None:
            return
        source = Source.capture(layer, self._displayed_axes(layer))
        job = Job(source, self.form.settings, self)
        job.progressed.connect(self._on_progress)
        job.succeeded.connect(self._on_success)
        job.failed.connect(self._on_failure)
        job.ended.connect(self._on_end)
        self._job, self._started = job, time.monotonic()
        self.progress.begin()
        self._say(f"{source.name}: {source.planes}")
        self._enter(State.TRAINING)
        job.start()

    def stop(self) -> None:
        """End the training, and denoise with the best network so far."""
        if self._job is not None:
            self._job.stop()
            self._enter(State.STOPPING)

    def cancel(self) -> None:
        """End the job without a result."""
        if self._job is not None:
            self._finish("Cancelled; nothing was changed.")

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Cancel when the dock is closed, which takes its content out of it; called by Qt."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()

    def _on_progress(self, progress: Progress) -> None:
        self.progress.show_progress(progress)
        if progress.stage == "predicting" and self._state is not State.PREDICTING:
            self._enter(State.PREDICTING)

    def _on_success(self, outcome: Outcome) -> None:
        job = self._finish()
        layer = job.source.result_layer(outcome, job.settings)
        self._viewer.add_layer(layer)
        seconds = time.monotonic() - self._started
        message = summary(outcome.figures, layer.name, seconds)
        if job.source.data_was_replaced:
            message += (
                f"\n{job.source.name!r} has other data by now; the result belongs to the old data."
            )
        self._say(message)

    def _on_failure(self, error: Exception) -> None:
        self._finish(str(error))
        if error.__cause__ is None:
            show_error(str(error))
        else:  # not foreseen: let the user see, and report, the traceback
            notification_manager.dispatch(ErrorNotification(error))

    def _on_end(self) -> None:
        """Follow a job that ended without a word: napari cancelled it from its own list."""
        self._finish("Cancelled; nothing was changed.")

    def _finish(self, message: str = "") -> Job:
        """Let go of the job, and be ready for the next."""
        job, self._job = self._job, None
        assert job is not None
        job.cancel()
        self._say(message)
        self.progress.end()
        self._enter(State.IDLE)
        return job

    def _say(self, message: str) -> None:
        """Write the status line, which takes no room when empty."""
        self.status.setText(message)
        self.status.setVisible(bool(message))

    def _enter(self, state: State) -> None:
        self._state = state
        self._refresh()

    def _refresh(self) -> None:
        """Enable what can work now, and say why the rest can't."""
        idle, has_image = self._state is State.IDLE, self.images.value is not None
        self.images.enabled = idle
        self.form.setEnabled(idle)
        self.form.preset.setEnabled(idle)
        self.start_button.setEnabled(idle and has_image)
        self.start_button.setToolTip(
            "An image is being denoised; wait for it, or cancel it."
            if not idle
            else _START_TOOLTIP
            if has_image
            else "There is no image layer; open an image first."
        )
        self.progress.stop.setEnabled(self._state is State.TRAINING)
        self.progress.stop.setToolTip(
            _STOP_TOOLTIP
            if self._state is State.TRAINING
            else "The training has ended; the image is being denoised."
        )

    def _displayed_axes(self, layer: Image) -> list[int]:
        """Return the axes of a layer that the viewer displays."""
        dims = self._viewer.dims
        return [axis - (dims.ndim - layer.ndim) for axis in dims.displayed]

    def _choose_active_image(self) -> None:
        """Begin with the image that the user has selected."""
        active = self._viewer.layers.selection.active
        if active in self.images.choices:
            self.images.value = active

    def _lay_out(self) -> None:
        """Put everything into one column that scrolls where the window is low."""
        bold = self.start_button.font()
        bold.setBold(True)
        self.start_button.setFont(bold)
        self.start_button.setMinimumHeight(36)
        self.status.setWordWrap(True)
        self.status.hide()
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        choices = QWidget()
        rows = QFormLayout(choices)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Image", self.images.native)
        rows.addRow("Preset", self.form.preset)
        column = QWidget()
        layout = QVBoxLayout(column)
        for part in (
            choices,
            self.start_button,
            self.progress,
            self.status,
            self.form,
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(column)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.setMinimumWidth(column.minimumSizeHint().width() + scroll.verticalScrollBar().width())


def _image_choice(viewer: Viewer) -> Any:
    """Return a combo box of the viewer's image layers."""

    def image_layers(_: object) -> list[Image]:
        return [layer for layer in viewer.layers if isinstance(layer, Image)]

    combo = create_widget(annotation=Image, options={"choices": image_layers, "nullable": False})
    combo.tooltip = "The noisy image. It is left as it is; the result is a new layer."
    combo.native.setPlaceholderText("No image layer")
    return combo
