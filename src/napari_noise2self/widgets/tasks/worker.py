"""A background worker that can be cancelled, reports its errors and lets go of its data."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from superqt.utils import WorkerBase
from superqt.utils._qthreading import WorkerBaseSignals

from ...progress import Cancelled, Control, Progress, Report

_REPORT_EVERY = 0.1


class JobSignals(WorkerBaseSignals):
    """What a `JobWorker` tells: progress and what it shows on the way, how it ended, `finished`.

    `failed` stands for `errored`, because what napari 0.9 connects to `errored` fails itself.
    """

    progressed = Signal(object)
    shown = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    aborted = Signal()


class JobWorker(WorkerBase[None]):
    """Runs ``function(*args, control=..., report=..., show=...)`` in another thread.

    A worker made from a generator would swallow every RuntimeError, CUDA out-of-memory among
    them, and keep the memory of a cancelled job; this one does neither.

    Parameters
    ----------
    function : callable
        Takes `control`, `report` and `show` besides its arguments; raises Cancelled if cancelled.
    *args
        Passed to `function`; the worker forgets them as the work begins.
    """

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__(SignalsClass=JobSignals)
        self.control = Control()
        self._jobs = [(function, args)]

    def run(self) -> None:
        """Begin, unless cancelled by then: with the program, Qt's side of the signals is gone."""
        if not self.abort_requested:
            super().run()
            return
        with suppress(RuntimeError):
            self.aborted.emit()
            self.finished.emit()
            self._finished.emit(self)

    def work(self) -> None:
        """Do the job; called by `run` in the other thread."""
        try:
            result = self._run(*self._jobs.pop())
            self.control.check()
        except Cancelled:
            self.aborted.emit()
        except Exception as error:
            _release_frames(error)
            self.failed.emit(error)
        else:
            self.succeeded.emit(result)

    def quit(self) -> None:
        """Cancel the job."""
        super().quit()
        self.control.cancel()

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        # napari's list of tasks keeps the worker, but nothing of what this frame holds
        report = throttled(self.progressed.emit)
        return function(*args, control=self.control, report=report, show=self.shown.emit)


def throttled(report: Report) -> Report:
    """Return a report that passes on ten calls a second, and all that bring news."""
    last_time, last_stage = 0.0, ""

    def pass_on(progress: Progress) -> None:
        nonlocal last_time, last_stage
        now = time.monotonic()
        news = progress.held_out_loss is not None or progress.stage != last_stage
        if news or now - last_time >= _REPORT_EVERY:
            last_time, last_stage = now, progress.stage
            report(progress)

    return pass_on


def _release_frames(error: BaseException | None) -> None:
    """Empty the frames of an error, which napari's notifications keep for ever.

    Their variables are whole images and networks; the traceback stays readable without them.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
