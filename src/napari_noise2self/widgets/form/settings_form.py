"""The form of all settings: it shows a `Settings`, and gives back the one it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QLabel, QPushButton, QWidget
from superqt.utils import signals_blocked

from ...partition import Partition
from ...settings import NetworkKind, PartitionKind, Settings
from ..layouts import column, form, row
from .editors import Buttons, Editor
from .preferences import Preferences, chosen
from .section import Section
from .settings_rows import DEPTHS, PARTITION_SIZES, Row, advanced_rows, partition_row

_PRESETS = {
    "fast": "A first look",
    "balanced": "Right for most images",
    "best": "For the final result",
}
_HIDING = ("partition", "partition_size", "exclusion", "exclusion_radius")


class SettingsForm(QWidget):
    """Edits all settings; the owner places `preset` and `advanced` where it wants.

    Where it shows the defaults, it follows the user's preferences.

    Parameters
    ----------
    settings : Settings, optional
        To show at first; the defaults if None.
    """

    changed = Signal()
    """The settings shown are others."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.preset = PresetBox()
        self._preferences = Preferences()
        self._defaults = self._preferences.defaults
        self._settings = settings or self._defaults
        self._usable = True
        self._pixels = 0
        self._kinds = {"partition_size": "grid", "depth": "unet"}
        self._numbers: dict[str, int | None] = {}  # what was chosen last for each kind
        self._editors: dict[str, Editor] = {"preset": self.preset.buttons}
        layout = row(self)
        for name, label, tooltip, editor in partition_row():
            if label:
                layout.addWidget(_caption(label, tooltip, editor))
            layout.addWidget(self._add(name, tooltip, editor), stretch=not label)
        self.advanced = Section("Advanced", self._add_rows(advanced_rows()))
        self.editor("partition").changed.connect(self._on_partition)
        self.editor("network").changed.connect(self._on_network)
        for editor in self._editors.values():  # after that: the numbers fit their kinds by then
            editor.changed.connect(self.changed)
        self.changed.connect(self._explain)
        self.set_settings(self._settings)
        self._preferences.changed.connect(self._follow)

    @property
    def settings(self) -> Settings:
        """The settings shown."""
        shown = {name: editor.get() for name, editor in self._editors.items()}
        return Settings.from_dict(self._settings.to_dict() | shown)

    def set_settings(self, settings: Settings) -> None:
        """Show other settings."""
        self._settings = settings
        # in the order of the rows: a kind comes before the number whose limits it sets
        with signals_blocked(self):
            for name, editor in self._editors.items():
                editor.put(getattr(settings, name))
        self.changed.emit()

    def enable(self, *, usable: bool, partition: bool) -> None:
        """Let all settings be changed, or at least what hides pixels.

        Other preferences wait until all can be.
        """
        for name, editor in self._editors.items():
            editor.setEnabled(usable or (partition and name in _HIDING))
        self.defaults.setEnabled(usable)
        self._usable = usable
        self._follow()

    def explain_for(self, pixels: int) -> None:
        """Say what the preset means for an image of so many pixels."""
        if pixels != self._pixels:
            self._pixels = pixels
            self._explain()

    def leave(self) -> None:
        """Follow the preferences no more."""
        self._preferences.changed.disconnect(self._follow)

    def editor(self, name: str) -> Any:
        """Return the editor of a setting."""
        return self._editors[name]

    def _add_rows(self, rows: list[Row]) -> QWidget:
        """Lay out rows of name, label, tooltip and editor."""
        box = QWidget()
        layout = form(box)
        for name, label, tooltip, editor in rows:
            layout.addRow(_caption(label, tooltip, editor), self._add(name, tooltip, editor))
        self.defaults = QPushButton("Defaults")
        self.defaults.setToolTip(
            "All settings, also those above, as they are when new,\n"
            "or as you prefer them: File > Preferences > Noise2Self."
        )
        self.defaults.clicked.connect(self._on_defaults)
        layout.addRow(self.defaults)
        return box

    def _add(self, name: str, tooltip: str, editor: Any) -> Any:
        """Remember the editor of a setting, and give it back."""
        editor.setToolTip(tooltip)
        editor.setObjectName(name)
        self._editors[name] = editor
        return editor

    def _on_defaults(self) -> None:
        self.set_settings(self._defaults)

    def _follow(self, _event: object = None) -> None:
        """Take up other preferences, where the user has not chosen otherwise."""
        if not self._usable:
            return
        before, self._defaults = self._defaults, self._preferences.defaults
        if self._defaults != before:
            self.set_settings(replace(self._defaults, **chosen(self.settings, before)))

    def _on_partition(self, kind: PartitionKind) -> None:
        self._limit("partition_size", kind, *PARTITION_SIZES[kind])

    def _on_network(self, kind: NetworkKind) -> None:
        self._limit("depth", kind, *DEPTHS[kind])

    def _limit(self, name: str, kind: str, low: int, high: int) -> None:
        """Give a number the limits of a kind, and the value it had there last."""
        editor = self.editor(name)
        self._numbers[self._kinds[name]] = editor.get()
        self._kinds[name] = kind
        with signals_blocked(editor):
            editor.limit(low, high, none="auto")
            editor.put(self._numbers.get(kind))

    def _explain(self) -> None:
        """Say what the preset means, and a partition size that is left open."""
        settings = self.settings
        self.preset.explain(settings, self._pixels)
        usual = Partition.from_settings(replace(settings, partition_size=None))
        limits = PARTITION_SIZES[settings.partition]
        self.editor("partition_size").limit(*limits, none=f"auto ({usual.size})")


class PresetBox(QWidget):
    """The preset as three buttons, with a line that says what it costs."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons = Buttons({name: name.capitalize() for name in _PRESETS})
        self.buttons.setObjectName("preset")
        self.buttons.setToolTip("How much time to spend: more training gives a better image.")
        self.explanation = QLabel()
        self.explanation.setWordWrap(True)
        column(self, self.buttons, self.explanation).setSpacing(2)

    def explain(self, settings: Settings, pixels: int) -> None:
        """Say what the preset of some settings means for an image."""
        budget = settings.budget_for(pixels)
        work = f"trains for {budget.max_seconds:.0f} s at most"
        if not budget.max_steps:
            work = "the pretrained network as it is"
        self.explanation.setText(f"{_PRESETS[settings.preset]}: {work}")
        self.explanation.setToolTip(f"And for {budget.max_steps:,} training steps at most.")


def _caption(label: str, tooltip: str, editor: QWidget) -> QLabel:
    caption = QLabel(label)
    caption.setToolTip(tooltip)
    caption.setBuddy(editor)  # for screen readers
    return caption
