"""The model in hand, and the buttons that apply, train, save and load it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from .form.prose import as_tooltip

SUFFIX = ".safetensors"
_FILTER = f"Trained models (*{SUFFIX})"
_NO_MODEL = "There is no model yet; train one, or load one from a file."
BUSY = "The dock is at work; wait for it, or cancel it."
_LOAD_LATER = f"{BUSY}\nThen you can also drop the file on the window."


@dataclass(frozen=True)
class Model:
    """A trained model that widgets hand on without looking into it.

    Parameters
    ----------
    denoiser : Denoiser
        As it came from a task.
    name : str
        Of the image it was trained on, or of its file.
    path : str, optional
        Of its file; None if it is in none.
    """

    denoiser: object
    name: str
    path: str | None = None

    @property
    def origin(self) -> dict[str, str | None]:
        """What a result's metadata say of it."""
        return {"name": self.name, "path": self.path}


class ModelRow(QWidget):
    """Buttons for the model in hand, and for the code of a result."""

    apply_requested = Signal()
    continue_requested = Signal()
    save_requested = Signal(str, bool)
    """The path, and whether the user has agreed to overwrite it."""
    load_requested = Signal(str)
    """The path."""
    copy_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.model: Model | None = None
        self.apply = QPushButton("Apply model")
        self.continue_training = QPushButton("Continue training")
        self.save = QPushButton("Save…")
        self.load = QPushButton("Load…")
        self.copy = QPushButton("Copy as Python")
        # docks take their least width before napari's style has made the buttons narrow
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._lay_out((self.apply, self.continue_training), (self.save, self.load, self.copy))
        self.apply.clicked.connect(self.apply_requested)
        self.continue_training.clicked.connect(self.continue_requested)
        self.save.clicked.connect(self._ask_where_to_save)
        self.load.clicked.connect(self._ask_what_to_load)
        self.copy.clicked.connect(self.copy_requested)

    def refresh(self, *, idle: bool, image: bool, no_copy: str) -> None:
        """Enable what can work now, and say why the rest can't.

        Parameters
        ----------
        idle : bool
            Whether the dock can begin a job.
        image : bool
            Whether there is an image to denoise.
        no_copy : str
            Why there is no code to copy; empty if there is.
        """
        name = "" if self.model is None else self.model.name
        no_model = "" if name else _NO_MODEL
        no_image = "" if image else "There is no image layer; open an image first."
        busy = "" if idle else BUSY
        for button, hindrance, tooltip in (
            (self.apply, busy or no_model or no_image, f"Denoise the image with model {name!r}."),
            (
                self.continue_training,
                busy or no_model or no_image,
                f"Train model {name!r} on the image for as long again as the preset says, then\n"
                "denoise the image with it.",
            ),
            (self.save, busy or no_model, f"Keep model {name!r} in a file."),
            (
                self.load,
                busy and _LOAD_LATER,
                "Take a model from a file; or drop it on the window.",
            ),
            (self.copy, no_copy, "Copy the Python code that gives the pixels of the result again."),
        ):
            button.setEnabled(not hindrance)
            button.setToolTip(as_tooltip(hindrance or tooltip))

    def _lay_out(self, *rows: Sequence[QPushButton]) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for buttons in rows:
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            column.addLayout(row)

    def _ask_where_to_save(self) -> None:
        assert self.model is not None
        name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", self.model.name).removesuffix(SUFFIX)
        path, _ = QFileDialog.getSaveFileName(self, "Save the model", name + SUFFIX, _FILTER)
        if path:
            asked = path.endswith(SUFFIX)  # else the dialog has asked of another file
            self.save_requested.emit(str(Path(path if asked else path + SUFFIX)), asked)

    def _ask_what_to_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a model", "", _FILTER)
        if path:
            self.load_requested.emit(str(Path(path)))
