"""How alike the noise of neighbouring pixels is, and which neighbours to hide because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .exclusion import Exclusion
from .settings import ExclusionKind

_LAGS = 3
_LARGEST_RADIUS = 4
_WINDOW = 12
_QUIET_SHARE = 0.05
_BLUR = 4.0
_CORRELATED = 0.2
_STILL_CORRELATED = 0.08
_DIRECTED = 0.15
_FLOOR_LAGS = ((0, 4), (4, 0), (0, 5), (5, 0))


@dataclass(frozen=True)
class Correlation:
    """Correlation of the noise with that of pixels some steps away.

    Parameters
    ----------
    horizontal, vertical : tuple of float
        At 1, 2 and 3 pixels.
    diagonal : float
        At one pixel across.
    """

    horizontal: tuple[float, ...] = (0.0,) * _LAGS
    vertical: tuple[float, ...] = (0.0,) * _LAGS
    diagonal: float = 0.0

    @property
    def reach(self) -> int:
        """Distance in pixels beyond which noise is independent; 0 for white noise."""
        return max(_reach(self.horizontal), _reach(self.vertical))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Correlation:
        """Make a correlation from what `dataclasses.asdict` gave, after its way through JSON."""
        lines = {name: tuple(values[name]) for name in ("horizontal", "vertical")}
        return cls(**lines, diagonal=values["diagonal"])

    @classmethod
    def strongest(cls, several: Sequence[Correlation]) -> Correlation:
        """Return the largest correlation of several channels at every distance."""
        return cls(
            tuple(max(values) for values in zip(*(c.horizontal for c in several), strict=True)),
            tuple(max(values) for values in zip(*(c.vertical for c in several), strict=True)),
            max(c.diagonal for c in several),
        )


WHITE = Correlation()
"""Noise without correlation."""


def measure_correlation(planes: Sequence[NDArray[np.float64]]) -> Correlation:
    """Measure the correlation of the noise of images.

    Slow changes are taken off by a wide blur. What is left in the quietest windows is noise,
    and its autocovariance there shows its correlation; what little structure is left changes
    slowly, shows at four and five pixels too, and is taken off.

    Parameters
    ----------
    planes : sequence of ndarray
        Stabilised images of shape (H, W): of the same noise variance everywhere. Non-finite
        pixels are ignored.
    """
    steps = range(1, _LAGS + 1)
    lags = [(0, 0), *((0, d) for d in steps), *((d, 0) for d in steps), (1, 1), *_FLOOR_LAGS]
    sums = np.zeros(len(lags))
    for plane in planes:
        if min(plane.shape) >= 4 * _WINDOW:
            sums += _quiet_autocovariance(plane, lags)
    variance, floor = sums[0], sums[-len(_FLOOR_LAGS) :].mean()
    if not variance - floor > 0:
        return Correlation()
    values = [round(float(value), 3) for value in (sums - floor) / (variance - floor)]
    across, down = values[1 : 1 + _LAGS], values[1 + _LAGS : 1 + 2 * _LAGS]
    return Correlation(tuple(across), tuple(down), values[1 + 2 * _LAGS])


def _quiet_autocovariance(
    plane: NDArray[np.float64], lags: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Return the summed autocovariances of the quietest windows of a plane."""
    finite = np.isfinite(plane)
    if not finite.any():
        return np.zeros(len(lags))
    plane = np.where(finite, plane, np.median(plane[finite]))
    rough = plane - ndimage.gaussian_filter(plane, _BLUR)
    inside = (slice(_WINDOW, -_WINDOW, _WINDOW // 2),) * 2
    energy = ndimage.uniform_filter(rough**2, _WINDOW)[inside]
    whole = ndimage.uniform_filter(finite.astype(float), _WINDOW)[inside] > 0.999
    whole &= energy > 0
    if not whole.any():
        return np.zeros(len(lags))
    quiet = whole & (energy <= np.quantile(energy[whole], _QUIET_SHARE))
    products = (rough * np.roll(rough, lag, (0, 1)) for lag in lags)
    return np.array([ndimage.uniform_filter(p, _WINDOW)[inside][quiet].sum() for p in products])


def choose_exclusion(correlation: Correlation) -> tuple[Exclusion, str]:
    """Choose the neighbours to hide with each pixel, and say why in one sentence.

    A line where the noise is correlated in one direction clearly more than in the other, as
    scanning makes it; else a plus or a square where it is correlated both ways.
    """
    h, v = correlation.horizontal[0], correlation.vertical[0]
    measured = f"noise of neighbours is correlated by {h:.2f} across and {v:.2f} down"
    if max(h, v) < _CORRELATED:
        return Exclusion(), f"No neighbours are hidden: the {measured}."
    if abs(h - v) > _DIRECTED:
        kind: ExclusionKind = "horizontal" if h > v else "vertical"
        line = correlation.horizontal if h > v else correlation.vertical
        exclusion = Exclusion(kind, _radius(_reach(line)))
    else:
        kind = "square" if correlation.diagonal > _STILL_CORRELATED else "plus"
        exclusion = Exclusion(kind, _radius(correlation.reach))
    return exclusion, f"{exclusion.name.capitalize()} of neighbours hidden: the {measured}."


def _radius(reach: int) -> int:
    """Go one pixel beyond what could be measured: the network finds weaker correlations too.

    On wide-field images correlated by 0.5 at one pixel and 0.05 at two, hiding two pixels instead
    of one gained 3 dB.
    """
    return min(reach + 1, _LARGEST_RADIUS)


def _reach(values: Sequence[float]) -> int:
    """Return the last distance before the correlation has died away."""
    if values[0] < _CORRELATED:
        return 0
    reach = 1
    while reach < len(values) and values[reach] > _STILL_CORRELATED:
        reach += 1
    return reach
