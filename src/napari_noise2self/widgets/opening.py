"""Docks that open in steps, between which the window lives.

napari makes a dock, lays it out and shows it in one go. What it gets here is empty, and hidden till
all that belongs there is loaded and made: so the dock is laid out, and seen, once and as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from .layers.transient import when_drawn
from .layouts import column
from .plots.plot import load_plots

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Opening(QWidget):
    """What napari docks: it takes in the dock proper as soon as that is made.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the images are; napari passes it by the name of this parameter.
    """

    _modules: ClassVar[tuple[str, ...]]
    """Each is loaded in a step of its own; the last has the dock."""
    _class: ClassVar[str]
    """Name of the dock's class."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._dock: Any = None
        self._steps = self._open()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)
        self._timer.start()
        self._unseen: QTimer | None = when_drawn(self, load_plots)

    @property
    def dock(self) -> Any:
        """The dock proper; whoever asks for it before it is made waits for that."""
        while self._timer.isActive():
            self._step()
        return self._dock

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers; napari calls this when they change."""
        if self._dock is not None:
            self._dock.reset_choices(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Hide till there is something to see, and leave when closed; called by Qt."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        if self.parent() is None:  # napari takes it out of what it closes
            self._leave()
        elif self._timer.isActive():
            self._frame.hide()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Load what plots need as soon as the dock is seen; called by Qt."""
        super().paintEvent(event)
        if self._unseen is not None and self._dock is not None:
            self._unseen.start()
            self._unseen = None

    def _step(self) -> None:
        """Do the next step; if it fails, no empty dock is left, and napari tells the error."""
        try:
            done = next(self._steps, self) is self
        except Exception:
            self._close()
            raise
        if done:
            self._timer.stop()

    def _open(self) -> Iterator[None]:
        """Load, make and show the dock."""
        for name in self._modules:
            module = import_module(f"{__package__}.{name}")
            yield
        self._dock = getattr(module, self._class)(self._viewer)
        yield
        column(self, self._dock)  # which napari's style sheet now dresses
        yield
        self._frame.show()
        self._make_room()

    @property
    def _frame(self) -> QWidget:
        """What is shown and hidden: napari's, which has a title."""
        frame = self.parent()
        return frame if isinstance(frame, QDockWidget) else self

    def _make_room(self) -> None:
        """Push docks above together as napari does; it knew this one only while hidden."""
        frame, window = self._frame, self._frame.parent()
        if isinstance(frame, QDockWidget) and isinstance(window, QMainWindow):
            area = window.dockWidgetArea(frame)
            docks = [
                dock
                for dock in window.findChildren(QDockWidget)
                if window.dockWidgetArea(dock) == area
            ]
            sizes = range(1, 4 * len(docks), 4)  # whichever of them is whole first
            window.resizeDocks(docks, list(sizes), Qt.Orientation.Vertical)

    def _close(self) -> None:
        """Take out of the window what will never be whole."""
        self._timer.stop()
        if isinstance(self._frame, QDockWidget):
            self._viewer.window.remove_dock_widget(self._frame)

    def _leave(self) -> None:
        """Leave nothing behind."""
        self._timer.stop()
        if self._dock is not None:
            self._dock.leave()
        for name in ("inserted", "removed", "reordered", "renamed"):  # as napari connected them
            getattr(self._viewer.layers.events, name).disconnect(self.reset_choices)


class DenoiseOpening(Opening):
    """Opens the dock that denoises."""

    _modules = ("dock", "form.settings_form", "hidden_pixels", "results_dock", "denoise")
    _class = "DenoiseWidget"

    def _open(self) -> Iterator[None]:
        """Load, make and show the dock; first napari makes a model of its preferences, once."""
        from .form.preferences import Preferences

        Preferences()
        yield
        yield from super()._open()


class CalibrateOpening(Opening):
    """Opens the dock of the classics."""

    _modules = ("dock", "form.editors", "calibrate")
    _class = "CalibrateWidget"
