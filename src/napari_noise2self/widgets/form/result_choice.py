"""The combo box of the results."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

from .calm_wheel import CalmWheel


class ResultChoice(QComboBox):
    """Names, with what there is to say of each in the open list."""

    def __init__(self) -> None:
        super().__init__()
        CalmWheel(self)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def short_name(self, room: int) -> str:
        """Return the name chosen, with dots in its middle where the room is too little."""
        middle = Qt.TextElideMode.ElideMiddle
        return str(self.fontMetrics().elidedText(self.currentData() or "", middle, room))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the closed list, with as much of the name as there is room for; called by Qt."""
        option, painter = QStyleOptionComboBox(), QStylePainter(self)
        self.initStyleOption(option)
        control, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, field, self).width()
        option.currentText = self.short_name(room)
        painter.drawComplexControl(control, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
