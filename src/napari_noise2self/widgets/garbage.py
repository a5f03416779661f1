"""Python's search for garbage, which holds up the window, kept off what is none.

Now and then Python looks through all old objects. napari and PyTorch bring hundreds of thousands,
so the window stands still for a fifth of a second. Here they are frozen: left out of the searches
that Python begins by itself. Whoever asks for one by `gc.collect`, as napari does whenever a layer
goes, gets a whole one as ever, after which the survivors are frozen. So at most what was there at
the last such search can outlive its use, and only until the next.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_OLD = 2
"""The generation of objects that a whole search begins with."""
_only_new = _thawed = False


def spare_old_objects() -> None:
    """Leave all objects of this moment, and the survivors of later searches, out of others."""
    gc.freeze()
    if _on_search not in gc.callbacks:
        gc.callbacks.append(_on_search)
        # the end of the process begins with a search: without one it takes a third of the time
        atexit.register(gc.callbacks.remove, _on_search)


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Let a search that is asked for in the block leave old objects out, too.

    For layers of our own, which are new, and which nobody has to wait for: any later search finds
    what this one leaves. Not on Windows, for whose drivers napari searches (`canvas.py`).
    """
    global _only_new
    _only_new = sys.platform != "win32"
    try:
        yield
    finally:
        _only_new = False


def _on_search(phase: str, info: dict[str, Any]) -> None:
    """Thaw all objects before a whole search that was asked for, and freeze the survivors."""
    global _thawed
    if phase == "start":
        by_itself = gc.get_count()[_OLD] > gc.get_threshold()[_OLD]
        _thawed = info["generation"] == _OLD and not by_itself and not _only_new
        if _thawed:
            gc.unfreeze()
    elif _thawed:
        gc.freeze()
