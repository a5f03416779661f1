"""From a layer to what the core needs, and from its results back to layers."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils.transforms import Affine

from ... import __version__
from ..tasks.first_look import FirstLook
from ..tasks.residual import Residual
from ..tasks.task import Outcome
from .mix import LastPart, result_of
from .on_view import place_on_view

if TYPE_CHECKING:
    from napari.components import Dims

LIE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""What says where a layer lies."""
_PLANE_LETTERS = "TZABDEFGHIJKLMNOPQRUVW"  # neither channels (C, S) nor space (Y, X)
_SAMPLE, _ALL_BUT_FEW = 100_000, (0.1, 99.9)  # pixels; per cent of them
_USED = 0.5  # of the source's contrast limits: where a result needs less of them, it looks flat
_DIVERGING = "berlin"  # blue, black at zero, red


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
    id : str
        By which results remember the layer, whatever its name is by then.
    place : tuple of int, optional
        Indices of the pixel in the middle of the view, and so of the plane on view; None where
        no single plane is on view.
    """

    name: str
    data: Any
    axes: str
    look: dict[str, Any]
    layer: weakref.ReferenceType[Image]
    id: str
    place: tuple[int, ...] | None = None

    @classmethod
    def capture(cls, layer: Image, dims: Dims | None = None) -> Source:
        """Take what is needed from a layer.

        Parameters
        ----------
        layer : Image
            The layer.
        dims : Dims, optional
            Of the viewer: the last two axes that it displays become Y and X. The last two axes of
            the layer if None.
        """
        _, look, _ = layer.as_layer_data_tuple()
        look.pop("locked_data_level", None)
        data = _finest_level(layer)
        axes = axes_of(layer.ndim, _displayed(layer, dims), layer.axis_labels)
        axes += "S" if layer.rgb else ""
        place = None if dims is None else place_on_view(layer, data.shape, dims)
        return cls(layer.name, data, axes, look, weakref.ref(layer), str(layer.unique_id), place)

    @cached_property
    def at_hand(self) -> Any:
        """The data, for those who look at one part again and again: reading it may take long."""
        return self.data if isinstance(self.data, np.ndarray) else LastPart(self.data)

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

    @property
    def look_now(self) -> dict[str, Any]:
        """The look, but where the layer lies by now; unless it has other data, or is gone."""
        layer = self.layer()
        if layer is None or self.data_was_replaced:
            return self.look
        _, look, _ = layer.as_layer_data_tuple()
        return self.look | {name: look[name] for name in LIE}

    def result_layer(self, outcome: Outcome, suffix: str = "denoised", **more: Any) -> Layer:
        """Make the layer of a denoised image; see `result_look`."""
        return Layer.create(outcome.image, self.result_look(outcome, suffix, **more), "image")

    def result_look(
        self, outcome: Outcome, suffix: str = "denoised", **more: Any
    ) -> dict[str, Any]:
        """Return how the layer of a denoised image looks: like the source.

        Its metadata tell all there is to know of it, and `more` if there is more.
        """
        story = {
            "settings": outcome.settings.to_dict(),
            "figures": outcome.figures,
            "axes": self.axes,
            "source": {"name": self.name, "id": self.id},
            "created": datetime.now(UTC).isoformat(),
            **more,
        }
        return self._look(suffix, story, **self._limits(outcome))

    def _limits(self, outcome: Outcome) -> dict[str, Any]:
        """Return contrast limits where those of the source are as wide as hot pixels make them."""
        if not outcome.figures.get("hot_pixels"):
            return {}
        some = outcome.image.flat[:: 1 + outcome.image.size // _SAMPLE]
        low, high = map(float, np.nanpercentile(some, _ALL_BUT_FEW))
        first, last = self.look["contrast_limits"]
        narrow = 0 < high - low < _USED * (last - first)
        return {"contrast_limits": (low, high)} if narrow else {}

    def look_of_first_look(self, look: FirstLook) -> dict[str, Any]:
        """Return how the layer of a first look looks, and where in the source its plane lies."""
        names, lies = ("scale", "translate", "rotate", "shear"), self.look_now
        transform = Affine(**{name: lies[name] for name in names})
        corner = look.corner[: len(lies["scale"])]
        story = {"figures": look.figures}
        return self._look("first look", story, translate=transform(corner))

    def residual_layer(self, residual: Residual, result: str, result_id: str = "") -> Layer:
        """Make the layer of a residual: zero is black.

        Parameters
        ----------
        residual : Residual
            Of this source and a result.
        result, result_id : str
            Name of that result's layer, and by what it is known whatever its name is by then.
        """
        look = self._look(
            "residual",
            {"residual": [self.name, result], "of": result_id},
            rgb=False,
            colormap=_DIVERGING,
            contrast_limits=(-residual.limit, residual.limit),
            gamma=1.0,
            opacity=1.0,
            blending="translucent_no_depth",
        )
        return Layer.create(residual.image, look, "image")

    def _look(self, suffix: str, story: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return how a layer looks that looks like the source but for some changes."""
        return {
            **self.look_now,
            "name": f"{self.name} {suffix}",
            "multiscale": False,
            "visible": True,
            "metadata": {**self.look["metadata"], "noise2self": {**story, "version": __version__}},
            **changes,
        }


def axes_of(ndim: int, displayed: Sequence[int] = (), labels: Sequence[str] = ()) -> str:
    """Name the axes of a layer: the last two displayed are Y and X, all others number planes.

    Parameters
    ----------
    ndim : int
        How many axes.
    displayed : sequence of int
        Those on view.
    labels : sequence of str
        The layer's own: what it calls T or Z keeps that name.
    """
    shown = [axis for axis in displayed if 0 <= axis < ndim]
    y, x = shown[-2:] if len(shown) >= 2 else (ndim - 2, ndim - 1)
    names = {y: "Y", x: "X"}
    for axis, label in enumerate(map(str.upper, labels)):
        if axis not in names and label in ("T", "Z") and label not in names.values():
            names[axis] = label
    others = (letter for letter in _PLANE_LETTERS if letter not in names.values())
    return "".join(names[axis] if axis in names else next(others) for axis in range(ndim))


def n_pixels(layer: Image | None) -> int:
    """Return how many pixels a layer has in all planes and channels; none without a layer.

    Those of an alpha channel don't count: it is not denoised.
    """
    if layer is None:
        return 0
    *outer, last = map(int, _finest_level(layer).shape)
    return math.prod(outer) * (min(last, 3) if layer.rgb else last)


def _displayed(layer: Image, dims: Dims | None) -> list[int]:
    """Return the axes of a layer that the viewer displays."""
    return [] if dims is None else [axis - (dims.ndim - layer.ndim) for axis in dims.displayed]


def _finest_level(layer: Image) -> Any:
    """Return the array of a layer at full resolution, without what is only to look at."""
    return layer.data[0] if layer.multiscale else result_of(layer.data)
