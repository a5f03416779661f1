"""A label for sentences."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


class Prose(QLabel):
    """Sentences that wrap, can be copied, and take no room where there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def say(self, sentences: str) -> None:
        """Show some sentences, or nothing."""
        self.setText(sentences)
        self.setVisible(bool(sentences))
