"""Searches for garbage: short ones by themselves, whole ones for whoever asks."""

import gc
import subprocess
import sys
import weakref

import pytest

from napari_noise2self.widgets.garbage import only_new_garbage, spare_old_objects


class Thing:
    """Garbage that only a search can find, once nobody has it."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def spared():
    """All that is there now is old."""
    gc.collect()
    spare_old_objects()


def test_who_asks_gets_a_whole_search():
    thing = Thing()
    spare_old_objects()
    gone = weakref.ref(thing)
    del thing
    gc.collect(0)
    gc.collect(1)
    assert gone() is not None
    gc.collect()
    assert gone() is None


def test_survivors_are_left_out_again():
    gc.collect()
    before = gc.get_freeze_count()
    things = [Thing() for _ in range(1000)]
    gc.collect()
    assert gc.get_freeze_count() >= before + len(things)


def test_searches_of_python_leave_old_objects_out():
    old = Thing()
    spare_old_objects()
    is_old_there, was_new_there = weakref.ref(old), []
    del old
    searches = []

    def on_search(phase, info):
        if phase == "stop" and info["generation"] == 2:
            searches.append(is_old_there() is not None)

    gc.callbacks.append(on_search)
    try:
        new = Thing()
        gone = weakref.ref(new, was_new_there.append)
        del new
        kept = []
        while len(searches) < 2:
            kept.append([])
    finally:
        gc.callbacks.remove(on_search)
    assert searches == [True, True]
    assert was_new_there == [gone]


@pytest.mark.skipif(sys.platform == "win32", reason="there all searches are whole")
def test_only_new_garbage():
    old = Thing()
    spare_old_objects()
    new = Thing()
    is_old_there, is_new_there = weakref.ref(old), weakref.ref(new)
    del old, new
    with only_new_garbage():
        gc.collect()
    assert is_old_there() is not None
    assert is_new_there() is None
    gc.collect()
    assert is_old_there() is None


def test_end_of_the_process_is_without_a_search():
    code = """
import gc
from napari_noise2self.widgets.garbage import spare_old_objects
class Thing:
    def __del__(self):
        print("found")
thing = Thing()
thing.itself = thing
spare_old_objects()
del thing
"""
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""


def test_deleted_layer_is_let_go(viewer, dock, noisy):
    """As napari asks for it, whatever was frozen."""
    layer = viewer.add_image(noisy, name="cells")
    gc.collect()
    gone = weakref.ref(layer)
    del layer
    viewer.layers.remove("cells")
    assert gone() is None
