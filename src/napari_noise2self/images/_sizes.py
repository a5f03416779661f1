"""Pixel sizes with their units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ._image import PixelSize

_INCH, _CENTIMETER = 2, 3
_UNITS = dict.fromkeys(("micron", "microns", "um", "µm", "\u03bcm", "\\u00b5m"), "µm")
_UNITS |= {"sec": "s", "second": "s", "seconds": "s", "in": "inch"}


def printed_sizes(tags: Mapping[str, Any], unit: str = "") -> dict[str, PixelSize]:
    """Return the pixel sizes that the resolution tags tell, in `unit` or in that of the tags."""
    resolution = tags.get("resolution", ((0, 1), (0, 1)))
    pixels = {axis: n / d for axis, (n, d) in zip("XY", resolution, strict=True) if n > 0}
    number = tags.get("resolutionunit", 0)
    if not unit and number == _INCH and 72 in pixels.values():
        return {}  # the default of many programs: a guess about screens, no calibration
    unit = unit or {_INCH: "inch", _CENTIMETER: "cm"}.get(number, "")
    return known_sizes({axis: (1 / value, unit) for axis, value in pixels.items() if unit})


def known_sizes(sizes: Mapping[str, tuple[Any, str]]) -> dict[str, PixelSize]:
    """Drop sizes that are not positive numbers, and spell units in one way."""
    known = {}
    for axis, (value, unit) in sizes.items():
        try:
            number = float(value)
        except ValueError:
            continue
        if 0 < number < math.inf:
            known[axis] = (number, _UNITS.get(unit.lower(), unit))
    return known
