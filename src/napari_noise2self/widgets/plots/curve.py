"""Loss against strength of a classic filter: the figure of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt

from .plot import DASHED, SOLID, Plot, legend_entry

_SERIES = {
    "donut_losses": "donut",
    "filter_losses": "ordinary filter",
    "donut_errors": "donut, true error",
    "filter_errors": "ordinary filter, true error",
}
_HEIGHT = 260


class CurvePlot(Plot):
    """Curves of the donut and of the ordinary filter, with the minimum of each marked."""

    def __init__(self) -> None:
        super().__init__("", "loss (noise variances)", _HEIGHT)
        self.setToolTip(
            "Loss: mean squared distance from the noisy pixels, in units of the noise variance.\n"
            "The donut predicts each pixel without seeing it, the ordinary filter sees it.\n"
            "True error: the distance from the clean image. Points mark the minima;\n"
            "the dotted line is at that of the donut's loss: the strength that is chosen."
        )
        self._lines = {name: self.line() for name in _SERIES}
        self._minima = {
            name: self.line(pen=None, symbol="o", symbolSize=11, symbolPen=None) for name in _SERIES
        }
        self._best = self._axes.addLine(x=0)
        self._best.hide()
        self._shown: tuple[str, ...] = ()
        self.recolour()

    def show_curve(self, curve: dict[str, Any]) -> None:
        """Show the curves of a classic.

        Parameters
        ----------
        curve : dict
            What `Curve.to_dict` returned.
        """
        self.label("bottom", curve["quantity"])
        self._best.setValue(curve["best"])
        self._best.show()
        self._shown = tuple(name for name in _SERIES if curve[name])
        for name in _SERIES:
            self._lines[name].setData(*_points(curve["strengths"], curve[name]))
            self._minima[name].setData(*minimum(curve["strengths"], curve[name]))
        self.recolour()

    @property
    def minima(self) -> dict[str, tuple[float, float]]:
        """Strength and value of each minimum shown, by the name of its series."""
        points = {name: self._minima[name].getData() for name in self._shown}
        return {name: (float(x[0]), float(y[0])) for name, (x, y) in points.items()}

    def recolour(self) -> None:
        """Draw the donut in one colour and the ordinary filter in another; errors dashed."""
        super().recolour()
        donut, ordinary, *_ = self.colours
        self._best.setPen(donut, width=1, style=Qt.PenStyle.DotLine)
        entries: dict[bool, list[str]] = {False: [], True: []}
        for name, text in _SERIES.items():
            colour = donut if name.startswith("donut") else ordinary
            dashed = name.endswith("errors")
            style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
            self._lines[name].setPen(colour, width=2, style=style)
            self._minima[name].setSymbolBrush(colour)
            if name in self._shown:
                entries[dashed].append(legend_entry(colour, text, DASHED if dashed else SOLID))
        rows = [" &nbsp; ".join(row) for row in entries.values() if row]
        self.legend.setText("<br>".join(rows))
        self.legend.setVisible(bool(rows))


def _points(
    strengths: Sequence[float], values: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the points of a curve; none where its values are not known."""
    return (strengths, values) if values else ((), ())


def minimum(
    strengths: Sequence[float], values: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the lowest point of a curve; none where its values are not known."""
    if not values:
        return (), ()
    least = min(values)
    return (strengths[values.index(least)],), (least,)
