"""What the user chose for the last training, kept beside napari's own from session to session.

That is all settings which were not the defaults of then: where the user chose nothing, the dock
follows the preferences of today.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.settings import get_settings

from ...atomic import published
from ...settings import Settings
from .preferences import Preferences, chosen

FILE = "napari-noise2self-last-settings.json"


def memory_path() -> Path | None:
    """Return where the settings are kept; None if napari keeps none either."""
    napari = get_settings().config_path
    return None if napari is None else Path(napari).with_name(FILE)


def remembered() -> Settings:
    """Return the defaults with what was chosen last; the defaults alone if that can't be read."""
    path, defaults = memory_path(), Preferences().defaults
    if path is not None:
        with suppress(OSError, ValueError, TypeError, RecursionError):
            return replace(defaults, **_chosen(json.loads(path.read_text(encoding="utf-8"))))
    return defaults


def remember(settings: Settings) -> None:
    """Keep what was chosen for the next session, if there is a place for it."""
    path = memory_path()
    if path is not None:
        kept = {"chosen": chosen(settings, Preferences().defaults)}
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with published(path, overwrite=True) as part:
                part.write_text(json.dumps(kept, indent=2), encoding="utf-8")


def _chosen(kept: Any) -> dict[str, Any]:
    """Return what was chosen; earlier versions kept all settings, and knew no preferences."""
    if "chosen" in kept:
        return dict(kept["chosen"])
    return chosen(Settings.from_dict(kept), Settings())
