"""A part of a dock that is made when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from qtpy.QtWidgets import QWidget

from .layouts import column

_Part = TypeVar("_Part", bound=QWidget)


class Later(QWidget, Generic[_Part]):
    """Keeps the place of a part whose making takes long; takes no room without it.

    Parameters
    ----------
    make : callable
        Returns the part.
    """

    def __init__(self, make: Callable[[], _Part]) -> None:
        super().__init__()
        self._make = make
        self.made: _Part | None = None
        """The part, if it was wanted yet."""
        self._place = column(self)
        self.hide()

    @property
    def part(self) -> _Part:
        """The part; made now, if it was not wanted before."""
        if self.made is None:
            self.made = self._make()
            self._place.addWidget(self.made)
        return self.made
