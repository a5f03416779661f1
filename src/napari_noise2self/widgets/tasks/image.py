"""What all that is computed of an image has in common: its axes, and what becomes of colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .task import Task

if TYPE_CHECKING:
    from ...arrays import OutputDtype

_RGB = 3


@dataclass(frozen=True)
class ImageTask(Task):
    """Computes something of an image.

    Parameters
    ----------
    data : array
        The image.
    axes : str
        One letter for each of its axes.
    """

    data: Any
    axes: str

    @property
    def image(self) -> Any:
        """The image without its alpha channel, if it has one."""
        return self.data[..., :_RGB] if "S" in self.axes else self.data

    def with_alpha(self, image: NDArray[Any]) -> NDArray[Any]:
        """Give a result the alpha channel of the image, if that has one."""
        if "S" not in self.axes or self.data.shape[-1] == _RGB:
            return image
        return np.concatenate([image, np.asarray(self.data[..., _RGB:])], axis=-1)


def result_dtype(axes: str) -> OutputDtype:
    """Return the dtype of results: napari takes colours as 0-255, or as fractions."""
    return "same" if "S" in axes else "float32"
