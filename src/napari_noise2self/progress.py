"""How a long job says how far it is, and how it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["training", "calibrating", "predicting"]


class Cancelled(Exception):  # noqa: N818 - what happened, not an error
    """The job was cancelled by the user; there is no result."""


class Control:
    """The switches of a running job; safe to use from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cancel = threading.Event()
        self._going = threading.Event()
        self._going.set()

    def stop(self) -> None:
        """End training at the next step and keep the best weights so far."""
        self._stop.set()
        self._going.set()

    def cancel(self) -> None:
        """End the whole job as soon as possible, without a result."""
        self._cancel.set()
        self._going.set()

    def pause(self) -> None:
        """Let training rest, a tenth of a second from now at the latest."""
        self._going.clear()

    def resume(self) -> None:
        """Let training go on."""
        self._going.set()

    def wait_while_paused(self) -> None:
        """Return when training is to go on, or to end."""
        self._going.wait()

    @property
    def stopped(self) -> bool:
        """Whether training should end and keep its best."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise Cancelled if the job was cancelled."""
        if self._cancel.is_set():
            raise Cancelled("The job was cancelled.")


@dataclass(frozen=True)
class Progress:
    """One report of a running job.

    Parameters
    ----------
    stage : {"training", "calibrating", "predicting"}
        What is going on.
    done, total : int
        Steps of training, strengths of classics, or windows or planes of prediction.
    seconds : float
        Time since the stage began.
    seconds_left : float
        Estimate of the time that the stage still needs.
    held_out_loss : float, optional
        Set on reports that bring a new value: mean squared error at the held-out pixels, in
        units of the noise variance where the noise is known.
    seconds_to_denoise : float
        Of a training: estimate of the time that denoising the same images takes after it; 0 where
        that is not known, or not to come.
    """

    stage: Stage
    done: int
    total: int
    seconds: float
    seconds_left: float
    held_out_loss: float | None = None
    seconds_to_denoise: float = 0.0

    @classmethod
    def at_pace(cls, stage: Stage, done: int, total: int, started: float) -> Progress:
        """Return the report of a stage whose rest takes as long, each, as what is done took.

        Parameters
        ----------
        stage, done, total
            As in `Progress`; `done` is at least 1.
        started : float
            When the stage began, by `time.monotonic`.
        """
        spent = time.monotonic() - started
        return cls(stage, done, total, spent, spent / done * (total - done))


Report = Callable[[Progress], None]


def of_planes(report: Report, number: int, planes: int, started: float) -> Report:
    """Turn reports on one plane into reports on the whole stack.

    Parameters
    ----------
    report : callable
        Takes the reports on the stack.
    number, planes : int
        Of the plane, and how many there are.
    started : float
        When the first plane began, by `time.monotonic`.
    """

    def stack_report(progress: Progress) -> None:
        done = number * progress.total + progress.done
        report(Progress.at_pace(progress.stage, done, planes * progress.total, started))

    return stack_report
