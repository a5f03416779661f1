"""The combo box of the viewer's image layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QComboBox
from superqt.utils import signals_blocked

from .calm_wheel import CalmWheel

if TYPE_CHECKING:
    from napari.viewer import Viewer

PREVIEW = "noise2self preview"
"""Key in the metadata of image layers that only show how something works."""


class ImageChoice(QComboBox):
    """One of the viewer's image layers, without previews.

    Parameters
    ----------
    viewer : Viewer
        Where the images are.
    tooltip : str
        What the image is for.
    nullable : bool
        Whether the user may choose none, which is then chosen at first.
    """

    changed = Signal()
    """Another layer is chosen, by the user or because there are others."""

    def __init__(self, viewer: Viewer, tooltip: str, *, nullable: bool = False) -> None:
        super().__init__()
        CalmWheel(self)
        self._viewer = viewer
        self._none = [None] if nullable else []
        self.choices: list[Image | None] = []
        """What is offered."""
        self.setToolTip(tooltip)
        self.setPlaceholderText("No image layer")
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.reset_choices()
        self.currentIndexChanged.connect(self.changed)

    @property
    def value(self) -> Image | None:
        """The layer chosen; None if there is none."""
        place = self.currentIndex()
        return self.choices[place] if place >= 0 else None

    @value.setter
    def value(self, layer: Image | None) -> None:
        self.setCurrentIndex(self.choices.index(layer))

    def reset_choices(self) -> None:
        """Follow the viewer's layers; what is chosen stays so while it is there."""
        before = self.value
        self.choices = [
            *self._none,
            *(
                layer
                for layer in self._viewer.layers
                if isinstance(layer, Image) and PREVIEW not in layer.metadata
            ),
        ]
        with signals_blocked(self):
            self.clear()
            self.addItems(["None" if layer is None else layer.name for layer in self.choices])
            kept = self.choices.index(before) if before in self.choices else 0
            self.setCurrentIndex(kept if self.choices else -1)
        if self.value != before:
            self.changed.emit()
