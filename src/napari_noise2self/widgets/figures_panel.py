"""What is known of a result."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from ..words import figure_notes, figure_rows
from .prose import Prose


class FiguresPanel(QWidget):
    """Figures in rows, and sentences below them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = QFormLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(2)
        self._figures: dict[str, Any] = {}
        self._shown: list[tuple[str, str]] = []
        self.notes = Prose()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._rows)
        layout.addWidget(self.notes)
        self.hide()

    @property
    def text(self) -> str:
        """All figures and sentences, as a user reads them."""
        return "\n".join([*(": ".join(row) for row in self._shown), self.notes.text()])

    def show_figures(self, figures: dict[str, Any]) -> None:
        """Show the figures of a network's result; of anything else, nothing."""
        self.setVisible("estimated_psnr" in figures)
        if figures == self._figures or self.isHidden():
            return
        self._figures = figures
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
