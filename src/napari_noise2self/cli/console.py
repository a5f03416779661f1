"""The progress bar of the command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from ..figures.words import time_left
from ..progress import Progress


class FilesProgress:
    """A progress bar on standard error with the time left; nothing where that is no terminal.

    Parameters
    ----------
    files : int
        How many files there are to work on.
    denoises : bool
        Whether a training is followed by a prediction, whose time then counts, too.
    """

    def __init__(self, files: int, *, denoises: bool = True) -> None:
        self._files, self._done, self._denoises = files, 0, denoises
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),  # rich would also believe FORCE_COLOR
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, left="")

    def __enter__(self) -> FilesProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def report(self, progress: Progress) -> None:
        """Show a report of the job at work."""
        if not self._denoises:
            progress = replace(progress, seconds_to_denoise=0.0)
        place = f" {self._done + 1}/{self._files}" if self._files > 1 else ""
        self._bar.update(
            self._task,
            description=f"{progress.stage}{place}",
            completed=progress.done,
            total=progress.total,
            left=time_left(progress),
        )
        self._bar.start()  # again, if the last file is done

    def advance(self) -> None:
        """Note that a file is done, and clear the line for what is said of it."""
        self._done += 1
        self._bar.stop()
