"""The held-out loss as a curve that grows while the training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt

from .plot import DASHED, Plot, legend_entry


class LossPlot(Plot):
    """Held-out loss against training steps, and levels to compare it with."""

    def __init__(self) -> None:
        super().__init__("training step", "held-out loss", height=135)
        self.setToolTip(
            "How well the network guesses pixels that it never learns from; lower is better.\n"
            "The best weights so far are kept."
        )
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._levels: dict[str, float] = {}
        self._level_lines: list[Any] = []
        self._curve = self.line(symbol="o", symbolSize=5)
        self.recolour()

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps and losses shown."""
        return list(zip(self._steps, self._losses, strict=True))

    @property
    def levels(self) -> dict[str, float]:
        """Levels shown, by what they are."""
        return dict(self._levels)

    def clear(self) -> None:
        """Forget all points and levels."""
        self._steps, self._losses = [], []
        self._curve.setData(self._steps, self._losses)
        self.show_levels({})

    def add(self, step: int, loss: float) -> None:
        """Show one more point."""
        self._steps.append(step)
        self._losses.append(loss)
        self._curve.setData(self._steps, self._losses)

    def show_levels(self, levels: Mapping[str, float]) -> None:
        """Show levels as dashed lines, each with its text in the legend; at most three."""
        for line in self._level_lines:
            self._axes.removeItem(line)
        self._levels = dict(levels)
        ends = [0, max(self._steps, default=1)]
        self._level_lines = [self.line(x=ends, y=[level] * 2) for level in levels.values()]
        self.recolour()

    def recolour(self) -> None:
        """Draw the curve like text, and each level in its colour."""
        super().recolour()
        self._curve.setPen(self.ink, width=2)
        self._curve.setSymbolBrush(self.ink)
        self._curve.setSymbolPen(None)
        colours = self.colours
        for line, colour in zip(self._level_lines, colours, strict=False):
            line.setPen(colour, width=2, style=Qt.PenStyle.DashLine)
        entries = [legend_entry(self.ink.name(), "network")] + [
            legend_entry(colour, f"{text} {level:.3g}", DASHED)
            for (text, level), colour in zip(self._levels.items(), colours, strict=False)
        ]
        self.legend.setText(" &nbsp; ".join(entries))
        self.legend.setVisible(bool(self._levels))
