"""From a layer to what the core needs, and from its result back to a layer."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from napari.layers import Image, Layer

from .. import __version__
from ..settings import Settings
from .task import Outcome

_PLANE_LETTERS = "TZABDEFGHIJKLMNOPQRUVW"  # neither channels (C, S) nor space (Y, X)


@dataclass(frozen=True)
class Source:
    """All that a job needs from a layer, taken before it starts.

    The layer may change or vanish while the job runs, so a job never looks at it again.

    Parameters
    ----------
    name : str
        Of the layer.
    data : array
        The layer's own array, not a copy; the finest level of a multiscale layer.
    axes : str
        One letter for each axis of `data`.
    look : dict
        Transform, units, colormap and whatever else makes a layer look as it does.
    layer : weakref to Image
        To tell afterwards whether it is still the same.
    """

    name: str
    data: Any
    axes: str
    look: dict[str, Any]
    layer: weakref.ReferenceType[Image]

    @classmethod
    def capture(cls, layer: Image, displayed: Sequence[int] = ()) -> Source:
        """Take what is needed from a layer.

        Parameters
        ----------
        layer : Image
            The layer to denoise.
        displayed : sequence of int
            Axes of the layer that the viewer displays; the last two become Y and X. The last two
            axes of the layer if fewer than two are given.
        """
        _, look, _ = layer.as_layer_data_tuple()
        axes = axes_of(layer.ndim, displayed) + ("S" if layer.rgb else "")
        return cls(layer.name, _finest_level(layer), axes, look, weakref.ref(layer))

    @property
    def planes(self) -> str:
        """Say what there is to denoise, for example ``"12 planes of 512 × 512 pixels"``."""
        extents = dict(zip(self.axes, self.data.shape, strict=True))
        count = math.prod(extents[letter] for letter in self.axes if letter in _PLANE_LETTERS)
        size = f"{extents['Y']} × {extents['X']} pixels"
        return size if count == 1 else f"{count:,} planes of {size}"

    @property
    def data_was_replaced(self) -> bool:
        """Whether the layer has other data now; false if the layer is gone."""
        layer = self.layer()
        return layer is not None and _finest_level(layer) is not self.data

    def result_layer(self, outcome: Outcome, settings: Settings) -> Layer:
        """Make the layer of the denoised image, which looks like the source."""
        look = {key: value for key, value in self.look.items() if key != "locked_data_level"}
        story = {
            "settings": settings.to_dict(),
            "figures": outcome.figures,
            "version": __version__,
        }
        look |= {
            "name": f"{self.name} denoised",
            "multiscale": False,
            "visible": True,
            "metadata": {**look["metadata"], "noise2self": story},
        }
        return Layer.create(outcome.image, look, "image")


def axes_of(ndim: int, displayed: Sequence[int] = ()) -> str:
    """Name the axes of a layer: the last two displayed are Y and X, all others number planes."""
    shown = [axis for axis in displayed if 0 <= axis < ndim]
    y, x = shown[-2:] if len(shown) >= 2 else (ndim - 2, ndim - 1)
    letters = iter(_PLANE_LETTERS)
    return "".join("Y" if n == y else "X" if n == x else next(letters) for n in range(ndim))


def _finest_level(layer: Image) -> Any:
    """Return the array of a layer at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data
