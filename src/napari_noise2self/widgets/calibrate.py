"""The dock of the classics: calibrate them on an image, see the curves, get the best result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.words import CLASSICS, calibration_summary, classic_name, curve_reading
from ..settings import Settings
from .dock import Dock, State
from .form.editors import Choice
from .form.image_choice import image_choice
from .form.prose import Prose
from .later import Later
from .layers.source import Source
from .plots.curve import CurvePlot
from .tasks.calibrate import CalibrateTask
from .tasks.task import Outcome

if TYPE_CHECKING:
    from napari.viewer import Viewer

_CLEAN_TOOLTIP = (
    "If you have the same image without noise, the plot shows the true errors, too:\n"
    "their minimum should fall where that of the donut's loss does. It changes nothing else."
)


class CalibrateWidget(Dock):
    """Calibrates the classic filters on an image layer and adds the best one's image.

    Parameters
    ----------
    napari_viewer : Viewer
        Where the images are; napari passes it by the name of this parameter.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(
            napari_viewer,
            "Calibrate && denoise",
            "Find the best classic filter and its strength by hiding pixels, and denoise with it.",
        )
        self._curves: dict[str, dict[str, Any]] = {}
        self.clean = image_choice(napari_viewer, _CLEAN_TOOLTIP, nullable=True)
        self.methods = Choice(CLASSICS)
        self.methods.setAccessibleName("Filter")
        self.methods.setToolTip("Whose curves to show.")
        self.methods.hide()
        self._plot = Later(CurvePlot)
        self.reading = Prose()
        self._lay_out(
            [("Image", self.images.native), ("Clean image", self.clean.native)],
            [
                self.start_button,
                self.progress,
                self.status,
                self.methods,
                self._plot,
                self.reading,
            ],
        )
        self.methods.changed.connect(self._show_curve)
        self.reset_choices()
        self._choose_active_image()

    @property
    def plot(self) -> CurvePlot:
        """The curves."""
        return self._plot.part

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers; napari calls this when they change."""
        self.clean.reset_choices(event)
        super().reset_choices(event)

    def start(self) -> None:
        """Calibrate the classics on the chosen image, then denoise it with the best."""
        layer = self.images.value
        if layer is None or self._job is not None:
            return
        source = Source.capture(layer, self._viewer.dims)
        clean = None if self.clean.value is None else Source.capture(self.clean.value).data
        task = CalibrateTask(source.name, source.data, source.axes, Settings(), clean)
        for part in (self.methods, self._plot, self.reading):
            part.hide()
        self.progress.begin()
        self.status.say(f"{source.name}: {source.planes}")
        self._begin(source, task, State.CALIBRATING, self._on_success, self._on_calibrated)

    def _on_calibrated(self, figures: dict[str, Any]) -> None:
        self._curves = {curve["method"]: curve for curve in figures["curves"]}
        best = figures["method"]
        names = {method: _capital(classic_name(method)) for method in self._curves}
        self.methods.offer({**names, best: f"{names[best]} (best)"}, best)
        self._show_curve(best)
        self.methods.show()
        self._plot.show()

    def _show_curve(self, method: str) -> None:
        self.plot.show_curve(self._curves[method])
        self.reading.say(curve_reading(self._curves[method]))

    def _on_success(self, outcome: Outcome) -> None:
        seconds = self._seconds
        job = self._finish()
        suffix = classic_name(outcome.figures["method"])
        layer = job.source.result_layer(outcome, suffix)
        self._viewer.add_layer(layer)
        self.status.say(calibration_summary(outcome.figures, layer.name, seconds))

    def _refresh(self) -> None:
        super()._refresh()
        self.clean.enabled = self._state is State.IDLE


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
