"""The form of all settings: it shows a `Settings`, and gives back the one it shows."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..settings import BUDGETS, DEFAULT_PARTITION_SIZE, PartitionKind, Settings
from .editors import Buttons, Choice, Editor, Fraction, Switch, Whole

_PARTITION_SIZES: dict[str, tuple[int, int]] = {"grid": (2, 10), "random": (2, 400)}
_PRESETS = {
    "fast": "A first look",
    "balanced": "Right for most images",
    "best": "For the final result",
}
_FROM_PRESET = "from preset"


class SettingsForm(QWidget):
    """Edits all settings; the owner places the preset's editor, `preset`, where it wants.

    Parameters
    ----------
    settings : Settings, optional
        To show at first; the defaults if None.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.preset = PresetBox()
        self._sizes = dict(DEFAULT_PARTITION_SIZE)
        self._kind: PartitionKind = "grid"
        self._editors: dict[str, Editor] = {"preset": self.preset.buttons}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        basics = self._add_rows(_basic_rows())
        layout.addWidget(basics)
        self.advanced = Section("Advanced", self._add_rows(_advanced_rows()))
        layout.addWidget(self.advanced)
        self.editor("partition").changed.connect(self._on_partition)
        self.set_settings(settings or Settings())

    @property
    def settings(self) -> Settings:
        """The settings shown."""
        return Settings.from_dict({name: row.get() for name, row in self._editors.items()})

    def set_settings(self, settings: Settings) -> None:
        """Show other settings."""
        values = settings.to_dict() | {"partition_size": settings.subsets_parameter}
        # in the order of the fields: the partition comes before its size, whose limits it sets
        for name, value in values.items():
            self._editors[name].put(value)

    def editor(self, name: str) -> Any:
        """Return the editor of a setting."""
        return self._editors[name]

    def _add_rows(self, rows: list[tuple[str, str, str, Any]]) -> QWidget:
        """Lay out rows of name, label, tooltip and editor."""
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, label, tooltip, editor in rows:
            caption = QLabel(label)
            caption.setToolTip(tooltip)
            editor.setToolTip(tooltip)
            editor.setObjectName(name)
            form.addRow(caption, editor)
            self._editors[name] = editor
        return box

    def _on_partition(self, kind: PartitionKind) -> None:
        """Give the size the limits of the kind, and the number it had there last."""
        size = self.editor("partition_size")
        self._sizes[self._kind] = size.get()
        self._kind = kind
        size.setRange(*_PARTITION_SIZES[kind])
        size.put(self._sizes[kind])


class Section(QWidget):
    """A part of a form that is folded away until its title is clicked.

    Parameters
    ----------
    title : str
        What the user reads, folded or not.
    content : QWidget
        What is folded away.
    """

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title, self._content = title, content
        self.header = QPushButton()
        self.header.setCheckable(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.header)
        layout.addWidget(content)
        self.header.toggled.connect(self._fold)
        self._fold(unfolded=False)

    def _fold(self, unfolded: bool) -> None:
        # an arrow of text follows the theme; those of superqt's QCollapsible stay black
        self.header.setText(f"{'▾' if unfolded else '▸'}  {self._title}")
        self._content.setVisible(unfolded)


class PresetBox(QWidget):
    """The preset as three buttons, with a line that says what it means."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons = Buttons({name: name.capitalize() for name in BUDGETS})
        self.buttons.setObjectName("preset")
        self.buttons.setToolTip("How much time to spend: more training gives a better image.")
        self._explanation = QLabel()
        self._explanation.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.buttons)
        layout.addWidget(self._explanation)
        self.buttons.changed.connect(self._explain)
        self._explain(self.buttons.get())

    def _explain(self, preset: str) -> None:
        budget = BUDGETS[preset]
        self._explanation.setText(
            f"{_PRESETS[preset]}: {budget.max_steps:,} steps, at most {budget.max_seconds:.0f} s"
        )


def _basic_rows() -> list[tuple[str, str, str, Any]]:
    """Return name, label, tooltip and editor of the settings that are always in view."""
    return [
        (
            "partition",
            "Partition",
            "How the pixels are split into subsets that are hidden together.\n"
            "The network learns to guess hidden pixels from the visible ones around them.",
            Choice({"grid": "Grid", "random": "Random"}),
        ),
        (
            "partition_size",
            "Partition size",
            "Grid: one pixel in every square of this side is hidden at a time.\n"
            "Random: the number of subsets.\n"
            "Larger hides fewer pixels at once, and takes longer at the end.",
            Whole(*_PARTITION_SIZES["grid"]),
        ),
        (
            "device",
            "Device",
            "Where to compute. A graphics card (GPU) is many times faster.",
            Choice(
                {
                    "auto": "Auto (GPU if there is one)",
                    "cpu": "CPU",
                    "cuda": "CUDA (NVIDIA, AMD)",
                    "mps": "MPS (Apple)",
                }
            ),
        ),
    ]


def _advanced_rows() -> list[tuple[str, str, str, Any]]:
    """Return name, label, tooltip and editor of the other settings."""
    return [
        (
            "prediction",
            "Prediction",
            "Posterior: the network's guess mixed with the noisy pixel itself; the best image.\n"
            "J-invariant: the guess alone, which never saw the pixel.\n"
            "Single pass: all pixels visible; fastest, but some noise may come through.",
            Choice(
                {
                    "posterior": "Posterior",
                    "j-invariant": "J-invariant",
                    "single-pass": "Single pass",
                }
            ),
        ),
        (
            "fill",
            "Fill",
            "What stands in place of hidden pixels: the mean of their neighbours, or zero.",
            Choice({"interpolate": "Interpolate", "zero": "Zero"}),
        ),
        (
            "network",
            "Network",
            "UNet sees far and is right for most images; DnCNN looks at small surroundings.",
            Choice({"unet": "UNet", "dncnn": "DnCNN"}),
        ),
        (
            "width",
            "Width",
            "How many features the network looks for: more is finer, slower, and needs memory.",
            Whole(4, 256),
        ),
        (
            "depth",
            "Depth",
            "How many times a UNet halves the image (auto: 2), or layers of a DnCNN (auto: 8).",
            Whole(1, 20, none="auto"),
        ),
        (
            "patch_size",
            "Patch size",
            "Side in pixels of the pieces of the image that the network learns from.",
            Whole(16, 512),
        ),
        (
            "batch_size",
            "Batch size",
            "How many pieces it learns from in one step; fewer need less memory.",
            Whole(1, 256),
        ),
        (
            "learning_rate",
            "Learning rate",
            "How far one step changes the network; lower it if the loss jumps.",
            Fraction(1e-6, 1.0, 0.0005),
        ),
        (
            "max_steps",
            "Max steps",
            "Training ends after this many steps.",
            Whole(0, 10_000_000, none=_FROM_PRESET),
        ),
        (
            "max_seconds",
            "Max seconds",
            "Training ends after this many seconds.",
            Fraction(0.1, 30 * 24 * 3600.0, 10.0, none=_FROM_PRESET),
        ),
        (
            "seed",
            "Seed",
            "Same seed, same settings, same device: same result.",
            Whole(0, 2**31 - 1),
        ),
        (
            "mixed_precision",
            "Mixed precision",
            "Train with shorter numbers where the device is faster with them.",
            Switch(),
        ),
    ]
