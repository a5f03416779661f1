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
            "The latest weights that are as good as the best, as far as known, are kept: the ring."
        )
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._levels: dict[str, float] = {}
        self._level_lines: list[Any] = []
        self._curve = self.line(symbol="o", symbolSize=5)
        self._ring = self.line(symbol="o", symbolSize=12, symbolBrush=None)
        self._kept: int | None = None
        self.recolour()

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps and losses shown."""
        return list(zip(self._steps, self._losses, strict=True))

    @property
    def levels(self) -> dict[str, float]:
        """Levels shown, by what they are."""
        return dict(self._levels)

    @property
    def kept(self) -> int | None:
        """The step whose weights are marked as the ones that were kept."""
        return self._kept

    def clear(self) -> None:
        """Forget all points and levels."""
        self._steps, self._losses = [], []
        self._curve.setData(self._steps, self._losses)
        self.show_outcome(None, {})

    def add(self, step: int, loss: float) -> None:
        """Show one more point."""
        self._steps.append(step)
        self._losses.append(loss)
        self._curve.setData(self._steps, self._losses)

    def show_outcome(self, kept: int | None, levels: Mapping[str, float]) -> None:
        """Mark the step whose weights were kept; show levels as dashed lines, at most three.

        What they are is in the legend.
        """
        self._kept = kept if kept in self._steps else None
        at = [] if self._kept is None else [self._steps.index(self._kept)]
        self._ring.setData([self._steps[n] for n in at], [self._losses[n] for n in at])
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
        self._ring.setPen(None)
        self._ring.setSymbolPen(self.ink, width=1.5)
        colours = self.colours
        for line, colour in zip(self._level_lines, colours, strict=False):
            line.setPen(colour, width=2, style=Qt.PenStyle.DashLine)
        network = "network" if self._kept is None else f"network, kept at step {self._kept:,}"
        entries = [legend_entry(self.ink.name(), network)] + [
            legend_entry(colour, f"{text} {level:.3g}", DASHED)
            for (text, level), colour in zip(self._levels.items(), colours, strict=False)
        ]
        self.legend.setText(" &nbsp; ".join(entries))
        self.legend.setVisible(bool(self._levels) or self._kept is not None)
