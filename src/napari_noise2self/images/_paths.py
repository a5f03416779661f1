"""Which files are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ._image import ImageError


def tiff_paths(inputs: Iterable[Path | str]) -> list[Path]:
    """Return the files to work on: files as given, folders as the TIFFs right inside them.

    The TIFFs of a folder come in natural order (``t2`` before ``t10``), without hidden files.
    A file that is named twice comes once.

    Raises
    ------
    ImageError
        If an input doesn't exist, or a folder has no TIFF.
    """
    paths: dict[Path, None] = {}
    for entry in map(Path, inputs):
        if not entry.exists():
            raise ImageError(f"{entry} does not exist; check its name.")
        paths |= dict.fromkeys(_tiffs_in(entry) if entry.is_dir() else [entry])
    return list(paths)


def _tiffs_in(folder: Path) -> list[Path]:
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in (".tif", ".tiff")
        and not path.name.startswith(".")
        and path.is_file()
    ]
    if not found:
        raise ImageError(f"{folder} has no .tif or .tiff files; choose the folder that holds them.")
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[str | int]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if part.isdecimal() else part for part in parts]
