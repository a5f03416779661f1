"""Planes that were amplified differently: by a correction of bleaching, or a ramp of the gain.

Where a plane is another one times a factor, plus an offset, its noise follows another line. The two
lines tell factor and offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from .model import NoiseModel

_FEWEST = 2
"""Planes whose noise was measured."""
_SMALLEST_SIDE = 96
"""Of a plane in pixels: the law of smaller ones is too uncertain."""
_DIFFERENT = 0.25
"""Standard deviation of the logarithm of variances over those of one law, at least; by chance it is
0.16 at most on the smallest planes, 0.07 on those of 256×256."""


def usual_law(laws: Iterable[NoiseModel], side: float) -> NoiseModel | None:
    """Return the most usual law of planes that follow different ones; None if all follow it.

    Parameters
    ----------
    laws : iterable of NoiseModel
        Of each plane, as it is measured there alone, all in the same units. Not asked for where
        the planes are too small.
    side : float
        Of what is measured, in pixels.
    """
    if side < _SMALLEST_SIDE:
        return None
    fitted = [law for law in laws if law.fitted and law.points]
    if len(fitted) < _FEWEST:
        return None
    ratios = np.array([[_log_ratio(law, other) for law in fitted] for other in fitted])
    most_usual = int(np.median(np.abs(ratios), axis=1).argmin())
    different = float(np.std(ratios[most_usual])) > _DIFFERENT
    return fitted[most_usual] if different else None


def _log_ratio(law: NoiseModel, other: NoiseModel) -> float:
    """Return by how much the variance is larger than by another law, where the plane is bright."""
    signal = np.array(max(point.signal for point in law.points))
    here, there = float(law.variance(signal)), float(other.variance(signal))
    return math.log(here / there) if here > 0 and there > 0 else 0.0


def amplification(law: NoiseModel, reference: NoiseModel) -> tuple[float, float]:
    """Return factor and offset that make a plane of one law of a plane of another.

    Times the factor, plus the offset: from ``variance = gain * signal + intercept`` follow both.
    Where one of the gains is 0 they follow from noise and brightness of the darkest parts.

    Parameters
    ----------
    law, reference : NoiseModel
        Of the plane, and of that of which it is made.

    Returns
    -------
    factor, offset : float
        1 and 0 where they can't be told.
    """
    if law.gain > 0 and reference.gain > 0:
        factor = law.gain / reference.gain
        return factor, (reference.intercept * factor**2 - law.intercept) / law.gain
    dark, usual = (float(each.variance(np.array(each.offset))) for each in (law, reference))
    if not (dark > 0 and usual > 0):
        return 1.0, 0.0
    factor = math.sqrt(dark / usual)
    return factor, law.offset - factor * reference.offset
