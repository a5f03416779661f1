"""The plane on view as something else, computed in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QPushButton

from .job import Job
from .layers.plane_layer import PlaneLayer
from .layers.source import Source
from .tasks.plane import PlaneTask

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LOOK = ("colormap", "contrast_limits", "gamma")


class ComputedPlane(QObject):
    """Shows what a task makes of a plane; of many wishes only the latest is worked on.

    Parameters
    ----------
    viewer : Viewer
        Where it is shown.
    suffix : str
        Of the layer's name.
    parent : QObject
        Owns it.
    """

    lost = Signal()
    """There is nothing to see: the user took the layer away, or it could not be computed."""

    def __init__(self, viewer: Viewer, suffix: str, parent: QObject) -> None:
        super().__init__(parent)
        self._shown = PlaneLayer(viewer, suffix, self)
        self._shown.lost.connect(self._on_lost)
        self._job: Job | None = None
        self._where: object = None
        self._wish: object = None
        self._data: Any = None

    def show(self, source: Source, task: PlaneTask) -> None:
        """Compute the plane, and show it over its source when it is there."""
        where = (source.layer, source.axes, task.number)
        wish = (where, task.wish)
        if wish == self._wish and source.data is self._data:
            return
        self._cancel()
        if where != self._where:
            self._shown.fade()  # it shows another plane
        self._where, self._wish, self._data = where, wish, source.data
        self._job = job = Job(source, task, self)
        job.shown.connect(self._on_shown)
        job.succeeded.connect(self._on_success)
        job.failed.connect(self._on_failure)
        job.ended.connect(self._on_end)
        job.start()

    def dismiss(self) -> None:
        """Hide it, and take it away a moment later."""
        self._cancel()
        self._shown.dismiss()

    def remove(self) -> None:
        """Take it away at once."""
        self._cancel()
        self._shown.remove()

    def _on_shown(self, plane: NDArray[Any]) -> None:
        assert self._job is not None
        self._show(self._job.source, plane)

    def _on_success(self, plane: NDArray[Any]) -> None:
        job, self._job = self._job, None  # first: to show it may bring another wish
        assert job is not None
        job.cancel()
        self._show(job.source, plane)

    def _show(self, source: Source, plane: NDArray[Any]) -> None:
        self._shown.show(source, plane, **{name: source.look[name] for name in _LOOK})

    def _on_failure(self, error: Exception) -> None:
        show_error(str(error))
        self._on_end()

    def _on_end(self) -> None:
        """Come to an end without a plane: napari may have cancelled the job from its own list."""
        self.dismiss()
        self.lost.emit()

    def _on_lost(self) -> None:
        self._cancel()
        self.lost.emit()

    def _cancel(self) -> None:
        """Wish for nothing."""
        self._wish = self._data = None
        if self._job is not None:
            self._job.cancel()
            self._job = None


class PlaneSwitch(QPushButton):
    """A button with a computed plane, which can be seen only while the button is down.

    Parameters
    ----------
    text : str
        On the button.
    viewer, suffix
        As of `ComputedPlane`.
    """

    wanted = Signal()

    def __init__(self, text: str, viewer: Viewer, suffix: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.plane = ComputedPlane(viewer, suffix, self)
        self.plane.lost.connect(self.off)
        self.toggled.connect(self._on_toggle)

    def off(self) -> None:
        """Let it come up."""
        self.setChecked(False)

    def _on_toggle(self, on: bool) -> None:
        if on:
            self.wanted.emit()
        else:
            self.plane.dismiss()
