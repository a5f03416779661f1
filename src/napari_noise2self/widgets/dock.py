"""What all docks share: an image to work on, one job at a time, and what to say of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import ErrorNotification, notification_manager, show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..progress import Progress
from .form.image_choice import image_choice
from .form.prose import Prose
from .garbage import spare_old_objects
from .job import Job
from .layers.source import Source
from .layouts import column, form
from .progress_panel import ProgressPanel
from .tasks.task import Task

if TYPE_CHECKING:
    from napari.viewer import Viewer


class State(Enum):
    """What a dock is doing."""

    IDLE = "idle"
    PREPARING = "preparing"
    TRAINING = "training"
    STOPPING = "stopping"
    PREDICTING = "predicting"
    CALIBRATING = "calibrating"
    SUBTRACTING = "subtracting"
    SAVING = "saving"
    LOADING = "loading"


class Dock(QWidget):
    """One column, with a button that starts a job on an image layer.

    Parameters
    ----------
    viewer : Viewer
        Where the images are.
    verb : str
        On the button.
    explanation : str
        What the button does.
    """

    def __init__(self, viewer: Viewer, verb: str, explanation: str) -> None:
        super().__init__()
        spare_old_objects()
        self._viewer = viewer
        self._explanation = explanation
        self._job: Job | None = None
        self._started = 0.0
        self._state = State.IDLE
        self.images = image_choice(
            viewer, "The noisy image. It is left as it is; the result is a new layer."
        )
        self.start_button = self._pressed = _main_button(verb)
        self.progress = ProgressPanel()
        self.status = Prose()
        self.images.changed.connect(self._refresh)
        self.start_button.clicked.connect(self.start)
        self.progress.cancel_requested.connect(self.cancel)
        for event in self._changes_of_view:
            event.connect(self._refresh)

    @property
    def state(self) -> State:
        """What the dock is doing."""
        return self._state

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers; napari calls this when they change."""
        self.images.reset_choices(event)
        self._refresh()

    def start(self) -> None:
        """Do what the button says."""
        raise NotImplementedError  # not abstract: Qt's metaclass is not that of ABC

    def cancel(self) -> None:
        """End the job without a result."""
        if self._job is not None:
            self._finish(self._job.task.when_cancelled)

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        self.cancel()
        for event in self._changes_of_view:
            event.disconnect(self._refresh)

    def _begin(
        self,
        source: Source | None,
        task: Task,
        state: State,
        on_success: Callable[[Any], None],
        on_show: Callable[[Any], None] | None = None,
    ) -> None:
        """Start a job; `on_success` must `_finish` it."""
        job = Job(source, task, self)
        job.progressed.connect(self._on_progress)
        job.succeeded.connect(on_success)
        job.failed.connect(self._on_failure)
        job.ended.connect(self.cancel)  # napari cancelled it from its own list
        if on_show:
            job.shown.connect(on_show)
        self._job, self._started = job, time.monotonic()
        pressed = self._focused
        self._pressed = pressed if isinstance(pressed, QPushButton) else self.start_button
        self._enter(state)
        job.start()

    @property
    def _changes_of_view(self) -> list[Any]:
        """The events of what can't be shown in every view."""
        return [self._viewer.dims.events.ndisplay, self._viewer.canvas.grid.events.enabled]

    @property
    def _seconds(self) -> float:
        """Time since the job began."""
        return time.monotonic() - self._started

    def _on_progress(self, progress: Progress) -> None:
        self.progress.show_progress(progress)

    def _on_failure(self, error: Exception) -> None:
        self._finish(str(error))
        if error.__cause__ is None:
            show_error(str(error))
        else:  # not foreseen: let the user see, and report, the traceback
            notification_manager.dispatch(ErrorNotification(error))

    def _finish(self, message: str = "") -> Job:
        """Let go of the job, and be ready for the next."""
        job, self._job = self._job, None
        assert job is not None
        focused = self._focused
        job.cancel()
        self.status.say(message)
        self.progress.end()
        self._enter(State.IDLE)
        if focused and (focused is self._scroll or self.progress.isAncestorOf(focused)):
            self._pressed.setFocus()
        return job

    def _enter(self, state: State) -> None:
        focused = self._focused
        self._state = state
        self._refresh()
        if focused and not focused.isEnabled():
            self._scroll.setFocus()  # Qt moves it to Cancel, for the next press of the space bar

    @property
    def _focused(self) -> QWidget | None:
        """What has the keyboard's focus, if it is in this dock."""
        focused = QApplication.focusWidget()
        return focused if focused and self.isAncestorOf(focused) else None

    def _refresh(self) -> None:
        """Enable what can work now, and say why the rest can't."""
        idle, has_image = self._state is State.IDLE, self.images.value is not None
        self.images.enabled = idle
        self.start_button.setEnabled(idle and has_image)
        self.start_button.setToolTip(
            "The dock is at work; wait for it, or cancel it."
            if not idle
            else self._explanation
            if has_image
            else "There is no image layer; open an image first."
        )

    def _choose_active_image(self) -> None:
        """Begin with the image that the user has selected."""
        active = self._viewer.layers.selection.active
        if active in self.images.choices:
            self.images.value = active

    def _lay_out(self, rows: Sequence[tuple[str, QWidget]], parts: Sequence[QWidget]) -> None:
        """Put everything into one column that scrolls where the window is low.

        Parameters
        ----------
        rows : sequence of (str, QWidget)
            What to choose, with its labels.
        parts : sequence of QWidget
            What comes below.
        """
        choices = QWidget()
        above = form(choices)
        for label, editor in rows:
            above.addRow(label, editor)
        page = QWidget()
        layout = QVBoxLayout(page)
        for part in (choices, *parts):
            layout.addWidget(part)
        layout.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        column(self, scroll)
        self.setMinimumWidth(page.minimumSizeHint().width() + scroll.verticalScrollBar().width())


def _main_button(verb: str) -> QPushButton:
    """Return a button that is seen first."""
    button = QPushButton(verb)
    bold = button.font()
    bold.setBold(True)
    button.setFont(bold)
    button.setMinimumHeight(36)
    return button
