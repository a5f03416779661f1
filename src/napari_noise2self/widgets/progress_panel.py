"""How far a job is, when it will be done, and the buttons that end it."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from ..progress import Progress
from .loss_plot import LossPlot
from .words import duration

_STAGES = {"training": "Training", "predicting": "Denoising", "calibrating": "Calibrating"}


class ProgressPanel(QWidget):
    """Shows `Progress` reports, and asks to stop or to cancel."""

    stop_requested = Signal()
    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.stage = QLabel()
        self.time_left = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.stop = QPushButton("Stop and keep the best")
        self.cancel = QPushButton("Cancel")
        self.plot = LossPlot()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stage, 0, 0)
        layout.addWidget(self.time_left, 0, 1)
        layout.addWidget(self.bar, 1, 0, 1, 2)
        layout.addWidget(self.stop, 2, 0)
        layout.addWidget(self.cancel, 2, 1)
        layout.addWidget(self.plot, 3, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self.stop.clicked.connect(self.stop_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.cancel.setToolTip("End the job without a result.")
        self._total = 0
        self._running = (self.stage, self.time_left, self.bar, self.stop, self.cancel)
        self.hide()

    def begin(self) -> None:
        """Show a job that has not reported yet."""
        self.stage.setText("Getting ready")
        self.time_left.setText("")
        self._total = 0
        self.bar.setRange(0, 0)  # moves without saying how far
        self.plot.clear()
        for part in self._running:
            part.show()
        self.show()

    def end(self) -> None:
        """Leave only the curve in view, if there is one."""
        for part in self._running:
            part.hide()
        self.setVisible(bool(self.plot.points))

    def show_progress(self, progress: Progress) -> None:
        """Show one report."""
        stage = _STAGES[progress.stage]
        steps = f": step {progress.done:,} of {progress.total:,}"
        self.stage.setText(stage + (steps if progress.stage == "training" else ""))
        self.time_left.setText(f"{duration(progress.seconds_left)} left")
        if progress.total != self._total:
            self._total = progress.total
            self.bar.setRange(0, max(1, progress.total))
        self.bar.setValue(progress.done)
        if progress.held_out_loss is not None:
            self.plot.add(progress.done, progress.held_out_loss)
