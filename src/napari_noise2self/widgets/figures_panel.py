"""What is known of a result: in short, and in detail for those who want it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from ..figures.words import FigureRow, figure_advice, figure_notes, figure_rows
from .form.prose import Prose
from .form.section import Section
from .later import Later
from .layouts import column, form
from .plots.noise import NoisePlot

_IN_SHORT = {"Estimated PSNR", "Residual"}


class FiguresPanel(QWidget):
    """How good a result is and what to do if it isn't; the rest is folded away."""

    def __init__(self) -> None:
        super().__init__()
        self._figures: dict[str, Any] = {}
        self._shown: list[FigureRow] = []
        self._detailed: list[FigureRow] = []
        self._short, self._long = _Rows(), _Rows()
        self.advice, self.notes = Prose(), Prose()
        self._noise = Later(NoisePlot)
        details = QWidget()
        column(details, self._long, self._noise, self.notes)
        self.details = Section("Details", details)
        self.details.folded.connect(self._on_fold)
        column(self, self._short, self.advice, self.details)
        self.hide()

    @property
    def noise(self) -> NoisePlot:
        """The noise model."""
        if self._noise.made is None:
            self._fill_details()
        return self._noise.part

    @property
    def text(self) -> str:
        """All figures and sentences, as a user reads them."""
        rows = [f"{row.label}: {row.text}" for row in self._shown]
        return "\n".join([*rows, self.notes.text()])

    def show_figures(self, figures: dict[str, Any]) -> None:
        """Show the figures of a network's result; of anything else, nothing."""
        self.setVisible("estimated_psnr" in figures)
        if not self.isHidden():
            self.fill(figures)

    def fill(self, figures: dict[str, Any]) -> None:
        """Be ready to show the figures of a network's result."""
        if figures == self._figures:
            return
        self._figures, self._shown = figures, figure_rows(figures)
        self._short.show_rows(row for row in self._shown if row.label in _IN_SHORT)
        if self.details.unfolded or self._noise.made is not None:
            self._fill_details()
        self.advice.say(figure_advice(figures))
        self.notes.say(figure_notes(figures))

    def _on_fold(self) -> None:
        if self.details.unfolded:
            self._fill_details()

    def _fill_details(self) -> None:
        """Show what was folded away: nobody waits for it before it is wanted."""
        if self._detailed is not self._shown:
            self._detailed = self._shown
            self._long.show_rows(row for row in self._shown if row.label not in _IN_SHORT)
        if self._figures:
            self._noise.part.show_noise(self._figures)
        self._noise.show()


class _Rows(QWidget):
    """Label and text in each row."""

    def __init__(self) -> None:
        super().__init__()
        self._form = form(self)
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
