"""The public names, and how little it costs to import them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

import napari_noise2self

HEAVY = ["torch", "qtpy", "napari", "scipy", "skimage", "numpy", "dask", "tifffile", "pyqtgraph"]


def _python(code: str, environment: dict[str, str] | None = None) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout


def test_import_loads_nothing_heavy() -> None:
    code = "import napari_noise2self, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(_python(code))}
    assert "napari_noise2self" in loaded
    assert not loaded & set(HEAVY)


def test_import_takes_next_to_no_time() -> None:
    code = (
        "import time; start = time.perf_counter(); import napari_noise2self;"
        "print(time.perf_counter() - start)"
    )
    assert min(float(_python(code)) for _ in range(3)) < 0.1


def test_core_loads_neither_qt_nor_napari() -> None:
    code = "import napari_noise2self.denoiser, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(_python(code))}
    assert "torch" in loaded
    assert not loaded & {"qtpy", "napari", "PySide6", "PyQt6", "PyQt5", "magicgui"}


def test_settings_load_without_torch() -> None:
    """So that the command line answers --help at once."""
    code = "import napari_noise2self as n, sys; n.Settings(); print('torch' in sys.modules)"
    assert _python(code).strip() == "False"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, "1000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None"),
    ],
)
def test_waiting_threads_leave_the_processor_to_others(own: dict[str, str], expected: str) -> None:
    """Unless the user has decided that."""
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    rest = {name: value for name, value in os.environ.items() if name not in names}
    code = "import napari_noise2self, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    assert _python(code, rest | own).strip() == expected


@pytest.mark.parametrize("name", napari_noise2self.__all__)
def test_public_name_is_there(name: str) -> None:
    assert name in dir(napari_noise2self)
    value = getattr(napari_noise2self, name)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__module__.startswith("napari_noise2self.")
        assert value.__doc__


def test_dir_lists_the_public_names_alone() -> None:
    assert sorted(dir(napari_noise2self)) == sorted(napari_noise2self.__all__)


def test_name_is_looked_up_once() -> None:
    code = (
        "import napari_noise2self as n; first = n.Settings;"
        "print('Settings' in vars(n), n.Settings is first)"
    )
    assert _python(code).split() == ["True", "True"]


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'noise3self'"):
        napari_noise2self.noise3self  # noqa: B018


def test_version_is_that_of_the_installed_package() -> None:
    assert importlib.metadata.version("napari-noise2self") == napari_noise2self.__version__
