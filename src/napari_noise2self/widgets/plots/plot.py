"""A plot that looks like the window around it, in a light theme as in a dark one."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QPalette, QShowEvent
from qtpy.QtWidgets import QLabel, QWidget

from ..layouts import column

# told apart by colour-blind people, too
_ON_DARK = ("#56b4e9", "#e69f00", "#00c08b", "#f0e442", "#e08cc0")
_ON_LIGHT = ("#0072b2", "#b85c00", "#00805c", "#7a6a00", "#a03c7c")

SOLID, DASHED, DOTTED, POINT = "━━", "╍╍", "····", "●"
"""Signs of a legend."""


def load_plots() -> None:
    """Load what draws plots, in a moment when nobody waits for it.

    In the main thread: loaded in another, pyqtgraph may crash Qt.
    """
    import pyqtgraph  # noqa: F401


class Plot(QWidget):
    """Axes with labels, a legend below them, and colours that follow the theme.

    Parameters
    ----------
    bottom, left : str
        Labels of the axes.
    height : int
        Of the axes, in pixels.
    """

    def __init__(self, bottom: str, left: str, height: int = 160) -> None:
        import pyqtgraph as pg

        super().__init__()
        self._drawn_in: QColor | None = None
        self._axes = pg.PlotWidget(background=None, enableMenu=False)
        self._axes.setFixedHeight(height)
        self._axes.setMouseEnabled(x=False, y=False)
        self._axes.hideButtons()
        for part in (self._axes, self._axes.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do with keys
        self._axes.setCacheMode(self._axes.CacheModeFlag.CacheNone)  # else it is of an old theme
        for side, text in (("bottom", bottom), ("left", left)):
            self._axes.getAxis(side).enableAutoSIPrefix(False)  # 0.6, not 600 times 0.001
            self.label(side, text)
        item = self._axes.getPlotItem()
        item.layout.setContentsMargins(0, 8, 8, 6)  # else labels are cut
        item.ctrlMenu.setParent(self)  # else it would outlive the plot
        item.ctrlMenu.hide()  # else it would be shown with its parent
        self.legend = QLabel()
        self.legend.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.legend.setWordWrap(True)
        self.legend.hide()
        column(self, self._axes, self.legend).setSpacing(0)

    def label(self, side: str, text: str) -> None:
        """Write the label of the axis on a side."""
        self._axes.setLabel(side, text)
        self._axes.getAxis(side).resizeEvent()  # else a new label is not centred

    def line(self, **options: Any) -> Any:
        """Add a line without points."""
        return self._axes.plot(antialias=True, **options)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme; called by Qt."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._follow()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Follow the theme; called by Qt."""
        super().showEvent(event)
        self._follow()

    def _follow(self) -> None:
        """Draw anew if the colours around are others: not what is closed, and loses its style."""
        if self.isVisible() and self.ink != self._drawn_in:
            self.recolour()

    def recolour(self) -> None:
        """Draw in the colour of the text around, on its background."""
        self._drawn_in = self.ink
        for side in ("bottom", "left"):
            axis = self._axes.getAxis(side)
            axis.setPen(self.ink)
            axis.setTextPen(self.ink)

    @property
    def ink(self) -> QColor:
        """The colour of the text around."""
        return self.palette().color(QPalette.ColorRole.WindowText)

    @property
    def colours(self) -> tuple[str, ...]:
        """Five colours for lines, besides the ink."""
        return _ON_DARK if self.ink.lightness() > 127 else _ON_LIGHT


def legend_entry(colour: str, text: str, sign: str = SOLID) -> str:
    """Return one entry of a legend as rich text."""
    return f'<span style="white-space: nowrap"><font color="{colour}">{sign}</font> {text}</span>'
