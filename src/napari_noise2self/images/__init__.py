"""Image files: read with all that describes the pixels, written back whole or not at all.

A result keeps the flavour of its source: ImageJ stays ImageJ, OME-TIFF stays OME-TIFF. What the
source says about itself is kept as it stands, not translated: ImageJ's properties, OME's XML and
the tags travel with the pixels, and only what the new pixels make untrue is changed.
"""

from __future__ import annotations

from ._image import Image, ImageError, ImageExistsError, Metadata
from ._paths import tiff_paths
from ._read import read_image, read_provenance
from ._write import write_image

__all__ = [
    "Image",
    "ImageError",
    "ImageExistsError",
    "Metadata",
    "read_image",
    "read_provenance",
    "tiff_paths",
    "write_image",
]
