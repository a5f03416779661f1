"""The images that one model is trained on: what is wrong with one is told with its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from ..errors import one_line
from ..images import Image, read_image
from ._checks import fail


def read_together(paths: Sequence[Path]) -> list[Image]:
    """Read images, and see before the work that they can be trained on, and together."""
    images = [_read(path) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.axes != images[0].axes:
            fail(
                f"{path} has other axes ({image.axes}) than {paths[0]} ({images[0].axes}); "
                "images trained on together must have the same axes; train them apart."
            )
    return images


def _read(path: Path) -> Image:
    from ..progress import Control
    from ..training_planes import training_planes

    image = read_image(path)
    for note in image.metadata.notes:
        typer.echo(f"{path}: {note}", err=True)
    try:
        training_planes(image.opaque, image.axes, Control())
    except ValueError as error:
        fail(f"{path}: {one_line(error)}")
    return image
