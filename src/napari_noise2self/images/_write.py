"""Write a TIFF in the flavour of its source, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffWriter

from ..atomic import published
from . import _imagej, _ome
from ._image import (
    MINISBLACK,
    MINISWHITE,
    PALETTE,
    PROVENANCE,
    RGB,
    Image,
    ImageError,
    ImageExistsError,
)

_CLASSIC_LIMIT = 3_900_000_000
"""Bytes of pixels beyond which a file needs more than the 32-bit offsets of a classic TIFF."""


def write_image(
    path: Path | str,
    data: NDArray[Any],
    like: Image,
    *,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a TIFF of the flavour of `like`, with its metadata; whole or not at all.

    ImageJ knows uint8, uint16, int16 and float32: other floats become float32, booleans uint8,
    and other integers make an OME-TIFF with the axes, sizes, units and Info of the source. Colour
    that ImageJ can't show at the type of `data` becomes channels: S becomes C. Where there are
    channels already, that makes an OME-TIFF, too.

    Parameters
    ----------
    path : Path
        The file to write; its folder exists.
    data : ndarray
        Pixels with the shape of ``like.data``, of any type.
    like : Image
        Where axes, flavour and metadata come from.
    provenance : mapping, optional
        How the pixels were made, as JSON would hold it: `read_provenance` returns it.
    overwrite : bool
        Whether an existing file is replaced. If False, it never is, not even one that another
        program writes at the same time.

    Raises
    ------
    ImageExistsError
        If the file exists and `overwrite` is False.
    ImageError
        If the folder can't be written, the disk is full, or the format has no such pixels.
    """
    path, data = Path(path), np.asarray(data)
    if data.shape != like.data.shape:
        raise ImageError(
            f"Pixels of shape {data.shape} can't go with the metadata of an image of shape "
            f"{like.data.shape}; give pixels of the same shape."
        )
    note = None if provenance is None else json.dumps(provenance)
    data, flavour = _writable(data, like)
    write = {"imagej": _write_imagej, "ome": _write_ome, "plain": _write_plain}[flavour]
    try:
        with published(path, overwrite) as part:
            write(part, data, like, note)
    except FileExistsError as error:
        raise ImageExistsError(
            f"{path} exists already; choose another name or allow overwriting."
        ) from error
    except OSError as error:
        raise ImageError(
            f"{path} can't be written ({error.strerror or error}); check the folder and its space."
        ) from error


def _writable(data: NDArray[Any], like: Image) -> tuple[NDArray[Any], str]:
    """Return pixels that the flavour can hold, and the flavour that can hold them."""
    flavour = like.metadata.flavour
    if flavour == "plain":
        return data, "plain"
    if data.dtype == bool:
        data = data.astype(np.uint8)
    if data.dtype == np.float16 or (flavour == "imagej" and data.dtype.kind == "f"):
        data = data.astype(np.float32)
    if flavour == "imagej" and data.dtype.name in _imagej.TYPES and _imagej.fits(data, like.axes):
        return data, "imagej"
    if data.dtype.name not in _ome.TYPES:
        raise ImageError(f"OME-TIFF has no pixels of type {data.dtype}; convert them to float32.")
    return data, "ome"


def _write_plain(part: Path, data: NDArray[Any], like: Image, note: str | None) -> None:
    metadata = {**like.metadata.properties, "axes": like.axes}
    if note is not None:
        metadata[PROVENANCE] = json.loads(note)
    text = like.metadata.description.encode() or None
    with TiffWriter(part, bigtiff=data.nbytes > _CLASSIC_LIMIT, ome=False) as tif:
        tif.write(data, metadata=metadata, description=text, **_look(data, like.axes, like))


def _write_imagej(part: Path, data: NDArray[Any], like: Image, note: str | None) -> None:
    data, axes = _imagej.in_order(data, like.axes)
    look = _look(data, axes, like)
    look.pop("planarconfig")  # tifffile decides about colour by the axes
    if look["photometric"] != MINISWHITE:
        look.pop("photometric")
    metadata = {**_imagej.properties(like.metadata.properties, note), "axes": axes}
    # beyond 4 GB, ImageJ reads all pixels behind the only page; it doesn't know BigTIFF
    with TiffWriter(part, imagej=True) as tif:
        tif.write(data, metadata=metadata, truncate=data.nbytes > _CLASSIC_LIMIT, **look)
    if "I" in like.axes and "T" not in like.axes:
        _imagej.forget_frames(part)


def _write_ome(part: Path, data: NDArray[Any], like: Image, note: str | None) -> None:
    axes = like.axes
    if like.metadata.flavour == "imagej":
        axes = axes.replace("I", "Q")  # OME's letter for an axis without a name
    xml = _ome.description(data, axes, like, note).encode()
    with TiffWriter(part, bigtiff=data.nbytes > _CLASSIC_LIMIT, ome=False, shaped=False) as tif:
        tif.write(data, metadata=None, description=xml, **_look(data, axes, like))


def _look(data: NDArray[Any], axes: str, like: Image) -> dict[str, Any]:
    """Return the arguments of `TiffWriter.write` that say how `data` is stored and shown."""
    look: dict[str, Any] = {"photometric": MINISBLACK, "software": ""} | dict(like.metadata.tags)
    look["planarconfig"] = (
        "contig" if axes[-1] == "S" else "separate" if axes[-3:-2] == "S" else None
    )
    if look["planarconfig"] is None:
        look.pop("extrasamples", None)
        if look["photometric"] == RGB:
            look["photometric"] = MINISBLACK
    if look["photometric"] == PALETTE and data.dtype != like.data.dtype:
        look["photometric"] = MINISBLACK
    if look["photometric"] != PALETTE:
        look.pop("colormap", None)
    return look
