"""One run of a dock: a source, what to do with it, and the worker that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from .layers.source import Source
from .tasks.task import Task
from .tasks.worker import JobWorker

_FRAME = 20  # milliseconds: by then Qt has drawn what has changed


class Job(QObject):
    """Runs a task in the background, and speaks only while it is wanted.

    A cancelled job is silent at once, whatever its thread still has to finish: a step of the
    training, or the loading of PyTorch, which nothing can interrupt.

    Parameters
    ----------
    source : Source, optional
        What the task is done with, if it is done with a layer.
    task : Task
        What to do.
    parent : QObject
        Cancels the job when it is destroyed.
    """

    progressed = Signal(object)
    """A `Progress`, about ten times a second."""
    shown = Signal(object)
    """What there is to see before the task is done."""
    arrived = Signal(object)
    """What the task returned, for all that is only to be looked at."""
    succeeded = Signal(object)
    """The same in another turn of the event loop: between the two the window is drawn."""
    failed = Signal(object)
    """The exception."""
    ended = Signal()
    """It was cancelled, but not by its owner."""

    def __init__(self, source: Source | None, task: Task, parent: QObject) -> None:
        super().__init__(parent)
        self._source = source
        self.task = task
        worker: JobWorker = create_worker(
            _Run(str(task)),
            task,
            _worker_class=JobWorker,
            _ignore_errors=True,
            _start_thread=False,
        )
        worker.progressed.connect(self.progressed)
        worker.shown.connect(self.shown)
        worker.succeeded.connect(self._on_success)
        worker.failed.connect(self.failed)
        worker.aborted.connect(self.ended)
        worker.warned.connect(_relay_warning)
        # not bound to self, which is gone by then
        self.destroyed.connect(lambda *_: worker.quit())
        self._worker = worker
        self._result: Any = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(_FRAME)
        self._turn.timeout.connect(self._succeed)

    @property
    def source(self) -> Source:
        """What the task is done with; a task without a layer must not ask."""
        assert self._source is not None
        return self._source

    def start(self) -> None:
        """Begin to work in the background."""
        self._worker.start()

    def stop(self) -> None:
        """End the training, and go on with the best weights so far."""
        self._worker.control.stop()

    def pause(self, *, resting: bool) -> None:
        """Let the training rest, or go on."""
        control = self._worker.control
        (control.pause if resting else control.resume)()

    def cancel(self) -> None:
        """End the job without a result, and hear nothing of it any more."""
        self.blockSignals(True)
        self._turn.stop()
        self._result = None
        self._worker.quit()
        self.deleteLater()

    def _on_success(self, result: Any) -> None:
        self._result = result
        self._turn.start()
        self.arrived.emit(result)

    def _succeed(self) -> None:
        self.succeeded.emit(self._result)


@dataclass(frozen=True)
class _Run:
    """Runs a task; napari's list of running tasks shows it as text, and keeps it for ever.

    Parameters
    ----------
    text : str
        All that is to be kept of the task.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __call__(self, task: Task, **strings: Any) -> Any:
        return task(**strings)


def _relay_warning(arguments: tuple[Any, ...]) -> None:
    """Show a warning of the worker's thread in napari."""
    notification_manager.receive_warning(*arguments)
