"""What a job reports, and its switches."""

from __future__ import annotations

import threading
import time
from dataclasses import FrozenInstanceError

import pytest

from napari_noise2self.progress import Cancelled, Control, Progress, of_planes


def test_new_job_is_neither_stopped_nor_cancelled() -> None:
    control = Control()
    assert not control.stopped
    control.check()


def test_stop_keeps_the_job_alive() -> None:
    control = Control()
    control.stop()
    assert control.stopped
    control.check()


def test_cancelled_job_raises_again_and_again() -> None:
    control = Control()
    control.cancel()
    for _ in range(2):
        with pytest.raises(Cancelled, match="cancelled"):
            control.check()


def test_switches_work_from_another_thread() -> None:
    control = Control()
    for switch in (control.stop, control.cancel):
        thread = threading.Thread(target=switch)
        thread.start()
        thread.join()
    assert control.stopped
    with pytest.raises(Cancelled):
        control.check()


def test_cancelled_is_no_value_error() -> None:
    """Whoever catches errors of the input must not swallow it."""
    assert not issubclass(Cancelled, ValueError | OSError | RuntimeError)


def test_report_does_not_change_once_made() -> None:
    progress = Progress("training", 3, 10, 1.5, 3.5)
    assert progress.held_out_loss is None
    with pytest.raises(FrozenInstanceError):
        progress.done = 4  # type: ignore[misc]


def test_the_rest_takes_as_long_as_what_is_done() -> None:
    progress = Progress.at_pace("predicting", 2, 10, time.monotonic() - 3)
    assert progress.seconds == pytest.approx(3, abs=0.5)
    assert progress.seconds_left == pytest.approx(4 * progress.seconds)
    assert progress.seconds_to_denoise == 0


def test_planes_are_counted_together() -> None:
    told: list[Progress] = []
    report = of_planes(told.append, number=1, planes=4, started=time.monotonic() - 3)
    report(Progress("predicting", 5, 10, 1.0, 1.0))
    assert (told[0].done, told[0].total) == (15, 40)
    assert told[0].seconds_left == pytest.approx(5, abs=0.5)


def _ends_waiting(control: Control, *actions: str) -> None:
    """Wait in another thread while paused; one of the actions ends that."""
    control.pause()
    waiting = threading.Thread(target=control.wait_while_paused, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    for action in actions:
        getattr(control, action)()
    waiting.join(5)
    assert not waiting.is_alive()


@pytest.mark.parametrize("action", ["resume", "stop", "cancel"])
def test_a_rest_ends(action: str) -> None:
    _ends_waiting(Control(), action)


def test_nothing_waits_that_was_never_paused() -> None:
    Control().wait_while_paused()
