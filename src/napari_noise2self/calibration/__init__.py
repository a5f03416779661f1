"""Classic filters calibrated by the self-supervised loss: an instant result, and the floor.

Any filter becomes J-invariant when pixels are hidden from it and its output is read only there
(Batson & Royer 2019): the donut version of the filter. Its loss against the noisy pixels then
differs from its true error by the noise variance alone, which is the same at every strength. So the
strength of least loss is the best one, as far as one can see without a clean image.
"""

from __future__ import annotations

from ._calibration import Calibration, calibrate
from ._classics import CLASSICS, INSTANT, Classic
from ._curves import Curve
from ._floor import Floor, classic_floor

__all__ = [
    "CLASSICS",
    "INSTANT",
    "Calibration",
    "Classic",
    "Curve",
    "Floor",
    "calibrate",
    "classic_floor",
]
