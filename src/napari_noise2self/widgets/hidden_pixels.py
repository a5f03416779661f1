"""Controls that show which pixels are hidden together, and what the network sees instead."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from ..partition import Partition
from ..partition.exclusion import Exclusion
from ..settings import Settings
from .computed_plane import PlaneSwitch
from .form.editors import Whole
from .form.prose import Prose
from .form.settings_form import SettingsForm
from .layers.partition_overlay import PartitionOverlay, plane_shape
from .layers.source import Source
from .sizes_panel import SizesPanel
from .tasks.fill import FillTask
from .tasks.live import LARGEST_VIEW, View
from .tasks.predict import Pace, PredictTask

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LARGEST = 2**24  # pixels: a tenth of a second
_PATIENCE = 0.7  # seconds for a prediction, at first of the middle of the view,
_NEARLY_ALL = 0.7  # if that is less than this share of it
_SHOW_TOOLTIP = (
    "See what the partition means for this image, before and while a network trains on it:\n"
    "in orange the pixels that are hidden together, in yellow the neighbours that an exclusion\n"
    "hides with them. Move the partition size to see it change."
)
_PREDICT_TOOLTIP = (
    "Show what the model makes of the view, each subset predicted from the others: its middle\n"
    "first, then up to 512 × 512 pixels of it.\n"
    "Move the partition size to see what changes."
)
_NO_MODEL = "There is no model that could predict now; train one first, or load one."


class HiddenPixels(QWidget):
    """Shows one subset of the partition over the chosen image, as the settings change.

    Parameters
    ----------
    viewer : Viewer
        Where the images are.
    images : combo box
        Of the image layers; see `image_choice`.
    form : SettingsForm
        With the partition.
    """

    def __init__(self, viewer: Viewer, images: Any, form: SettingsForm) -> None:
        super().__init__()
        self._viewer, self._images, self._form = viewer, images, form
        self._overlay = PartitionOverlay(viewer, self)
        self.model: Any = None
        """A trained denoiser, if there is one that can work now."""
        self._measured: weakref.WeakKeyDictionary[Image, Exclusion] = weakref.WeakKeyDictionary()
        self._layer: Image | None = None
        self._pace = Pace()
        self.show_button = QPushButton("Show hidden pixels")
        self.show_button.setCheckable(True)
        self.zoom_button = QPushButton("Zoom in")
        self.zoom_button.setToolTip(
            "Here the image's pixels are smaller than those of the screen, and you see their mean\n"
            "colour. Come close enough to see single ones."
        )
        self.subset = Whole(1, 1)
        self.subset.setPrefix("Subset ")
        self.subset.setWrapping(True)
        self.subset.setAccessibleName("Subset")
        self.subset.setToolTip(
            "Each subset is hidden and predicted in its turn; together they are the whole image."
        )
        self.fill_button = PlaneSwitch("Fill pixels", viewer, "filled")
        self.fill_button.setToolTip(
            "Show the plane on view as the network sees it: with other values in place of the\n"
            "hidden pixels, as Fill under Advanced says."
        )
        self.predict_button = PlaneSwitch("Predict pixels", viewer, "predicted")
        self.sizes = SizesPanel()
        self.note = Prose()
        self._details = QWidget()
        self._lay_out()
        self.show_button.toggled.connect(self._on_show)
        self.zoom_button.clicked.connect(self._overlay.zoom_in)
        self.fill_button.wanted.connect(self._draw)
        self.predict_button.wanted.connect(self._draw)
        self.subset.changed.connect(self._draw)
        form.changed.connect(self._draw)
        form.changed.connect(self._mark_size)
        images.changed.connect(self.sizes.clear)
        self._overlay.lost.connect(self._off)
        self._overlay.zoomed.connect(self._explain)

    def refresh(self) -> None:
        """Follow the chosen image and the viewer."""
        hindrance = self._hindrance()
        is_gone = self._layer is not None and self._layer not in self._viewer.layers
        if hindrance or is_gone:
            self._off()
        self.show_button.setEnabled(not hindrance)
        self.show_button.setToolTip(hindrance or _SHOW_TOOLTIP)
        if self.model is None:
            self.predict_button.off()
        self.predict_button.setEnabled(self.model is not None)
        self.predict_button.setToolTip(_NO_MODEL if self.model is None else _PREDICT_TOOLTIP)
        self._draw()

    def learn(self, source: Source, settings: Settings, figures: dict[str, Any]) -> None:
        """Remember which exclusion a run chose for an image, where that was left to it."""
        layer = source.layer()
        if layer is not None and settings.chooses_exclusion:
            self._measured[layer] = Exclusion(**figures["partition"]["exclusion"])
            self._draw()

    def leave(self) -> None:
        """Leave nothing behind."""
        self._off()
        for shown in (self._overlay, self.fill_button.plane, self.predict_button.plane):
            shown.remove()
        self.model = None

    def _on_show(self, on: bool) -> None:
        moved = (self._viewer.dims.events.order, self._viewer.dims.events.current_step)
        for event in moved:
            (event.connect if on else event.disconnect)(self._draw)
        self._details.setVisible(on)
        if on:
            self._draw()
            return
        self._follow(None)
        self.fill_button.off()
        self.predict_button.off()
        self._overlay.dismiss()
        self._explain()

    def _off(self) -> None:
        self.show_button.setChecked(False)

    def _draw(self, event: object = None) -> None:
        """Show what is chosen now."""
        if not self.show_button.isChecked():
            return
        layer = self._images.value
        if layer not in self._viewer.layers:
            self._off()
            return
        self._follow(layer)
        source = Source.capture(layer, self._viewer.dims)
        partition = self._partition
        with signals_blocked(self.subset):
            self.subset.limit(1, partition.n_subsets)
            self.subset.setSuffix(f" of {partition.n_subsets}")
        subset = self.subset.value() - 1
        self._overlay.show(source, partition, subset)
        if self.fill_button.isChecked():
            self.fill_button.plane.show(source, self._fill_task(source, partition, subset))
        if self.predict_button.isChecked():
            self._predict(source, partition)
        self._explain()

    def _mark_size(self) -> None:
        self.sizes.follow(self._partition)

    def _fill_task(self, source: Source, partition: Partition, subset: int) -> FillTask:
        assert source.place is not None
        plane = source.name, source.data, source.axes, source.place
        return FillTask(*plane, partition, subset, self._settings.fill)

    def _predict(self, source: Source, partition: Partition) -> None:
        """Predict as much of the middle of the view as there is patience for, then all of it."""
        assert source.place is not None
        at_once = _PATIENCE / self._pace.seconds / partition.n_subsets
        middle, whole = (self._view(source, largest) for largest in (at_once, LARGEST_VIEW))
        views = (middle, whole) if middle.area < _NEARLY_ALL * whole.area else (whole,)
        plane = source.name, source.data, source.axes, source.place
        task = PredictTask(*plane, self.model, self._settings, views, self._pace)
        self.predict_button.plane.show(source, task)

    def _view(self, source: Source, largest: float) -> View:
        """Return what is on view; the middle of the plane if the image is out of sight."""
        assert self._layer is not None
        assert source.place is not None
        shape, axes, dims = source.data.shape, source.axes, self._viewer.dims
        view = View.of(self._layer, shape, axes, dims, largest)
        return view or View.middle(source.place, shape, axes, largest)

    @property
    def _partition(self) -> Partition:
        """The partition that is shown: an exclusion not yet measured is none."""
        measured = self._layer and self._measured.get(self._layer)
        return Partition.from_settings(self._settings, measured)

    @property
    def _settings(self) -> Settings:
        """The settings that the chosen image is trained with."""
        return self._form.settings.effective

    def _follow(self, layer: Image | None) -> None:
        """Follow the data of this layer, and of no other."""
        if layer is self._layer:
            return
        if self._layer is not None:
            self._layer.events.data.disconnect(self._draw)
        if layer is not None:
            layer.events.data.connect(self._draw)
        self._layer = layer

    def _hindrance(self) -> str:
        """Say why nothing can be shown; empty if it can be."""
        layer = self._images.value
        if layer is None:
            return "There is no image layer; open an image first."
        if self._viewer.dims.ndisplay != 2:
            return "Single pixels can't be shown in 3D view; change to 2D."
        if self._viewer.canvas.grid.enabled:
            return "In grid view they would lie beside the image; leave grid view."
        source = Source.capture(layer, self._viewer.dims)
        height, width = plane_shape(source)
        if height * width > _LARGEST:
            return f"Planes beyond {_LARGEST / 1e6:.0f} million pixels are too large to draw."
        return ""

    def _explain(self) -> None:
        """Say what can't be seen."""
        on = self.show_button.isChecked()
        self.zoom_button.setVisible(on and not self._overlay.is_crisp)
        settings, sentences = self._settings, []
        plain = Partition.from_settings(replace(settings, exclusion="none"))
        if on and settings.chooses_exclusion and self._layer not in self._measured:
            sentences.append("No exclusion is shown until training measures it.")
        if on and self._partition.size != plain.size:
            sentences.append(f"The exclusion makes the partition size {self._partition.size}.")
        self.note.say("\n".join(sentences))

    def _lay_out(self) -> None:
        """Two rows, and a note."""
        column = QVBoxLayout(self)
        first, second = QHBoxLayout(), QHBoxLayout(self._details)
        for box in (column, first, second):
            box.setContentsMargins(0, 0, 0, 0)
        first.addWidget(self.show_button, stretch=1)
        first.addWidget(self.zoom_button)
        first.addWidget(self.sizes.switch, stretch=1)
        second.addWidget(self.subset, stretch=3)
        second.addWidget(self.fill_button, stretch=2)
        second.addWidget(self.predict_button, stretch=2)
        column.addLayout(first)
        column.addWidget(self._details)
        column.addWidget(self.note)
        column.addWidget(self.sizes)
        self._details.hide()
        self.zoom_button.hide()
