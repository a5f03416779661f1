"""What the numbers of a pixel mean, where they are no intensities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from ._image import PALETTE, SEPARATED, ImageError

_ROUGH = 0.5
"""Least difference between colours that follow each other over that of colours far apart, in a
table whose order means nothing; in one that shades intensities they are much alike."""
_FEW = 4
"""Colours that have no order."""


def check_meaning(path: str, page: TiffPage, data: NDArray[Any]) -> None:
    """Raise ImageError if pixels tell no intensities, but inks or places in a table of colours."""
    if page.photometric == SEPARATED:
        raise ImageError(f"{path} holds inks (CMYK), not light; convert it to RGB or grey first.")
    if (
        page.photometric == PALETTE
        and page.colormap is not None
        and not _shades(page.colormap, data)
    ):
        raise ImageError(
            f"{path} holds places in a table of colours, not intensities; convert it to RGB or "
            "grey first."
        )


def _shades(table: NDArray[Any], data: NDArray[Any]) -> bool:
    """Tell whether a table (3, colours) shades intensities, as those of ImageJ do.

    Then each colour is like the next one.
    """
    used = np.unique(data)
    if len(used) <= _FEW:
        return True
    colours = table.astype(np.float64).T[used]
    steps = np.abs(np.diff(colours, axis=0)).sum()
    apart = np.abs(colours - np.roll(colours, len(colours) // 2, axis=0)).sum()
    return bool(steps <= _ROUGH * apart)
