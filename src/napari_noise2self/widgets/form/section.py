"""A part of a dock that is folded away until it is wanted."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QPushButton, QWidget

from ..layouts import column


class Section(QWidget):
    """Shows its content when its title is clicked, and hides it at the next click.

    Parameters
    ----------
    title : str
        What the user reads, folded or not.
    content : QWidget
        What is folded away.
    """

    folded = Signal()
    """Folded away, or not any more."""

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title, self._content = title, content
        self.header = QPushButton()
        self.header.setStyleSheet("text-align: left")
        column(self, self.header, content)
        self.header.clicked.connect(self._toggle)
        self.unfold(wanted=False)

    @property
    def unfolded(self) -> bool:
        """Whether the content is in view."""
        return not self._content.isHidden()

    def unfold(self, *, wanted: bool = True) -> None:
        """Show the content, or fold it away."""
        # an arrow of text follows the theme; those of superqt's QCollapsible stay black
        self.header.setText(f"{'▾' if wanted else '▸'}  {self._title}")
        self._content.setVisible(wanted)
        self.folded.emit()

    def _toggle(self) -> None:
        self.unfold(wanted=not self.unfolded)
