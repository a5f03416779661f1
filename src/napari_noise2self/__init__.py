"""Self-supervised denoising of microscopy images (Noise2Self), for napari, shell and Python.

Public names are imported at first use: importing the package loads neither torch nor Qt.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calibration import Calibration as Calibration
    from .calibration import calibrate as calibrate
    from .denoiser import Denoiser as Denoiser
    from .denoiser import denoise as denoise
    from .progress import Cancelled as Cancelled
    from .progress import Control as Control
    from .progress import Progress as Progress
    from .settings import Settings as Settings

__version__ = "0.1.0"

# PyTorch's threads wait for each other in a loop, which takes the processor from the others where
# that is shared: twice the time of a whole run on a busy laptop, and no gain on an idle one. This
# is how long GNU's OpenMP waits by itself where it has more threads than cores.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_HOMES = {
    "Calibration": "calibration",
    "Cancelled": "progress",
    "Control": "progress",
    "Denoiser": "denoiser",
    "Progress": "progress",
    "Settings": "settings",
    "calibrate": "calibration",
    "denoise": "denoiser",
}
__all__ = [
    "Calibration",
    "Cancelled",
    "Control",
    "Denoiser",
    "Progress",
    "Settings",
    "__version__",
    "calibrate",
    "denoise",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module at first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
