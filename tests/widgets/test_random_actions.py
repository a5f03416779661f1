"""Thousands of random actions: nothing breaks, nothing is left behind, the dock still works."""

import gc
import os
import re
from collections import Counter

import pytest
from drive import run, wait_for_threads
from monkey import Monkey, kinds_of
from napari.utils.notifications import Notification, NotificationSeverity, notification_manager
from qtpy.QtWidgets import QApplication, QFileDialog

SEED = int(os.environ.get("RANDOM_ACTIONS_SEED", "1"))
ACTIONS = int(os.environ.get("RANDOM_ACTIONS", "2000"))
KEPT = {"State", "Mix"}  # constants; the data of a layer
KEPT |= {"TaskError"}  # in napari's notifications, without frames
KEPT |= {"_Run", "JobWorker", "JobSignals"}  # in napari's list of tasks, but without their data
NAPARIS_COLOURS = "Conversion from CIE-LAB"
"""napari draws a random colour, and scikit-image warns of it: logged while any worker runs."""
FLEETING = re.compile(r"(first look|hidden pixels|filled|predicted)( \[\d+\])?$")


@pytest.fixture
def monkey(viewer, tiny, tmp_path, monkeypatch):
    """It answers file dialogs with a file, or cancels them."""
    monkey = Monkey(viewer, SEED, kinds_of(tiny))

    def answer(*_):
        return monkey._any([str(tmp_path / "model.safetensors"), ""]), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    return monkey


def test_random_actions(viewer, monkey, qtbot, noisy, tiny, caplog):
    told = len(notification_manager.records)
    before = ours()  # widgets of earlier tests, which Qt may delete late
    monkey.open("Denoise")
    try:
        with qtbot.capture_exceptions() as exceptions:
            for _ in range(ACTIONS):
                monkey.act()
                QApplication.processEvents()
                assert not exceptions
                assert unforeseen(told, caplog) == []
            monkey.close_all()
            wait_for_threads(qtbot)
            qtbot.wait(200)  # a first look goes a moment later
            assert leftovers(viewer, before) == {}
            assert listeners(viewer) == []
            use(viewer, monkey, qtbot, noisy, tiny)
            assert unforeseen(told, caplog) == []
    except BaseException:
        print(f"RANDOM_ACTIONS_SEED={SEED}", *monkey.done, sep="\n")
        raise


def use(viewer, monkey, qtbot, noisy, tiny):
    """Open the dock once more, and denoise an image with it."""
    viewer.layers.clear()
    viewer.dims.ndisplay = 2
    image = viewer.add_image(noisy, name="cells")
    monkey.open("Denoise")
    dock = monkey.docks["Denoise"]
    dock.images.value = image
    run(qtbot, dock, tiny)
    assert "cells denoised" in viewer.layers
    monkey.close_all()


def unforeseen(told, caplog):
    """What napari or a log has told since, beyond one sentence on what can't be done."""
    records = notification_manager.records[told:]
    notices = [
        record.message
        for record in records
        if type(record) is not Notification
        or (record.severity is not NotificationSeverity.INFO and "failed: " in record.message)
    ]
    messages = [record.getMessage() for record in caplog.records if record.levelno > 20]
    return [each for each in notices + messages if not each.startswith(NAPARIS_COLOURS)]


def listeners(viewer):
    """Functions of ours that listen to the viewer; methods do only while their object lives."""
    groups = [viewer.layers.events, viewer.dims.events, viewer.scene.camera.events]
    emitters = [emitter for group in groups for emitter in group.emitters.values()]
    callbacks = [callback for emitter in emitters for callback in emitter.callbacks]
    return [each for each in callbacks if "noise2self" in str(getattr(each, "__module__", ""))]


def ours():
    """All objects of ours that are alive."""
    gc.collect()
    return [
        thing
        for thing in gc.get_objects()
        if str(type(thing).__module__).startswith("napari_noise2self.widgets")
        and type(thing).__name__ not in KEPT
    ]


def leftovers(viewer, before):
    """Count objects of ours that are still alive, and layers that should be gone."""
    known = set(map(id, before))
    alive = Counter(type(thing).__name__ for thing in ours() if id(thing) not in known)
    layers = [layer.name for layer in viewer.layers if FLEETING.search(layer.name)]
    return {**alive, **Counter(layers)}
