"""How alike the noise of neighbouring pixels is, and which neighbours to hide because of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..partition.exclusion import Exclusion
from ..settings import ExclusionKind

_LAGS = 3
_LARGEST_RADIUS = 4
_WINDOW = 12
_QUIET_SHARE = 0.05
BLUR = 4.0
"""Standard deviation in pixels; what is smoother is a slow change."""
_CORRELATED = 0.2
_SMOOTH = 0.8
_DIAGONAL = 0.08
_DIRECTED = 0.5
_FARTHEST = 5
_CORRELATION_ERROR = 0.05
_SMALLEST_SHARE = 0.02
_LARGEST_EXCESS, _TINY = 20.0, 1e-3


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
        """Distance in pixels over which noise is strongly correlated; 0 for white noise."""
        return max(_reach(self.horizontal), _reach(self.vertical))

    @property
    def spacing(self) -> int:
        """How far apart the noise of pixels is independent: where correlation has died away."""
        return self.reach + 2 if self.reach else 1

    @property
    def strongest_value(self) -> float:
        """The largest correlation in any direction, whatever its sign."""
        return max(map(abs, (*self.horizontal, *self.vertical, self.diagonal)))

    @property
    def smooth(self) -> bool:
        """Whether it is stronger than that of any camera's noise: the image itself is smooth."""
        return self.strongest_value > _SMOOTH

    @property
    def lacks_highest(self) -> bool:
        """Whether noise has little at the highest frequencies, as behind a round aperture.

        Neighbours across the diagonal, or two pixels away, then differ more than chance makes them.
        """
        across = self.diagonal - self.horizontal[0] * self.vertical[0]
        farther = (self.horizontal[1] + self.vertical[1]) / 2
        return min(across, farther) < -_CORRELATION_ERROR

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Correlation:
        """Make a correlation from what `dataclasses.asdict` gave, after its way through JSON."""
        lines = {name: tuple(values[name]) for name in ("horizontal", "vertical")}
        return cls(**lines, diagonal=values["diagonal"])

    @classmethod
    def from_lags(cls, values: Sequence[float]) -> Correlation:
        """Make a correlation from its values at 1, 2, 3 pixels across, as many down, and diagonal.

        What no correlation can be is brought to between -1 and 1; what is not known is 0.
        """
        values = _rounded(np.nan_to_num(values))
        return cls(tuple(values[:_LAGS]), tuple(values[_LAGS : 2 * _LAGS]), values[-1])

    @classmethod
    def of_channels(cls, several: Sequence[Correlation]) -> Correlation:
        """Return the strongest correlation of several channels at every distance."""
        return cls(
            _strongest([each.horizontal for each in several]),
            _strongest([each.vertical for each in several]),
            max((each.diagonal for each in several), key=abs),
        )


def _strongest(lines: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(max(values, key=abs) for values in zip(*lines, strict=True))


WHITE = Correlation()
"""Noise without correlation."""


def measure_correlation(planes: Sequence[NDArray[np.float64]]) -> Correlation:
    """Measure the correlation of the noise of images.

    Slow changes are taken off by a wide blur. What is left in the quietest windows is mostly
    noise, and its autocovariance there shows its correlation. Structure that is left changes
    slowly: its part is seen at three to five pixels, and is taken off at all distances.

    Parameters
    ----------
    planes : sequence of ndarray
        Stabilised images of shape (H, W): of the same noise variance everywhere. Non-finite
        pixels are ignored.
    """
    distances = range(1 + _FARTHEST)
    lags = [*((0, d) for d in distances), *((d, 0) for d in distances), (1, 1)]
    sums = np.zeros(len(lags))
    for plane in planes:
        if min(plane.shape) >= 4 * _WINDOW:
            sums += _quiet_autocovariance(plane, lags)
    across, down = sums[: 1 + _FARTHEST], sums[1 + _FARTHEST : -1]
    structure = [_structure(line) for line in (across, down)]
    noise = [line - part for line, part in zip((across, down), structure, strict=True)]
    variance = min(noise[0][0], noise[1][0])
    if not variance > _SMALLEST_SHARE * sums[0]:
        return WHITE
    mean_structure = (structure[0] + structure[1]) / 2
    diagonal = sums[-1] - (2 * mean_structure[1] - mean_structure[0])  # at d² = 2
    shared = np.concatenate([*(line[1 : 1 + _LAGS] for line in noise), [diagonal]])
    return Correlation.from_lags(shared / variance)


def autocovariance(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of noise, and its covariances in the order of `Correlation.from_lags`.

    Parameters
    ----------
    noise : ndarray
        Shape (H, W), mean 0; NaN where it is not known.
    """
    steps = range(1, 1 + _LAGS)
    lags = [(0, 0), *((0, step) for step in steps), *((step, 0) for step in steps), (1, 1)]
    height, width = noise.shape
    pairs = (
        noise[: height - down, : width - across] * noise[down:, across:] for down, across in lags
    )
    known = (pair[np.isfinite(pair)] for pair in pairs)
    return np.array([pair.sum() / max(pair.size, 1) for pair in known])


def _structure(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extrapolate the autocovariance of structure, a - b d², from distances without noise."""
    squares = np.arange(line.size) ** 2.0
    slope, level = np.polyfit(squares[_LAGS:], line[_LAGS:], 1)
    return np.asarray(level + min(slope, 0.0) * squares)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(min(max(float(value), -1.0), 1.0), 3) for value in values]


def _quiet_autocovariance(
    plane: NDArray[np.float64], lags: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Return the summed autocovariances of the quietest windows of a plane."""
    finite = np.isfinite(plane)
    if not finite.any():
        return np.zeros(len(lags))
    plane = np.where(finite, plane, np.median(plane[finite]))
    rough = plane - ndimage.gaussian_filter(plane, BLUR)
    inside = (slice(_WINDOW, -_WINDOW, _WINDOW // 2),) * 2
    energy = ndimage.uniform_filter(rough**2, _WINDOW)[inside]
    whole = ndimage.uniform_filter(finite.astype(float), _WINDOW)[inside] > 0.999
    varied = ndimage.maximum_filter(plane, _WINDOW) > ndimage.minimum_filter(plane, _WINDOW)
    whole &= varied[inside]  # patches of one value hold no noise
    if not whole.any():
        return np.zeros(len(lags))
    quiet = whole & (energy <= np.quantile(energy[whole], _QUIET_SHARE))
    products = (rough * np.roll(rough, lag, (0, 1)) for lag in lags)
    return np.array([ndimage.uniform_filter(p, _WINDOW)[inside][quiet].sum() for p in products])


def largest_excess(correlation: Correlation) -> float:
    """Return how much more noise there may be than the blind estimate saw.

    Its filter, (1, -2, 1) in each direction, sees noise that neighbours share less than other, and
    so it does where those two pixels away, or across the diagonal, differ more than white noise:
    such a spectrum has little at the highest frequencies, or in its corners.
    """
    seen = 1.0
    for line in (correlation.horizontal, correlation.vertical):
        shared = max(line[0], 0.0) + _CORRELATION_ERROR
        seen *= max(1 - 4 / 3 * shared + _beyond_error(line[1]) / 3, 0.1)
    explained = correlation.horizontal[0] * correlation.vertical[0]
    seen += 16 / 9 * min(_beyond_error(correlation.diagonal - explained), 0.0)
    return min(1 / max(seen, _TINY), _LARGEST_EXCESS)


def _beyond_error(value: float) -> float:
    """Return a correlation if it is positive, and what it is below 0 by more than chance."""
    return max(value, 0.0) + min(value + _CORRELATION_ERROR, 0.0)


def coloured(white: NDArray[np.float64], correlation: Correlation) -> NDArray[np.float64]:
    """Give white noise a correlation, wrapped around at the borders; its variance stays.

    Parameters
    ----------
    white : ndarray
        Shape (..., H, W); returned as it is if narrower than twice the correlation.
    correlation : Correlation
        Where it says nothing, across far diagonals, it is the product of both directions.
    """
    if correlation == WHITE or min(white.shape[-2:]) <= 2 * _LAGS:
        return white
    lags = np.arange(-_LAGS, _LAGS + 1)
    across, down = (
        np.array([1.0, *line])[np.abs(lags)]
        for line in (correlation.horizontal, correlation.vertical)
    )
    corner = (np.abs(lags) == 1)[:, None] & (np.abs(lags) == 1)
    covariance = np.zeros(white.shape[-2:])
    covariance[np.ix_(lags, lags)] = np.where(corner, correlation.diagonal, np.outer(down, across))
    power = np.fft.fft2(covariance).real.clip(0)  # no noise has all that was measured
    return np.asarray(np.fft.ifft2(np.fft.fft2(white) * np.sqrt(power / power.mean())).real)


def choose_exclusion(correlation: Correlation) -> tuple[Exclusion, str]:
    """Choose the neighbours to hide with each pixel, and say why in one sentence.

    A line where the noise is correlated more than twice as much in one direction as in the
    other, as scanning makes it; else a plus or a square where it is correlated both ways. None
    where the image is smooth: without neighbours it would lose more than it has noise.
    """
    h, v = correlation.horizontal[0], correlation.vertical[0]
    measured = f"noise of neighbours is correlated by {h:.2f} across and {v:.2f} down"
    h, v = abs(h), abs(v)  # sharpening makes neighbours differ
    if max(h, v) < _CORRELATED or correlation.smooth:
        return Exclusion(), f"No neighbours are hidden: the {measured}."
    if min(h, v) < _DIRECTED * max(h, v):
        kind: ExclusionKind = "horizontal" if h > v else "vertical"
        line = correlation.horizontal if h > v else correlation.vertical
        exclusion = Exclusion(kind, _radius(_reach(line)))
    else:
        kind = "square" if abs(correlation.diagonal) > _DIAGONAL else "plus"
        exclusion = Exclusion(kind, _radius(correlation.reach))
    return exclusion, f"{exclusion.name.capitalize()} of neighbours hidden: the {measured}."


def _radius(reach: int) -> int:
    """Go one pixel beyond the strong correlation: the network finds weaker ones too.

    On wide-field images correlated by 0.5 at one pixel and 0.05 at two, hiding two pixels instead
    of one gained 3 dB.
    """
    return min(reach + 1, _LARGEST_RADIUS)


def _reach(values: Sequence[float]) -> int:
    """Return the last distance over which the correlation is strong."""
    weak = (step for step, value in enumerate(values) if abs(value) < _CORRELATED)
    return next(weak, len(values))
