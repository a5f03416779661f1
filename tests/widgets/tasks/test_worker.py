"""The worker: it reports, can be cancelled, swallows nothing and keeps nothing."""

import gc
import threading
import weakref

import pytest
from drive import wait_for_threads

from napari_noise2self.progress import Cancelled, Progress
from napari_noise2self.widgets.tasks.worker import JobWorker, throttled


class Load:
    """Stands for an image or a network."""


@pytest.fixture
def heard():
    """What a worker says, in order."""
    return []


def heard_worker(heard, function, *args):
    worker = JobWorker(function, *args)
    for name in ("progressed", "shown", "succeeded", "failed", "errored"):
        getattr(worker, name).connect(lambda value, name=name: heard.append((name, value)))
    for name in ("aborted", "finished"):
        getattr(worker, name).connect(lambda name=name: heard.append((name, None)))
    return worker


def start(qtbot, heard, function, *args):
    worker = heard_worker(heard, function, *args)
    worker.start()
    return worker


def test_returns_and_reports(qtbot, heard):
    def job(load, *, control, report, show):
        report(Progress("training", 1, 2, 0.0, 0.0))
        show("a first look")
        return threading.current_thread() is threading.main_thread()

    start(qtbot, heard, job, Load())
    wait_for_threads(qtbot)
    assert [name for name, _ in heard] == ["progressed", "shown", "succeeded", "finished"]
    assert heard[1] == ("shown", "a first look")
    assert heard[2] == ("succeeded", False)


def test_cancelled_before_it_begins(qtbot, heard):
    def job(*, control, report, show):
        heard.append(("work", None))

    worker = heard_worker(heard, job)
    worker.quit()
    worker.start()
    wait_for_threads(qtbot)
    assert [name for name, _ in heard] == ["aborted", "finished"]


def test_cancelled(qtbot, heard):
    running = threading.Event()

    def job(*, control, report, show):
        running.set()
        while True:
            control.check()

    worker = start(qtbot, heard, job)
    qtbot.waitUntil(running.is_set)
    worker.quit()
    wait_for_threads(qtbot)
    assert [name for name, _ in heard] == ["aborted", "finished"]


@pytest.mark.parametrize("kind", [RuntimeError, ValueError])
def test_errors_arrive(qtbot, heard, kind):
    def job(*, control, report, show):
        raise kind("too bad")

    start(qtbot, heard, job)
    wait_for_threads(qtbot)
    assert [name for name, _ in heard] == ["failed", "finished"]
    assert str(heard[0][1]) == "too bad"


@pytest.mark.parametrize("error", [None, RuntimeError, Cancelled])
def test_keeps_nothing(qtbot, heard, error):
    """Not even through the error, which napari keeps in its list of notifications."""
    loads = []

    def job(load, *, control, report, show):
        another = Load()
        loads.append(weakref.ref(another))
        try:
            if error is not None:
                raise error()
        except RuntimeError as cause:
            raise ValueError("worse") from cause

    load = Load()
    loads.append(weakref.ref(load))
    worker = start(qtbot, heard, job, load)
    del load
    wait_for_threads(qtbot)
    gc.collect()
    assert [load() for load in loads] == [None, None]
    assert worker.control is not None


def test_throttled_passes_on_all_that_brings_news():
    passed = []
    report = throttled(passed.append)
    for step in range(50):
        report(Progress("training", step, 50, 0.0, 0.0, 0.5 if step == 30 else None))
    report(Progress("predicting", 1, 2, 0.0, 0.0))
    assert [(p.stage, p.done) for p in passed] == [
        ("training", 0),
        ("training", 30),
        ("predicting", 1),
    ]
