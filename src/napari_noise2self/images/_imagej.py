"""ImageJ's dialect: hyperstacks in the order TZCYXS, with properties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from tifffile import TiffFile

from ._image import PROVENANCE, PixelSize
from ._sizes import known_sizes, printed_sizes

TYPES = frozenset({"uint8", "uint16", "int16", "float32"})
_COLOURS = {("uint8", 3), ("uint8", 4), ("uint16", 3)}
_BINARY = {"Info", "Labels", "Ranges", "LUTs", "Plot", "ROI", "Overlays", "Properties"}
_COUNTS = {"images", "channels", "slices", "frames", "order"}
_LINE = re.compile(rf"^{PROVENANCE}: (.*)\n?", re.MULTILINE)


def sizes(properties: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, PixelSize]:
    """Return the pixel sizes that ImageJ shows for an image."""
    unit = str(properties.get("unit", "")).strip()
    if unit in ("pixel", "pixels"):
        unit = ""
    found: dict[str, tuple[Any, str]] = {**printed_sizes(tags, unit)}
    if unit and "Y" in found:
        found["Y"] = (found["Y"][0], str(properties.get("yunit", unit)))
    if unit:
        found["Z"] = (properties.get("spacing", 0), str(properties.get("zunit", unit)))
    found["T"] = (properties.get("finterval", 0), str(properties.get("tunit", "s")))
    return known_sizes(found)


def note(properties: Mapping[str, Any]) -> str | None:
    """Return the provenance in ImageJ's Info, as JSON."""
    line = _LINE.search(str(properties.get("Info", "")))
    return line[1] if line else None


def properties(source: Mapping[str, Any], note: str | None) -> dict[str, Any]:
    """Return the properties to write: those of the source, and `note` at the end of Info."""
    kept = {
        name: _ascii(value) if name not in _BINARY and isinstance(value, str) else value
        for name, value in source.items()
        if name in _BINARY or (name not in _COUNTS and isinstance(value, (str, int, float)))
    }
    if note is not None:
        info = _LINE.sub("", str(source.get("Info", ""))).rstrip("\n")
        kept["Info"] = f"{info}\n{PROVENANCE}: {note}\n".lstrip("\n")
    return kept


def _ascii(text: str) -> str:
    r"""Escape as ImageJ does, which writes µm as \u00B5m."""
    return "".join(c if c.isascii() else f"\\u{ord(c):04X}" for c in text)


def fits(data: NDArray[Any], axes: str) -> bool:
    """Whether ImageJ has room for the axes of data, of which I has no name."""
    axes = _without_hidden_colours(data, axes)
    known = set(axes) <= set("ITZCYXS") and len(set(axes) & set("ITZC")) < 4
    return known and axes.count("C") < 2


def _without_hidden_colours(data: NDArray[Any], axes: str) -> str:
    """Return the axes of data with its colours as S only if ImageJ shows them, else as C."""
    hidden = "S" in axes and (data.dtype.name, data.shape[axes.index("S")]) not in _COLOURS
    return axes.replace("S", "C") if hidden else axes


def in_order(data: NDArray[Any], axes: str) -> tuple[NDArray[Any], str]:
    """Return data with its axes in ImageJ's order, its colours as S only if ImageJ shows them."""
    axes = _without_hidden_colours(data, axes)
    axes = axes.replace("I", next((axis for axis in "TZC" if axis not in axes), "I"))
    order = sorted(range(len(axes)), key=lambda index: "TZCYXS".index(axes[index]))
    return data.transpose(order), "".join(axes[index] for index in order)


def forget_frames(file: Path) -> None:
    """Turn the time axis into one without a name, which ImageJ takes for depth."""
    with TiffFile(file, mode="r+") as tif:
        tag = tif.pages.first.tags[270]
        tag.overwrite(re.sub(r"(?m)^frames=.*\n", "", tag.value))
