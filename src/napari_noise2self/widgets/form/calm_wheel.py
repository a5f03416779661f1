"""Widgets that change only when they are meant, not when one scrolls past them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget


class CalmWheel(QObject):
    """Gives the mouse wheel to a widget only after a click; before, it scrolls the dock.

    Parameters
    ----------
    widget : QWidget
        What to calm.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Pass the wheel on to whatever scrolls; called by Qt."""
        calm = isinstance(watched, QWidget) and not watched.hasFocus()
        if event.type() == QEvent.Type.Wheel and calm:
            event.ignore()
            return True
        return False
