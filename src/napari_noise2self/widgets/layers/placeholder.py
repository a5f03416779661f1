"""A layer that stands in for another till that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject

from ..form.image_choice import PREVIEW
from .source import LIE
from .transient import TransientLayer

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Placeholder(TransientLayer):
    """Shows one layer first, and later makes it another, or takes it away.

    Its place in the list of layers and what the user changed of its looks are kept.

    Parameters
    ----------
    viewer : Viewer
        Where the layer goes.
    parent : QObject, optional
        Owns it.
    """

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(viewer, parent)
        self._unwanted = False
        self._look: dict[str, Any] = {}
        self._limits: Sequence[float] = ()
        self.lost.connect(self._on_lost)

    def begin(self) -> None:
        """Stand in for another layer from now on."""
        self.remove()
        self._unwanted = False

    def show(self, image: Any, look: dict[str, Any]) -> None:
        """Add the layer that stands in, or change it; nothing if the user did not want it.

        Parameters
        ----------
        image, look
            As of `become`.
        """
        if self._unwanted:
            return
        look = {**look, "metadata": {**look["metadata"], PREVIEW: True}}
        if self._layer is None:
            layer = self._add(image, look)
            self._look, self._limits = look, layer.contrast_limits
            self._look_after(layer)
        else:
            self._change(self._layer, image, look)

    def become(self, image: Any, look: dict[str, Any]) -> Image:
        """Show another image in its place, or on top if there is none; return the layer.

        Parameters
        ----------
        image : array
            Data of an image layer.
        look : dict
            How a new layer looks. One that is there already only takes over what is known of it,
            its name, where it lies if that is elsewhere by now, and contrast limits if nobody
            changed them.
        """
        layer = self._let_go()
        if layer is None:
            return self._add(image, look)
        self._change(layer, image, look)
        if not layer.visible:  # a result that was waited for; to be set is to be drawn again
            layer.visible = True
        return layer

    def _add(self, image: Any, look: dict[str, Any]) -> Image:
        layer = Image(image, **look)
        self._viewer.add_layer(layer)
        return layer

    def _change(self, layer: Image, image: Any, look: dict[str, Any]) -> None:
        # napari needs a tenth of a second to make the controls of a new layer; not of this one
        layer.data = image
        for name in LIE:
            if not np.array_equal(look[name], self._look[name]):
                setattr(layer, name, look[name])
        limits = list(look["contrast_limits"])
        if list(layer.contrast_limits) == list(self._limits) != limits:
            layer.contrast_limits = limits
        layer.metadata = look["metadata"]
        if layer.name != look["name"]:
            layer.name = look["name"]
        self._look = look

    def _on_lost(self) -> None:
        self._unwanted = True
