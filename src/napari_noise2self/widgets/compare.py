"""Results and their noisy images, one in place of the other."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QPaintEvent, QWheelEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)
from superqt.utils import signals_blocked

from .mix import Mix, amount_of, denoised_of
from .results import Results, headline, story_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

KEY = "N"
_WHOLE = 100  # per cent
_AMOUNT_TOOLTIP = (
    "How much of the denoised image there is; the rest is the noisy one.\n"
    "What you see is what is saved."
)
_HOLD_TOOLTIP = f"Shows the noisy image in the same colours. Or hold {KEY} over the image."
_GONE = "The noisy layer of this result is gone; denoise again."


class ComparePanel(QWidget):
    """Chooses a result, mixes its noisy image in, or shows that instead.

    The mix is the data of the result's layer: contrast, colours and what else the user chose
    stay, other layers are not touched, and what is saved is what is seen.

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
        self._held: tuple[Image, Any, Mix] | None = None
        self.choice = _Choice()
        self.choice.setToolTip("All results in this window, the newest first.")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Remove this result's layer.")
        self.amount = _Slider()
        self.percent = QLabel()
        self.hold = QPushButton("Hold to see noisy")
        self.residual = QPushButton("Show residual")
        self._lay_out()
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.remove.clicked.connect(self._remove)
        self.amount.valueChanged.connect(self._mix)
        self.hold.pressed.connect(self._show_noisy)
        self.hold.released.connect(self._show_again)
        self.residual.clicked.connect(self.residual_requested)
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
                tip = self.choice.itemText(place)
                self.choice.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
            if before in self._layers:
                self.choose(before)
        self.setVisible(bool(self._layers))
        if self.layer != before:
            self._on_choice()
        self.refresh()

    def refresh(self) -> None:
        """Enable what can work now, and say why the rest can't."""
        layer, possible = self.layer, self._pair is not None
        for part, tooltip in ((self.amount, _AMOUNT_TOOLTIP), (self.hold, _HOLD_TOOLTIP)):
            part.setEnabled(possible)
            part.setToolTip(tooltip if possible else _GONE)
        if self._held is None and layer is not None:
            self._show_amount(amount_of(layer.data))

    def leave(self) -> None:
        """Leave nothing behind when the dock is closed."""
        self._show_again()
        if self._has_key:
            self._has_key = False
            self._viewer.bind_key(KEY, None)

    @property
    def _pair(self) -> tuple[Image, Any] | None:
        """The result that is compared and its noisy image, if there are both."""
        layer = self.layer
        noisy = None if layer is None else self.results.noisy(layer)
        return None if layer is None or noisy is None else (layer, noisy)

    def _on_choice(self) -> None:
        self._show_again()
        self.refresh()
        self.chosen.emit()

    def _remove(self) -> None:
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)

    def _mix(self, percent: int) -> None:
        """Give the result's layer so much of the denoised image."""
        self._show_again()
        if self._pair is None:
            return
        layer, noisy = self._pair
        denoised, amount = denoised_of(layer.data), percent / _WHOLE
        layer.data = denoised if percent == _WHOLE else Mix(noisy, denoised, amount)
        # duplicates share what was there before
        layer.metadata["noise2self"] = {**story_of(layer), "amount": amount}
        self.refresh()

    def _show_noisy(self) -> None:
        if self._held is None and self._pair is not None:
            layer, noisy = self._pair
            self._held = layer, layer.data, Mix(noisy, denoised_of(layer.data), 0.0)
            layer.data = self._held[-1]

    def _show_again(self) -> None:
        """Show what was there before the noisy image."""
        if self._held is not None:
            (layer, data, noisy), self._held = self._held, None
            if layer.data is noisy:
                layer.data = data

    def _show_amount(self, amount: float) -> None:
        with signals_blocked(self.amount):
            self.amount.setValue(round(amount * _WHOLE))
        self.percent.setText(f"{self.amount.value()} %")

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
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Result", _row((self.choice, 1), (self.remove, 0)))
        form.addRow(_row((self.hold, 1), (self.residual, 1)))
        form.addRow("Amount", _row((self.amount, 1), (self.percent, 0)))


class _Slider(QSlider):
    """Per cent; the wheel scrolls the dock."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, _WHOLE)
        self.setPageStep(10)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Pass the wheel on; called by Qt."""
        event.ignore()


class _Choice(QComboBox):
    """Names with much to say of each, which the open list does; the wheel scrolls the dock."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def short_name(self, room: int) -> str:
        """Return the name chosen, with dots in its middle where the room is too little."""
        middle = Qt.TextElideMode.ElideMiddle
        return str(self.fontMetrics().elidedText(self.currentData() or "", middle, room))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the closed list, with as much of the name as there is room for; called by Qt."""
        option, painter = QStyleOptionComboBox(), QStylePainter(self)
        self.initStyleOption(option)
        control, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, field, self).width()
        option.currentText = self.short_name(room)
        painter.drawComplexControl(control, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Pass the wheel on; called by Qt."""
        event.ignore()


def _row(*parts: tuple[QWidget, int]) -> QHBoxLayout:
    """Lay out widgets side by side, with the stretch of each."""
    row = QHBoxLayout()
    for part, stretch in parts:
        row.addWidget(part, stretch)
    return row


def _call(panel: ComparePanel | None, method: Callable[[ComparePanel], None]) -> None:
    """Call a method of a panel that may be gone."""
    if panel is not None:
        method(panel)
