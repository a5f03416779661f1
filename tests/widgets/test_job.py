"""A job: what it made is told in two turns of the event loop, and to nobody once cancelled."""

import gc
import weakref

import pytest
from drive import wait_for_threads
from qtpy.QtCore import QObject, QTimer

from napari_noise2self.widgets.job import Job
from napari_noise2self.widgets.tasks.task import Task


class Load:
    """Stands for an image."""


class Make(Task):
    """Makes a load."""

    kind = "making"
    needs_torch = False

    def run(self, control, report, show):
        return Load()


@pytest.fixture
def job(viewer, qtbot):
    """A job that has not begun."""
    owner = QObject()
    yield Job(None, Make("a load"), owner)
    wait_for_threads(qtbot)
    owner.deleteLater()


def test_window_lives_between_arrival_and_success(job, qtbot):
    told = []
    job.arrived.connect(lambda _: (told.append("arrived"), QTimer.singleShot(0, live)))
    job.succeeded.connect(lambda _: told.append("succeeded"))
    job.ended.connect(lambda: told.append("ended"))

    def live():
        told.append("lives")

    job.start()
    qtbot.waitUntil(lambda: "succeeded" in told)
    wait_for_threads(qtbot)
    assert told == ["arrived", "lives", "succeeded"]


def test_cancelled_between_arrival_and_success(job, qtbot):
    loads, told = [], []
    job.arrived.connect(lambda load: loads.append(weakref.ref(load)))
    job.arrived.connect(lambda _: job.cancel())
    job.succeeded.connect(told.append)
    job.start()
    qtbot.waitUntil(lambda: bool(loads))
    qtbot.wait(100)
    gc.collect()
    assert told == []
    assert loads[0]() is None
