"""Small editors of one setting each, all read with `get` and written with `put`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from qtpy.QtCore import QLocale, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)
from superqt.utils import signals_blocked

from ..layouts import row
from .calm_wheel import CalmWheel

Value = str | int | float | bool | None

_NUMBERS = QLocale(QLocale.Language.C)  # 1,000.5 for all, as in the sentences of the docks


class Editor(Protocol):
    """What all editors can do."""

    changed: Any
    """Signal: the value shown is another."""

    def get(self) -> Value:
        """Return the value shown."""

    def put(self, value: Any) -> None:
        """Show a value."""

    def setEnabled(self, enabled: bool, /) -> None:  # noqa: N802
        """Let the value be changed, or not; Qt's."""


class Choice(QComboBox):
    """One of several words.

    Parameters
    ----------
    labels : mapping of str to str
        What the user reads for each value.
    """

    changed = Signal(str)

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__()
        CalmWheel(self)
        self.offer(labels)
        self.currentIndexChanged.connect(self._tell)

    def offer(self, labels: Mapping[str, str], value: str | None = None) -> None:
        """Offer other words, and choose one of them; the first if None. No signal is sent."""
        with signals_blocked(self):
            self.clear()
            for word, label in labels.items():
                self.addItem(label, word)
            if value is not None:
                self.put(value)

    def get(self) -> str:
        """Return the value chosen."""
        return str(self.currentData())

    def put(self, value: str) -> None:
        """Choose a value."""
        self.setCurrentIndex(self.findData(value))

    def _tell(self) -> None:
        self.changed.emit(self.get())


class Buttons(QWidget):
    """One of a few words, all visible, as buttons in a row.

    Parameters
    ----------
    labels : mapping of str to str
        What the user reads for each value.
    """

    changed = Signal(str)

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__()
        layout = row(self)
        layout.setSpacing(2)
        group = QButtonGroup(self)
        self._buttons = {value: QPushButton(label) for value, label in labels.items()}
        for button in self._buttons.values():
            button.setCheckable(True)
            group.addButton(button)
            layout.addWidget(button, stretch=1)
        next(iter(self._buttons.values())).setChecked(True)
        group.buttonToggled.connect(self._tell)

    def get(self) -> str:
        """Return the value chosen."""
        return next(value for value, button in self._buttons.items() if button.isChecked())

    def put(self, value: str) -> None:
        """Choose a value."""
        self._buttons[value].setChecked(True)

    def _tell(self, button: QPushButton, checked: bool) -> None:
        if checked:
            self.changed.emit(self.get())


class Whole(QSpinBox):
    """A whole number.

    Parameters
    ----------
    low, high : int
        The limits, both included.
    none : str
        What the user reads for None, one step below `low`; None is not offered if empty.
    """

    changed = Signal(int)

    def __init__(self, low: int, high: int, none: str = "") -> None:
        super().__init__()
        CalmWheel(self)
        self._has_none = False
        self.setLocale(_NUMBERS)
        self.setGroupSeparatorShown(True)
        self.valueChanged.connect(self.changed)
        self.limit(low, high, none)

    def limit(self, low: int, high: int, none: str = "") -> None:
        """Set the limits, and what the user reads for None."""
        self._has_none = bool(none)
        self.setRange(low - 1 if none else low, high)
        self.setSpecialValueText(none)

    def get(self) -> int | None:
        """Return the number, or None."""
        number = int(self.value())
        return None if self._has_none and number == self.minimum() else number

    def put(self, value: int | None) -> None:
        """Show a number, or None."""
        self.setValue(self.minimum() if value is None else value)


class SlidingWhole(QWidget):
    """A whole number with a slider beside it, for what is found by trying.

    Parameters
    ----------
    name : str
        For screen readers.
    low, high, none
        As of `Whole`; None is at the slider's left end.
    """

    changed = Signal(int)

    def __init__(self, name: str, low: int, high: int, none: str = "") -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        CalmWheel(self.slider)
        self.number = Whole(low, high)
        layout = row(self)
        for part in (self.slider, self.number):
            part.setAccessibleName(name)
            layout.addWidget(part, stretch=1)
        self.limit(low, high, none)
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self.slider.setValue)
        self.number.changed.connect(self.changed)

    def limit(self, low: int, high: int, none: str = "") -> None:
        """Set the limits, and what the user reads for None."""
        self.number.limit(low, high, none)
        self.slider.setRange(self.number.minimum(), self.number.maximum())
        self.slider.setPageStep(max(1, (high - low) // 10))

    def get(self) -> int | None:
        """Return the number, or None."""
        return self.number.get()

    def put(self, value: int | None) -> None:
        """Show a number, or None."""
        self.number.put(value)

    def text(self) -> str:
        """Return what the user reads."""
        return str(self.number.text())


class Fraction(QDoubleSpinBox):
    """A number that may have decimals, written without needless zeros; a comma begins them, too.

    Parameters
    ----------
    low, high, step : float
        The limits, both included, and what an arrow adds.
    none : str
        What the user reads for None, which stands at zero; None is not offered if empty.
    """

    changed = Signal(float)

    def __init__(self, low: float, high: float, step: float, none: str = "") -> None:
        super().__init__()
        CalmWheel(self)
        self.valueChanged.connect(self.changed)
        self._low, self._has_none = low, bool(none)
        self.setLocale(_NUMBERS)
        self.setDecimals(9)
        self.setRange(0.0 if none else low, high)
        self.setSingleStep(step)
        self.setSpecialValueText(none)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Write a number; called by Qt."""
        return str(np.format_float_positional(value, trim="-"))

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Read a comma as the point that it is in many countries; called by Qt."""
        return super().validate(text.replace(",", "."), place)

    def get(self) -> float | None:
        """Return the number, or None."""
        number = float(self.value())
        return None if self._has_none and number == 0 else max(number, self._low)

    def put(self, value: float | None) -> None:
        """Show a number, or None."""
        self.setValue(0.0 if value is None else value)


class Switch(QCheckBox):
    """Yes or no."""

    changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.toggled.connect(self.changed)

    def get(self) -> bool:
        """Return whether it is on."""
        return bool(self.isChecked())

    def put(self, value: bool) -> None:
        """Turn on or off."""
        self.setChecked(value)
