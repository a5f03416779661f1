"""Results and their noisy images, one in place of the other."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.qt import get_qapp
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget
from superqt.utils import signals_blocked

from .form.calm_wheel import CalmWheel
from .form.prose import as_tooltip
from .form.result_choice import ResultChoice
from .layers.border import left_of_view
from .layers.mix import Mix, Wiped, amount_of, denoised_of, result_of
from .layers.on_view import plane_on_view
from .reading import Reading
from .results import Results, headline, story_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

KEY = "N"
_WHOLE = 100  # per cent
_GAP = 6  # pixels
_AMOUNT_TOOLTIP = (
    "How much of the denoised image there is; the rest is the noisy one.\n"
    "What you see is what is saved."
)
_WIPE_TOOLTIP = (
    "Pull a border over what is on view: left of it the noisy image, right of it the result.\n"
    "It is only to look at: what is saved is the result."
)
_HOLD_TOOLTIP = f"Shows the noisy image in the same colours. Or hold {KEY} over the image."
_GONE = "The noisy layer of this result is gone; denoise again."
_SOLID = "There is no plane to wipe over in 3D view; change to 2D."


class ComparePanel(QWidget):
    """Chooses a result, mixes its noisy image in, or shows that instead, whole or in part.

    The mix is the data of the result's layer: contrast, colours and what else the user chose
    stay, other layers are not touched, and what is saved is what is seen. Of what is only shown
    instead nothing is saved.

    Parameters
    ----------
    viewer : Viewer
        Where the results are.
    """

    chosen = Signal()
    residual_requested = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.results = Results(viewer)
        self._layers: list[Image] = []
        self._held: tuple[Image, Any, Wiped] | None = None
        self._wiped: Image | None = None
        self._reading = Reading(self)
        self.choice = ResultChoice()
        self.choice.setAccessibleName("Result")
        self.choice.setToolTip("All results in this window, the newest first.")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Remove this result's layer.")
        self.amount, self.wipe = _Slider(), _Slider()
        self.hold = QPushButton("Hold to see noisy")
        self.residual = QPushButton("Show residual")
        self._lay_out()
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.remove.clicked.connect(self._remove)
        self.amount.valueChanged.connect(self._mix)
        self.wipe.valueChanged.connect(self._wipe)
        self.hold.pressed.connect(self._show_noisy)
        self.hold.released.connect(self._show_again)
        self._reading.lost.connect(self.refresh)
        self.residual.clicked.connect(self.residual_requested)
        viewer.dims.events.order.connect(self._on_turn)
        # of a key that goes up in another window nobody tells
        get_qapp().focusWindowChanged.connect(self._show_again)
        self._has_key = self._bind_key()
        self.hide()

    @property
    def layer(self) -> Image | None:
        """The result that is compared; None if there is no result."""
        place = self.choice.currentIndex()
        return self._layers[place] if place >= 0 else None

    def choose(self, layer: Image) -> None:
        """Compare another result."""
        self.choice.setCurrentIndex(self._layers.index(layer))

    def reset_choices(self) -> None:
        """Follow the viewer's layers."""
        before = self.layer
        if self._held is not None and self._held[0] not in self._viewer.layers:
            self._held = None
        self._layers = self.results.layers()
        with signals_blocked(self.choice):
            self.choice.clear()
            for layer in self._layers:
                self.choice.addItem(headline(layer), layer.name)
            for place in range(len(self._layers)):
                tip = as_tooltip(self.choice.itemText(place))
                self.choice.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
            if before in self._layers:
                self.choose(before)
        self.setVisible(bool(self._layers))
        if self.layer != before:
            self._on_choice()
        self.refresh()

    def refresh(self) -> None:
        """Enable what can work now, and say why the rest can't."""
        gone = "" if self._pair is not None else _GONE
        solid = "" if self._viewer.dims.ndisplay == 2 else _SOLID
        for part, tooltip, hindrance in (
            (self.amount, _AMOUNT_TOOLTIP, gone),
            (self.hold, _HOLD_TOOLTIP, gone),
            (self.wipe, _WIPE_TOOLTIP, gone or solid),
        ):
            part.setEnabled(not hindrance)
            part.setToolTip(hindrance or tooltip)
        if gone or solid:
            self._unwipe()
        if self.layer is not None and not self._reading.wishes:
            self.amount.put(amount_of(self.layer.data))
            if not isinstance(self.layer.data, Wiped):
                self.wipe.put(0)

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        self._unwipe()
        self._viewer.dims.events.order.disconnect(self._on_turn)
        if self._has_key:
            self._has_key = False
            self._viewer.bind_key(KEY, None)

    @property
    def _pair(self) -> tuple[Image, Any] | None:
        """The result that is compared and its noisy image, if there are both."""
        layer = self.layer
        noisy = None if layer is None else self.results.noisy(layer)
        return None if layer is None or noisy is None else (layer, noisy)

    def _delayed(self, wish: Callable[..., None], *arguments: Any) -> bool:
        """Tell whether a wish has to wait for the noisy plane on view, which is read meanwhile."""
        if self._pair is None:
            return False
        layer, noisy = self._pair
        part = plane_on_view(layer, layer.data.shape, self._viewer.dims)
        return self._reading.delays(noisy, part, wish, *arguments)

    def _on_choice(self) -> None:
        self._unwipe()
        self.refresh()
        self.chosen.emit()

    def _on_turn(self, event: object = None) -> None:
        """Begin anew where other axes are on view."""
        self._unwipe()
        self.refresh()

    def _remove(self) -> None:
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)

    def _mix(self, percent: int) -> None:
        """Give the result's layer so much of the denoised image."""
        self._show_again()
        self._reading.forget(self._mix)
        if self._pair is None or (percent < _WHOLE and self._delayed(self._mix, percent)):
            return
        layer, noisy = self._pair
        denoised, amount = denoised_of(layer.data), percent / _WHOLE
        result = denoised if percent == _WHOLE else Mix(noisy, denoised, amount)
        wiped = layer.data
        layer.data = replace(wiped, denoised=result) if isinstance(wiped, Wiped) else result
        # duplicates share what was there before
        layer.metadata["noise2self"] = {**story_of(layer), "amount": amount}
        self.refresh()

    def _wipe(self, percent: int) -> None:
        """Show the noisy image on so much of what is on view, from the left."""
        self._show_again()
        self._reading.forget(self._wipe)
        if percent and self._delayed(self._wipe, percent):
            return
        if self._pair is not None:
            layer, noisy = self._pair
            where = left_of_view(layer, self._viewer, percent / _WHOLE)
            result = result_of(layer.data)
            layer.data = Wiped(noisy, result, where) if percent else result
            self._wiped = layer
        self.refresh()

    def _unwipe(self) -> None:
        """Show nothing but the result."""
        self._reading.cancel()
        self._show_again()
        layer, self._wiped = self._wiped, None
        if layer is not None and isinstance(layer.data, Wiped):
            layer.data = layer.data.denoised
            self.wipe.put(0)

    def _show_noisy(self) -> None:
        if self._held is None and self._pair and not self._delayed(self._show_noisy):
            layer, noisy = self._pair
            everywhere = np.ones(1, bool)
            self._held = layer, layer.data, Wiped(noisy, result_of(layer.data), everywhere)
            layer.data = self._held[-1]

    def _show_again(self) -> None:
        """Show what was there before the noisy image."""
        self._reading.forget(self._show_noisy)  # it would come too late
        if self._held is not None:
            (layer, data, noisy), self._held = self._held, None
            if layer.data is noisy:
                layer.data = data

    def _bind_key(self) -> bool:
        """Let a key show the noisy image; no, if the user has another use for it."""
        panel = weakref.ref(self)

        def show_noisy(_: Viewer) -> Iterator[None]:
            """Show the noisy image as long as the key is down."""
            _call(panel(), ComparePanel._show_noisy)
            yield
            _call(panel(), ComparePanel._show_again)

        try:
            self._viewer.bind_key(KEY, show_noisy)
        except ValueError:
            return False
        return True

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(_GAP // 2)  # all of the dock is to be in view on a small screen
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Result", _row((self.choice, 1), (self.remove, 0)))
        form.addRow(_row((self.hold, 1), (self.residual, 1)))
        for name, slider in (("Amount", self.amount), ("Wipe", self.wipe)):
            slider.setAccessibleName(name)
            form.addRow(name, _row((slider, 1), (slider.label, 0)))


class _Slider(QSlider):
    """Per cent, with a label that says how many."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        CalmWheel(self)
        self.setRange(0, _WHOLE)
        self.setPageStep(10)
        self.label = QLabel()
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance(f"{_WHOLE} %"))
        self.valueChanged.connect(self._tell)

    def put(self, share: float) -> None:
        """Show a share of one, without a signal."""
        with signals_blocked(self):
            self.setValue(round(share * _WHOLE))
        self._tell()

    def _tell(self) -> None:
        self.label.setText(f"{self.value()} %")


def _row(*parts: tuple[QWidget, int]) -> QHBoxLayout:
    """Lay out widgets side by side, with the stretch of each."""
    row = QHBoxLayout()
    row.setSpacing(_GAP)  # else that of the rows above each other
    for part, stretch in parts:
        row.addWidget(part, stretch)
    return row


def _call(panel: ComparePanel | None, method: Callable[[ComparePanel], None]) -> None:
    """Call a method of a panel that may be gone."""
    if panel is not None:
        method(panel)
