"""The chart of the partition sizes, and the switch that asks for it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QPushButton, QWidget

from ..figures.words import sizes_reading
from ..partition import Partition
from .form.prose import Prose
from .later import Later
from .layouts import column
from .plots.sizes import SizesPlot

_TOOLTIP = (
    "Predict the middle of the view with each partition size, and show how well that goes:\n"
    "which size is enough, and what a smaller or larger one costs. Takes some ten seconds."
)


class SizesPanel(QWidget):
    """Shows the scores of all partition sizes while its switch is on; the owner places that."""

    requested = Signal()
    """Scores are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.switch = QPushButton("Compare sizes")
        self.switch.setCheckable(True)
        self._plot = Later(SizesPlot)
        self._size = 0
        self.reading = Prose()
        self._kind = ""
        column(self, self._plot, self.reading)
        self.switch.clicked.connect(self._on_click)
        self.hide()

    @property
    def plot(self) -> SizesPlot:
        """The chart."""
        return self._plot.part

    def show_scores(self, figures: dict[str, Any]) -> None:
        """Show the scores that were asked for; see `SizesTask`."""
        self._kind = figures["partition"]
        self.plot.show_sizes(figures)
        self.plot.show_present(self._size)
        self._plot.show()
        self.reading.say(sizes_reading(figures))
        self.switch.setChecked(True)
        self.show()

    def clear(self, event: object = None) -> None:
        """Hide scores, which belong to another image by now; or there are none."""
        self.switch.setChecked(False)
        self.hide()

    def follow(self, partition: Partition) -> None:
        """Mark the present size; scores of another kind of partition say nothing of it."""
        self._size = partition.size
        if self._plot.made is not None:
            self.plot.show_present(self._size)
        if not self.isHidden() and partition.kind != self._kind:
            self.clear()

    def refresh(self, hindrance: str) -> None:
        """Enable the switch, or say why it can't work."""
        self.switch.setEnabled(not hindrance)
        self.switch.setToolTip(hindrance or _TOOLTIP)

    def _on_click(self, on: bool) -> None:
        if on:
            self.requested.emit()
        else:
            self.clear()
