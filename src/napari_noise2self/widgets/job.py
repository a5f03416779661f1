"""One run of the dock: a source, its settings, and the worker that denoises it."""

from __future__ import annotations

from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from ..settings import Settings
from .layers import Source
from .task import DenoiseTask
from .worker import JobWorker


class Job(QObject):
    """Denoises a source in the background, and speaks only while it is wanted.

    A cancelled job is silent at once, whatever its thread still has to finish: a step of the
    training, or the loading of PyTorch, which nothing can interrupt.

    Parameters
    ----------
    source : Source
        What to denoise.
    settings : Settings
        How.
    parent : QObject
        Cancels the job when it is destroyed.
    """

    progressed = Signal(object)
    """A `Progress`, about ten times a second."""
    succeeded = Signal(object)
    """The `Outcome`."""
    failed = Signal(object)
    """The exception."""
    ended = Signal()
    """Comes last, unless the job was cancelled by its owner."""

    def __init__(self, source: Source, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self.source = source
        self.settings = settings
        worker: JobWorker = create_worker(
            DenoiseTask(source.name),
            source.data,
            source.axes,
            settings,
            _worker_class=JobWorker,
            _ignore_errors=True,
            _start_thread=False,
        )
        worker.progressed.connect(self.progressed)
        worker.succeeded.connect(self.succeeded)
        worker.failed.connect(self.failed)
        worker.finished.connect(self.ended)
        worker.warned.connect(_relay_warning)
        # not bound to self, which is gone by then
        self.destroyed.connect(lambda *_: worker.quit())
        self._worker = worker

    def start(self) -> None:
        """Begin to work in the background."""
        self._worker.start()

    def stop(self) -> None:
        """End the training, and go on with the best weights so far."""
        self._worker.control.stop()

    def cancel(self) -> None:
        """End the job without a result, and hear nothing of it any more."""
        self.blockSignals(True)
        self._worker.quit()
        self.deleteLater()


def _relay_warning(arguments: tuple[Any, ...]) -> None:
    """Show a warning of the worker's thread in napari."""
    notification_manager.receive_warning(*arguments)
