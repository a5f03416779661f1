"""The law that noise follows: of light or of darkness, at all places or at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray
from .correlation import Correlation
from .estimate import estimate_noise
from .model import NoiseModel
from .places import evened, find_places

_FALLS = "The noise falls with the signal, as where contrast is inverted."
_PLANES, _PIXELS = 4, 2**22
"""At most, that show whether noise differs from place to place; but one plane at least."""


class Law(NamedTuple):
    """The law of one channel of some images.

    Parameters
    ----------
    noise : NoiseModel
        Of the images times `sign`.
    sign : int
        1; or -1 where grey levels fall as light grows.
    each_place : bool
        Whether noise differs from place to place besides; see `places.py`.
    """

    noise: NoiseModel
    sign: int = 1
    each_place: bool = False


def find_law(
    planes: Sequence[FloatArray], correlation: Correlation | None = None, by_place: bool = True
) -> Law:
    """Measure the noise of images (H, W); see `estimate_noise`.

    Parameters
    ----------
    planes : sequence of ndarray
        Shape (H, W), float64.
    correlation : Correlation, optional
        Of the noise, if it is known.
    by_place : bool
        Whether noise may differ from place to place.
    """
    law = _one_law(planes, correlation)
    most = max(1, min(_PLANES, _PIXELS * len(planes) // max(1, sum(map(np.size, planes)))))
    some = [law.sign * plane for plane in planes[:: -(-len(planes) // most)]]
    places = find_places(some, law.noise) if by_place else None
    if not places:
        return law
    pairs = zip(some, places, strict=True)
    even = estimate_noise([evened(*pair) for pair in pairs], correlation)
    return Law(even, law.sign, True) if even.fitted else law


def _one_law(planes: Sequence[FloatArray], correlation: Correlation | None) -> Law:
    noise = estimate_noise(planes, correlation)
    if noise.gain == 0 and noise.falls:
        inverted = estimate_noise([-plane for plane in planes], correlation)
        if inverted.gain > 0 and inverted.goodness > noise.goodness:
            return Law(replace(inverted, note=_FALLS), -1)
    return Law(noise)
