"""The combo box of the viewer's image layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import create_widget
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from .calm_wheel import CalmWheel

if TYPE_CHECKING:
    from napari.viewer import Viewer

PREVIEW = "noise2self preview"
"""Key in the metadata of image layers that only show how something works."""


def image_choice(viewer: Viewer, tooltip: str, *, nullable: bool = False) -> Any:
    """Return a combo box of the viewer's image layers, without previews.

    Parameters
    ----------
    viewer : Viewer
        Where the images are.
    tooltip : str
        What the image is for.
    nullable : bool
        Whether the user may choose none, which is then chosen at first.
    """

    def image_layers(_: object) -> list[Image]:
        return [
            layer
            for layer in viewer.layers
            if isinstance(layer, Image) and PREVIEW not in layer.metadata
        ]

    options = {"choices": image_layers, "nullable": nullable}
    combo: Any = create_widget(annotation=Image, options=options)
    combo.tooltip = tooltip
    box: QComboBox = combo.native
    box.setPlaceholderText("No image layer")
    box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
    CalmWheel(box)
    combo.null_string = "None"
    combo.reset_choices()
    return combo
