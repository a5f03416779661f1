"""Read a TIFF with its metadata, or say in one sentence why not."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tifffile import TiffFile, TiffFileError, TiffPage, TiffPageSeries

from . import _imagej, _ome
from ._colours import check_meaning
from ._image import (
    MINISBLACK,
    MINISWHITE,
    PALETTE,
    PROVENANCE,
    RGB,
    YCBCR,
    Image,
    ImageError,
    Metadata,
)
from ._sizes import printed_sizes

_TEXTS = (269, 271, 272, 285, 315, 316, 33432)
"""Tags that name document, maker and model of the camera, page, artist, computer and copyright."""
_ASCII = 2
_PRIVATE = 32768
"""The first tag that is not TIFF's own."""
_KEPT = {32996, 32997, 32998, 33432, 50674, 50838, 50839}
"""Those beyond it that are kept, or say how pixels are stored: type and depth, copyright, that of
LERC, and ImageJ's."""


def read_image(path: Path | str) -> Image:
    """Read the first series of a TIFF that is no thumbnail, at full resolution.

    Returns
    -------
    Image
        All pixels, with the type they have in the file.

    Raises
    ------
    ImageError
        If the file is missing, is no TIFF, is incomplete or damaged, or needs imagecodecs; or if
        its pixels are inks, or places in a table of colours.
    """
    with _opened(Path(path)) as (tif, series):
        _check_complete(series)
        data = series.asarray()
        check_meaning(str(path), series.keyframe, data)
        data = data.astype(data.dtype.newbyteorder("="), copy=False)
        return Image(data, _distinct(series.axes), _metadata(tif, series))


def read_provenance(path: Path | str) -> dict[str, Any] | None:
    """Return what `write_image` noted as `provenance`, or None; reads no pixels.

    Raises
    ------
    ImageError
        As in `read_image`.
    """
    with _opened(Path(path)) as (tif, series):
        metadata = _metadata(tif, series)
        if metadata.flavour == "imagej":
            note = _imagej.note(metadata.properties)
        elif metadata.flavour == "ome":
            note = _ome.note(metadata.description)
        else:
            note = json.dumps(metadata.properties.get(PROVENANCE))
        provenance: dict[str, Any] | None = json.loads(note or "null")
        return provenance


_overheard: ContextVar[list[logging.LogRecord] | None] = ContextVar("overheard", default=None)


def _overhear(record: logging.LogRecord) -> bool:
    """Keep what tifffile logs for `_opened` instead of printing it, in this thread only."""
    records = _overheard.get()
    if records is not None:
        records.append(record)
    return records is None


logging.getLogger("tifffile").addFilter(_overhear)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[TiffFile, TiffPageSeries]]:
    """Open a TIFF and its first series; whatever goes wrong becomes one ImageError."""
    records: list[logging.LogRecord] = []
    token = _overheard.set(records)
    try:
        with TiffFile(path) as tif:
            yield tif, _full_series(tif)[0]
        # tifffile logs damage and goes on with what is left, which must not pass as the image
        if damage := next(filter(_is_damage, records), None):
            raise TiffFileError(damage.getMessage())
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # tifffile raises whatever its parsers and decoders do
        raise ImageError(_explanation(path, error)) from error
    finally:
        _overheard.reset(token)


def _full_series(tif: TiffFile) -> list[TiffPageSeries]:
    """Return the series that are no thumbnails of others; all if there are no others."""
    full = [series for series in tif.series if not series.keyframe.is_reduced]
    return full or list(tif.series)


def _is_damage(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if "TiffTag" in text:  # of the single tags, only those of the metadata matter
        return re.search(r"TiffTag (270|50839) .*invalid value offset", text) is not None
    return record.levelno >= logging.ERROR


def _explanation(path: Path, error: Exception) -> str:
    """Say in one sentence why a file can't be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist; check its name."
    if isinstance(error, OSError) and error.strerror:
        return f"{path} can't be opened ({error.strerror}); check that you may read it."
    if "imagecodecs" in str(error):
        return (
            f"{path} has a compression that needs another package; run 'pip install imagecodecs' "
            "or save the file without compression."
        )
    if path.stat().st_size == 0:
        return f"{path} is empty; copy it again from where it comes from."
    with path.open("rb") as file:
        if file.read(2) not in (b"II", b"MM"):
            return f"{path} is not a TIFF file; export it as TIFF from the program that made it."
    return f"{path} is incomplete or damaged; copy it again from where it comes from."


def _check_complete(series: TiffPageSeries) -> None:
    """Raise if pixels are missing, where tifffile would return zeros."""
    if series.dataoffset is not None:
        return  # tifffile itself reads contiguous data all or not at all
    for page in series:
        if page is None or not page.dataoffsets:
            raise TiffFileError("missing page")
        size = page.parent.filehandle.size
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
        if any(end > size for end in ends):
            raise TiffFileError("pixel data end beyond the file")


def _distinct(axes: str) -> str:
    """Rename repeated axes, as of a plain four-dimensional array, so that all letters differ."""
    letters = ""
    for axis in reversed(axes):
        free = (letter for letter in "PONMLKJHGFEDBA" if letter not in axes + letters)
        letters += next(free) if axis in letters else axis
    return letters[::-1]


def _metadata(tif: TiffFile, series: TiffPageSeries) -> Metadata:
    page = series.keyframe
    tags, notes = _tags(page), _notes(tif, series)
    if series.kind == "imagej":
        properties = dict(tif.imagej_metadata or {})
        return Metadata("imagej", _imagej.sizes(properties, tags), properties, "", tags, notes)
    if series.kind == "ome":
        xml = tif.ome_metadata or ""
        return Metadata("ome", _ome.sizes(xml), {}, xml, tags, notes)
    shaped = (page.shaped_description or "") if series.kind == "shaped" else ""
    properties = json.loads(shaped) if shaped.startswith("{") else {}  # older ones are no JSON
    properties = {k: v for k, v in properties.items() if k not in ("shape", "axes", "truncated")}
    # a description in another dialect would be believed by the next reader
    dialect = page.is_ome or page.is_imagej or page.description.startswith('{"shape":')
    text = "" if dialect else page.description
    return Metadata("plain", printed_sizes(tags), properties, text, tags, notes)


def _notes(tif: TiffFile, series: TiffPageSeries) -> tuple[str, ...]:
    notes = []
    if (count := len(_full_series(tif))) > 1:
        notes.append(f"Of {count} series in the file, only the first is read.")
    if series.kind not in ("imagej", "ome", "shaped", "generic", "uniform"):
        notes.append(f"The metadata of a TIFF of kind {series.kind} are not kept.")
    else:
        private = (tag for tag in series.keyframe.tags if tag.code >= _PRIVATE)
        if lost := [tag.name for tag in private if tag.code not in _KEPT]:
            notes.append(f"Of the tags in the file, these are not kept: {', '.join(lost)}.")
    return tuple(notes)


def _tags(page: TiffPage) -> dict[str, Any]:
    """Return what `TiffWriter.write` needs to write the tags of a page again."""
    photometric = RGB if page.photometric == YCBCR else int(page.photometric)
    if photometric not in (MINISWHITE, MINISBLACK, RGB, PALETTE):
        photometric = MINISBLACK
    tags: dict[str, Any] = {"photometric": photometric, "software": page.software}
    resolution = tuple(page.tags.valueof(code) for code in (282, 283))
    if all(isinstance(value, tuple) and value[1] > 0 for value in resolution):
        tags["resolution"] = resolution
        tags["resolutionunit"] = int(page.tags.valueof(296, 2))
    if page.extrasamples:
        tags["extrasamples"] = tuple(int(sample) for sample in page.extrasamples)
    if page.colormap is not None:
        tags["colormap"] = page.colormap
    if re.fullmatch(r"[\d :]{16}:\d\d", str(page.tags.valueof(306))):
        tags["datetime"] = page.tags.valueof(306)
    texts = ((code, page.tags.valueof(code)) for code in _TEXTS)
    tags["extratags"] = [
        (code, _ASCII, 0, text.encode(), True) for code, text in texts if isinstance(text, str)
    ]
    return tags
