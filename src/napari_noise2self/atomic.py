"""Files that appear under their name whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_writable(folder: Path) -> bool:
    """Tell whether files can be made in a folder, which its permissions alone don't say."""
    from tempfile import TemporaryFile  # what only asks for help need not wait for it

    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextmanager
def published(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a hidden file to write to, which takes the name `path` only once it is whole.

    Parameters
    ----------
    path : Path
        The final name; its folder exists.
    overwrite : bool
        Whether an existing file is replaced. If False, it never is, not even one that another
        program writes at the same time.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False.
    """
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(path)
    start = os.fsencode(path.name)[:200].decode(errors="ignore")  # names have 255 bytes at most
    part = path.with_name(f".{start}.{os.getpid()}.part")
    try:
        yield part
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        if overwrite:
            os.replace(part, path)
        else:
            _rename_to_new(part, path)
    finally:
        part.unlink(missing_ok=True)


def _rename_to_new(part: Path, path: Path) -> None:
    """Rename, but fail if `path` exists: a check beforehand would leave time for a race."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links on exFAT and some network drives: take the name first
        path.open("xb").close()
        try:
            os.replace(part, path)
        except BaseException:
            path.unlink()
            raise
