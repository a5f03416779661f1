"""The held-out loss as a curve that grows while the training runs."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget


class LossPlot(QWidget):
    """Held-out loss against training steps."""

    def __init__(self) -> None:
        # as late as can be, but in the main thread: loaded in another, pyqtgraph may crash Qt
        import pyqtgraph as pg

        super().__init__()
        self.setFixedHeight(160)
        self.setToolTip(
            "How well the network guesses pixels that it never learns from; lower is better.\n"
            "The best weights so far are kept."
        )
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._plot = pg.PlotWidget(background=None, enableMenu=False)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setLabel("bottom", "training step")
        self._plot.setLabel("left", "held-out loss")
        item = self._plot.getPlotItem()
        item.layout.setContentsMargins(0, 4, 8, 6)  # else labels are cut
        item.ctrlMenu.setParent(self)  # never shown, but it would outlive the plot
        self._curve = self._plot.plot(symbol="o", symbolSize=5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        self._colour_like_the_theme()

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps and losses shown."""
        return list(zip(self._steps, self._losses, strict=True))

    def clear(self) -> None:
        """Forget all points."""
        self._steps, self._losses = [], []
        self._curve.setData(self._steps, self._losses)

    def add(self, step: int, loss: float) -> None:
        """Show one more point."""
        self._steps.append(step)
        self._losses.append(loss)
        self._curve.setData(self._steps, self._losses)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme; called by Qt."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._colour_like_the_theme()

    def _colour_like_the_theme(self) -> None:
        """Draw in the colour of the text around, on its background."""
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(colour)
            axis.setTextPen(colour)
        self._curve.setPen(colour, width=2)
        self._curve.setSymbolBrush(colour)
        self._curve.setSymbolPen(None)
