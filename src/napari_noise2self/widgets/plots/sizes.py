"""Loss against partition size."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from .plot import DASHED, POINT, Plot, legend_entry


class SizesPlot(Plot):
    """Loss of the J-invariant prediction for each partition size, and the size that is enough."""

    def __init__(self) -> None:
        super().__init__("partition size", "loss", height=150)
        self.setToolTip(
            "Mean squared distance of the predictions from the noisy pixels, which they never\n"
            "saw, in units of the noise variance; lower is better.\n"
            "Bars: what is left to chance in the comparison with the lowest."
        )
        import pyqtgraph as pg

        self._curve = self.line(symbol="o", symbolSize=7, symbolPen=None)
        self._bars = pg.ErrorBarItem()
        self._axes.addItem(self._bars)
        self._enough = self.line(pen=None, symbol="o", symbolSize=12, symbolPen=None)
        self._present = self._axes.addLine(x=0)
        self.recolour()

    @property
    def points(self) -> list[tuple[float, float]]:
        """Sizes and losses shown."""
        sizes, losses = self._curve.getData()
        return [] if sizes is None else list(zip(sizes.tolist(), losses.tolist(), strict=True))

    @property
    def enough(self) -> float:
        """The size that is marked."""
        return float(self._enough.getData()[0][0])

    @property
    def present(self) -> float:
        """The size that is set."""
        return float(self._present.value())

    def show_sizes(self, figures: dict[str, Any]) -> None:
        """Show the scores of all sizes.

        Parameters
        ----------
        figures : dict
            Of a `SizesTask`.
        """
        scores = figures["scores"]
        sizes, losses = ([float(score[name]) for score in scores] for name in ("size", "loss"))
        self._curve.setData(sizes, losses)
        heights = [2 * (score["uncertainty"] or 0.0) for score in scores]
        self._bars.setData(x=np.array(sizes), y=np.array(losses), height=np.array(heights))
        enough = [score["enough"] for score in scores].index(True)
        self._enough.setData([sizes[enough]], [losses[enough]])

    def show_present(self, size: int) -> None:
        """Mark the size that is set."""
        self._present.setValue(size)

    def recolour(self) -> None:
        """Draw the curve like text, and the size that is enough in colour."""
        super().recolour()
        colour, other, *_ = self.colours
        self._curve.setPen(self.ink, width=2)
        self._curve.setSymbolBrush(self.ink)
        self._bars.setData(pen=self.ink)
        self._enough.setSymbolBrush(colour)
        self._present.setPen(other, width=1, style=Qt.PenStyle.DashLine)
        self.legend.setText(
            " &nbsp; ".join((
                legend_entry(colour, "enough", POINT), legend_entry(other, "present size", DASHED)
            ))
        )  # fmt: skip
        self.legend.show()
