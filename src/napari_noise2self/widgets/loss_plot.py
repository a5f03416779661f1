"""The held-out loss as a curve that grows while the training runs."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget


def preload_pyqtgraph() -> None:
    """Load pyqtgraph, which takes a third of a second: call it in a background thread."""
    import pyqtgraph  # noqa: F401


class LossPlot(QWidget):
    """Held-out loss against training steps; empty, and without pyqtgraph, until `add`."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.setFixedHeight(150)
        self.setToolTip(
            "How well the network guesses pixels that it never learns from; lower is better.\n"
            "The best weights so far are kept."
        )
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._plot: Any = None
        self._curve: Any = None

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps and losses shown."""
        return list(zip(self._steps, self._losses, strict=True))

    def clear(self) -> None:
        """Forget all points."""
        self._steps, self._losses = [], []
        self._draw()

    def add(self, step: int, loss: float) -> None:
        """Show one more point."""
        if self._plot is None:
            self._create()
        self._steps.append(step)
        self._losses.append(loss)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme; called by Qt."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._paint_like_the_theme()

    def _create(self) -> None:
        import pyqtgraph as pg

        self._plot = pg.PlotWidget(background=None)
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setLabel("bottom", "step")
        self._plot.setLabel("left", "held-out loss")
        self._curve = self._plot.plot(symbol="o", symbolSize=5)
        self._layout.addWidget(self._plot)
        self._paint_like_the_theme()

    def _draw(self) -> None:
        if self._curve is not None:
            self._curve.setData(self._steps, self._losses)

    def _paint_like_the_theme(self) -> None:
        """Draw in the colour of the text around, on nothing."""
        if self._plot is None:
            return
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(colour)
            axis.setTextPen(colour)
        self._curve.setPen(colour, width=2)
        self._curve.setSymbolBrush(colour)
        self._curve.setSymbolPen(None)
