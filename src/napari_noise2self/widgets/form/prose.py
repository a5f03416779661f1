"""A label for sentences."""

from __future__ import annotations

import re
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

_WIDEST = 36  # characters of a word that the narrowest dock has room for
_WORD = re.compile(r"[^\s/-]+(?:[/-]\d[^\s/-]*)*")  # Qt breaks lines after / and - before letters


class Prose(QLabel):
    """Sentences that wrap, can be copied, and take no room where there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._sentences = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)  # whatever the user calls a layer
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()

    def say(self, sentences: str) -> None:
        """Show some sentences, or nothing; of words that are too long for the dock, both ends."""
        self._sentences = sentences
        short = _WORD.sub(self._in_short, sentences)
        self.setText(short)
        self.setToolTip("" if short == sentences else as_tooltip(sentences))
        self.setAccessibleName(sentences)
        self.setVisible(bool(sentences))

    def text(self) -> str:
        """Return the sentences, with all words in full."""
        return self._sentences

    def _in_short(self, word: re.Match[str]) -> str:
        metrics, middle = self.fontMetrics(), Qt.TextElideMode.ElideMiddle
        return str(metrics.elidedText(word[0], middle, _WIDEST * metrics.averageCharWidth()))


def as_tooltip(sentences: str) -> str:
    """Return sentences as a tooltip, which takes no name for markup."""
    return f"<qt>{escape(sentences, quote=False)}</qt>".replace("\n", "<br>")
