"""The settings of the last training, kept beside napari's own from one session to the next."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from napari.settings import get_settings

from ..atomic import published
from ..settings import Settings

FILE = "napari-noise2self-last-settings.json"


def memory_path() -> Path | None:
    """Return where the settings are kept; None if napari keeps none either."""
    napari = get_settings().config_path
    return None if napari is None else Path(napari).with_name(FILE)


def remembered() -> Settings:
    """Return the settings of the last training; the defaults if they can't be read."""
    path = memory_path()
    if path is not None:
        with suppress(OSError, ValueError, TypeError, RecursionError):
            return Settings.from_dict(json.loads(path.read_text(encoding="utf-8")))
    return Settings()


def remember(settings: Settings) -> None:
    """Keep settings for the next session, if there is a place for them."""
    path = memory_path()
    if path is not None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with published(path, overwrite=True) as part:
                part.write_text(json.dumps(settings.to_dict(), indent=2), encoding="utf-8")
