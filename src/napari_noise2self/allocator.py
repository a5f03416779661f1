"""Keep the memory of large tensors between uses, instead of asking the system for it each time.

The C library of Linux gives blocks of some megabytes back at once, and gets them again page by
page: that was half of the time of a prediction (512×512: 3.5 s, and 1.7 s without it).
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_KEEP = (2**31 - 1, 2**30)  # as much as may be kept, and blocks of up to 1 GiB
_USUAL = (2**26, 2**25)  # where glibc's own thresholds end up in a process with large arrays

_lock = threading.Lock()
_users = 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory inside the block, and give it back at the end; for any thread.

    Of no effect where the C library is not glibc.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _set(*_KEEP)


def _leave() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            _set(*_USUAL)
            library = _library()
            if library is not None:
                library.malloc_trim(0)


def _set(trim: int, mmap: int) -> None:
    library = _library()
    if library is not None:
        library.mallopt(_TRIM_THRESHOLD, trim)
        library.mallopt(_MMAP_THRESHOLD, mmap)


def _library() -> Any:
    """Return the C library if it is glibc."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
