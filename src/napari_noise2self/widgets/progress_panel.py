"""How far a job is, when it will be done, and the buttons that end it."""

from __future__ import annotations

import math

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from ..figures.words import time_left
from ..progress import Progress

_STAGES = {
    "training": "Training",
    "predicting": "Denoising",
    "calibrating": "Calibrating classic filters",
}
_PAUSED = "Paused: "


class ProgressPanel(QWidget):
    """Shows `Progress` reports, and asks to pause, to stop or to cancel."""

    pause_requested = Signal(bool)
    """To rest, or to go on."""
    stop_requested = Signal()
    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.stage = QLabel()
        self.time_left = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.stop = QPushButton("Stop and keep the best")
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.cancel = QPushButton("Cancel")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stage, 0, 0)
        layout.addWidget(self.time_left, 0, 1, 1, 2)
        layout.addWidget(self.bar, 1, 0, 1, 3)
        layout.addWidget(self.stop, 2, 0)
        layout.addWidget(self.pause, 2, 1)
        layout.addWidget(self.cancel, 2, 2)
        layout.setColumnStretch(0, 1)
        self.pause.toggled.connect(self.pause_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.cancel.setToolTip("End the job without a result.")
        self._doing, self._total = "", 0
        self.hide()

    def begin(self, doing: str = "", *, stoppable: bool = False) -> None:
        """Show a job that has not reported yet.

        Parameters
        ----------
        doing : str
            What the user reads in all stages of the job; if empty, what each of them does.
        stoppable : bool
            Whether the job has a result when it is stopped early.
        """
        self._doing = doing
        self.stage.setText(doing or "Getting ready")
        self.time_left.setText("")
        self._total = 0
        self.bar.setRange(0, 0)  # moves without saying how far
        self.stop.setVisible(stoppable)
        self.pause.setVisible(stoppable)
        self.pause.setChecked(False)
        self.show()

    def end(self) -> None:
        """Take no room any more."""
        self.hide()

    def rest(self, resting: bool) -> None:
        """Show that the job rests, or goes on."""
        self.pause.setText("Go on" if resting else "Pause")
        stage = self.stage.text().removeprefix(_PAUSED)
        self.stage.setText(_PAUSED + stage if resting else stage)
        self.time_left.setText("")

    def show_progress(self, progress: Progress) -> None:
        """Show one report."""
        stage = self._doing or _STAGES[progress.stage]
        if progress.stage == "training":
            stage += f": step {progress.done:,} of {progress.total:,}"
        self.stage.setText(_PAUSED + stage if self.pause.isChecked() else stage)
        known = math.isfinite(progress.seconds_left)
        self.time_left.setText(time_left(progress) if known else "")
        total = max(1, progress.total) if known else 0  # 0 moves without saying how far
        if total != self._total:
            self._total = total
            self.bar.setRange(0, total)
        self.bar.setValue(progress.done)
