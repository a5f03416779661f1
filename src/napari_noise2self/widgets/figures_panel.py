"""What is known of a result: in short, and in detail for those who want it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from ..words import FigureRow, figure_advice, figure_notes, figure_rows
from .noise_plot import NoisePlot
from .prose import Prose
from .section import Section

_IN_SHORT = {"Estimated PSNR", "Residual"}


class FiguresPanel(QWidget):
    """How good a result is and what to do if it isn't; the rest is folded away."""

    def __init__(self) -> None:
        super().__init__()
        self._figures: dict[str, Any] = {}
        self._shown: list[FigureRow] = []
        self._short, self._long = _Rows(), _Rows()
        self.advice, self.notes = Prose(), Prose()
        self.noise = NoisePlot()
        self.details = Section("Details", _column(self._long, self.noise, self.notes))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._short, self.advice, self.details):
            layout.addWidget(part)
        self.hide()

    @property
    def text(self) -> str:
        """All figures and sentences, as a user reads them."""
        rows = [f"{row.label}: {row.text}" for row in self._shown]
        return "\n".join([*rows, self.notes.text()])

    def show_figures(self, figures: dict[str, Any]) -> None:
        """Show the figures of a network's result; of anything else, nothing."""
        self.setVisible("estimated_psnr" in figures)
        if figures == self._figures or self.isHidden():
            return
        self._figures, self._shown = figures, figure_rows(figures)
        self._short.show_rows(row for row in self._shown if row.label in _IN_SHORT)
        self._long.show_rows(row for row in self._shown if row.label not in _IN_SHORT)
        self.noise.show_noise(figures)
        self.advice.say(figure_advice(figures))
        self.notes.say(figure_notes(figures))


class _Rows(QWidget):
    """Label and text in each row."""

    def __init__(self) -> None:
        super().__init__()
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(2)

    def show_rows(self, rows: Iterable[FigureRow]) -> None:
        """Show these rows, and no others."""
        while self._form.rowCount():
            self._form.removeRow(0)
        for row in rows:
            caption, value = QLabel(row.label), Prose()
            value.say(row.text)
            for part in (caption, value):
                part.setToolTip(row.tooltip)
            self._form.addRow(caption, value)


def _column(*parts: QWidget) -> QWidget:
    """Return one widget of many, below each other."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return column
