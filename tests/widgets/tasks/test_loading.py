"""PyTorch is loaded in the background, without holding up the window."""

import gc
import subprocess
import sys

import pytest

from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.widgets.tasks.loading import _garbage_left, load_torch


def in_a_new_process(code):
    """Run Python where PyTorch is not loaded yet; return what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_libraries_are_there_before_the_import():
    """Their loading is what an import can't do without holding Python's lock."""
    code = """
import sys
from pathlib import Path
from napari_noise2self.widgets.tasks import loading
maps = Path("/proc/self/maps")
assert "libtorch" not in maps.read_text()
loading._open_libraries()
assert "libtorch_global_deps.so" in maps.read_text()
assert "torch" not in sys.modules
from napari_noise2self.progress import Control
loading.load_torch(Control())
print(sys.modules["torch"].ones(2).sum().item())
"""
    assert in_a_new_process(code) == "2.0\n"


def test_no_garbage_is_looked_for_while_it_loads():
    code = """
import gc
from napari_noise2self.progress import Control
from napari_noise2self.widgets.tasks.loading import load_torch
searches = []
gc.callbacks.append(lambda phase, info: searches.append(info["generation"]))
gc.collect()
searches.clear()
load_torch(Control())
assert gc.isenabled()
print([generation for generation in searches if generation == 2])
"""
    assert in_a_new_process(code) == "[]\n"


def test_garbage_stays_as_the_user_wants_it():
    gc.disable()
    try:
        with _garbage_left():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_window_that_closes_need_not_wait_for_all_of_it():
    code = """
import sys
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.widgets.tasks.loading import load_torch
control = Control()
control.cancel()
try:
    load_torch(control)
except Cancelled:
    print("torch" in sys.modules)
"""
    assert in_a_new_process(code) == "False\n"


def test_cancelled_when_it_is_there_already():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        load_torch(control)
