"""The defaults of the Denoise dock: those of the package, with what the user prefers instead.

The user says so in napari's Preferences, whose page for this package the manifest describes
(`configurations`). Only the dock asks for them; the command line and Python never do.
"""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings
from napari.utils.events import EmitterGroup
from npe2.manifest.schema import discovery_blocked

from ...settings import Settings


class Preferences:
    """What the user prefers, as napari keeps it: asked of it once, and followed from then on.

    Attributes
    ----------
    changed : EmitterGroup
        Tells that a preference is another. It holds its listeners weakly.
    """

    def __init__(self) -> None:
        self._kept: Any = None
        try:
            # napari has found its plugins by now; it would read all their manifests again
            with discovery_blocked():
                self._kept = get_plugin_settings("napari-noise2self").denoise
        except Exception:  # whatever a damaged file, of any plugin, makes napari raise
            self.changed = EmitterGroup()
        else:
            self.changed = self._kept.events

    @property
    def defaults(self) -> Settings:
        """The settings of a user who chooses nothing in the dock."""
        return Settings() if self._kept is None else Settings(**self._kept.model_dump())


def chosen(settings: Settings, defaults: Settings) -> dict[str, Any]:
    """Return the settings that are others than the defaults.

    A partition size comes with its kind of partition, without which it means nothing.
    """
    usual = defaults.to_dict()
    others = {name: value for name, value in settings.to_dict().items() if value != usual[name]}
    if "partition_size" in others:
        others["partition"] = settings.partition
    return others
