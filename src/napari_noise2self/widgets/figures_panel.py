"""What is known of the last result, and the button that shows its residual."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..words import figure_notes, figure_rows
from .prose import Prose


class FiguresPanel(QWidget):
    """Figures in rows, sentences below them, and a button."""

    residual_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows = QFormLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(2)
        self._shown: list[tuple[str, str]] = []
        self.notes = Prose()
        self.residual = QPushButton("Show residual")
        self.residual.clicked.connect(self.residual_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._rows)
        layout.addWidget(self.notes)
        layout.addWidget(self.residual)
        self.hide()

    @property
    def text(self) -> str:
        """All figures and sentences, as a user reads them."""
        return "\n".join([*(": ".join(row) for row in self._shown), self.notes.text()])

    def show_figures(self, figures: dict[str, Any]) -> None:
        """Show the figures of a result."""
        while self._rows.rowCount():
            self._rows.removeRow(0)
        rows = figure_rows(figures)
        self._shown = [(label, text) for label, text, _ in rows]
        for label, text, tooltip in rows:
            caption, value = QLabel(label), Prose()
            value.say(text)
            for part in (caption, value):
                part.setToolTip(tooltip)
            self._rows.addRow(caption, value)
        self.notes.say(figure_notes(figures))
        self.show()
