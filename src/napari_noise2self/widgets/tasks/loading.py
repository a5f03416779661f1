"""PyTorch, loaded in the background without holding up the window."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ...progress import Control
from ..garbage import spare_old_objects


def load_torch(control: Control) -> None:
    """Load PyTorch, and what of this package needs it; for a background thread.

    Loading takes a second or two, in which Python runs the window's thread in turns. Two things
    would hold that up for a fifth of a second, and are done otherwise: the system's loading of
    PyTorch's libraries, and Python's search for garbage among the million objects that come.

    Raises
    ------
    Cancelled
        If `control` was cancelled: the window may wait for this thread to close.
    ImportError, OSError
        If PyTorch can't be loaded.
    """
    if "torch" not in sys.modules:
        with _garbage_left():
            _open_libraries()
            control.check()
            import torch  # noqa: F401
    control.check()
    from ...denoiser import Denoiser  # noqa: F401


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Let garbage lie inside the block, and spare what was made there from searches."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        spare_old_objects()
        if collected:
            gc.enable()


def _open_libraries() -> None:
    """Load PyTorch's libraries as its import does, but without holding Python's lock.

    Where that does not work, the import does it, or says what is wrong.
    """
    spec = find_spec("torch")
    if sys.platform == "win32" or spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent / "lib"
    ending = "dylib" if sys.platform == "darwin" else "so"
    dlopen = ctypes.CDLL(None).dlopen  # as a function of C: CDLL itself would hold the lock
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    dlopen(os.fsencode(folder / f"libtorch_global_deps.{ending}"), os.RTLD_NOW | os.RTLD_GLOBAL)
    # between the two, PyTorch's import looks for the right libraries of CUDA
    if not (folder / "libtorch_cuda.so").exists():
        dlopen(os.fsencode(folder / f"libtorch_python.{ending}"), os.RTLD_NOW | os.RTLD_LOCAL)
