"""Whether what denoising took away was noise alone.

The residual, noisy minus denoised, should look like the noise: its neighbours no more alike than
those of the noise are, and its mean zero at every brightness. Where they are more alike, or where
bright places have lost light, there is structure in it that the result has lost.

Only too *much* correlation counts. A prediction from the neighbours carries some of their noise,
which makes the residuals of neighbours differ: correlations below the noise's own are normal. So
is a residual smaller than the noise, where the noisy pixel itself was mixed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import FloatArray
from ..noise.correlation import Correlation

_STRUCTURED_SHARE = 0.25  # of the pixels, where the image changes most: detail is lost there first
_BLUR = 2.0  # of the Gaussian in pixels, so that places are not chosen by noise left in them
_BINS = 20  # of the pixels, by brightness: as many in each
_LARGEST_SIDE = 1024  # of larger planes as many rows and columns are looked at,
_WINDOW = 128  # in stretches of so many, as it is neighbours that are compared
# Lost structure of a sixth of the residual's variance, where there is most of it. What a good
# denoiser cannot tell from noise is about a tenth (-10 dB); the noise's own correlation is known
# to some 0.05.
_LARGEST_EXCESS = 0.15
# Standard deviations: between what is commonly called a small (0.2) and a medium effect (0.5).
_LARGEST_BIAS = 0.3
_SURE = 4.0  # standard errors, so that small images are not accused by chance


@dataclass(frozen=True)
class ResidualReport:
    """What the residual of a denoised image says, of the channel with the most structure in it.

    Parameters
    ----------
    horizontal, vertical : float
        Correlation of the residuals of neighbours, where the image has most structure.
    noise_horizontal, noise_vertical : float
        That of the noise itself.
    bias : float
        Mean of the residual, over its standard deviation, in the twentieth of the pixels, by
        brightness, where it is furthest from 0. Positive: the result is too dark there.
    structured : bool
        Whether there is more than noise in it.
    note : str
        One sentence for the user.
    """

    horizontal: float
    vertical: float
    noise_horizontal: float
    noise_vertical: float
    bias: float
    structured: bool
    note: str


class ResidualCheck:
    """Gathers the residuals of a denoised image, plane by plane.

    Parameters
    ----------
    noise : sequence of Correlation
        Of the noise of each channel.
    """

    def __init__(self, noise: Sequence[Correlation]) -> None:
        self._noise = noise
        self._lines = np.zeros((len(noise), 2, 3))  # across and down: pairs, products, squares
        self._bins = np.zeros((len(noise), _BINS, 3))  # pixels, residuals, squares

    def add(self, noisy: NDArray[Any], denoised: NDArray[Any]) -> None:
        """Add a plane.

        Parameters
        ----------
        noisy, denoised : ndarray
            Shape (C, Y, X), on a scale where the noise variance is the same everywhere: as
            stabilised. Non-finite pixels are left out.
        """
        rows, columns = (_spread(size) for size in noisy.shape[1:])
        for channel, pair in enumerate(zip(noisy, denoised, strict=True)):
            before, after = (part[rows][:, columns].astype(np.float64) for part in pair)
            present = np.isfinite(before) & np.isfinite(after)
            if present.any():
                after = np.where(present, after, after[present].mean())
                residual = _without_outliers(np.where(present, before - after, 0), present)
                self._lines[channel] += _neighbours(residual, _structured(after, present))
                brightness = ndimage.gaussian_filter(after, _BLUR)
                self._bins[channel] += _by_brightness(residual[present], brightness[present])

    def report(self) -> ResidualReport:
        """Return what the planes so far show."""
        channels = [
            _judge(*sums) for sums in zip(self._lines, self._bins, self._noise, strict=True)
        ]
        return max(channels, key=_suspicion)


def _spread(size: int) -> NDArray[np.intp]:
    """Return which rows or columns to look at: of a long side, windows evenly spread over it."""
    if size <= _LARGEST_SIDE:
        return np.arange(size)
    starts = np.linspace(0, size - _WINDOW, _LARGEST_SIDE // _WINDOW).astype(np.intp)
    return (starts[:, None] + np.arange(_WINDOW)).ravel()


def _without_outliers(residual: FloatArray, present: NDArray[np.bool_]) -> FloatArray:
    """Limit hot pixels, which would outweigh all others."""
    limit = 2 * np.quantile(np.abs(residual[present]), 0.99)
    return np.asarray(np.clip(residual, -limit, limit))


def _structured(image: FloatArray, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels around which the denoised image changes most."""
    slope = ndimage.gaussian_gradient_magnitude(image, _BLUR)
    return np.asarray(present & (slope >= np.quantile(slope[present], 1 - _STRUCTURED_SHARE)))


def _neighbours(residual: FloatArray, chosen: NDArray[np.bool_]) -> FloatArray:
    """Return number, product and mean square of pairs of neighbours, across and down; (2, 3)."""
    sums = []
    for turned, here in ((residual, chosen), (residual.T, chosen.T)):
        pairs = here[:, 1:] & here[:, :-1]
        one, other = turned[:, 1:][pairs], turned[:, :-1][pairs]
        sums.append((one.size, one @ other, (one @ one + other @ other) / 2))
    return np.array(sums, dtype=float)


def _by_brightness(residual: FloatArray, brightness: FloatArray) -> FloatArray:
    """Return number, sum and squares of the residuals in bins of like brightness; (bins, 3).

    Each plane has its own bins, equally full, so that planes of a stack may differ in brightness.
    """
    edges = np.quantile(brightness, np.linspace(0, 1, _BINS + 1)[1:-1])
    place = np.searchsorted(edges, brightness)
    sums = (np.bincount(place, weight, _BINS) for weight in (None, residual, residual**2))
    return np.stack([*sums], axis=1).astype(float)


def _judge(lines: FloatArray, bins: FloatArray, noise: Correlation) -> ResidualReport:
    """Compare the residuals of one channel with its noise."""
    expected = np.maximum([noise.horizontal[0], noise.vertical[0]], 0.0)
    pairs, products, squares = lines.T
    found = products / np.maximum(squares, np.finfo(float).tiny)
    excess = found - expected
    alike = (excess > _LARGEST_EXCESS) & (excess * np.sqrt(pairs) > _SURE)
    number, total, energy = bins.T
    spread = np.sqrt(energy / np.maximum(number, 1))
    means = total / np.maximum(number, 1) / np.where(spread > 0, spread, 1)
    worst = int(np.argmax(np.abs(means) * (np.abs(means) * np.sqrt(number) > _SURE)))
    bias = float(means[worst])
    biased = abs(bias) > _LARGEST_BIAS and abs(bias) * number[worst] ** 0.5 > _SURE
    return ResidualReport(
        horizontal=round(float(found[0]), 3),
        vertical=round(float(found[1]), 3),
        noise_horizontal=round(float(expected[0]), 3),
        noise_vertical=round(float(expected[1]), 3),
        bias=round(bias, 3),
        structured=bool(alike.any() or biased),
        note=_note(float(found[np.argmax(excess)]) if alike.any() else None, bias, biased),
    )


def _note(correlation: float | None, bias: float, biased: bool) -> str:
    """Say in one sentence what was found and what to do."""
    findings = []
    if correlation is not None:
        findings.append(f"neighbours are correlated by {correlation:.2f}")
    if biased:
        side = "dark" if bias > 0 else "bright"
        findings.append(f"some brightnesses come out too {side}, by {abs(bias):.2f} of the noise")
    if not findings:
        return "The residual looks like noise."
    return (
        f"The residual still holds structure: {' and '.join(findings)}; "
        "detail may have been lost: train longer, or choose a better preset."
    )


def _suspicion(report: ResidualReport) -> tuple[bool, float]:
    excess = max(
        report.horizontal - report.noise_horizontal, report.vertical - report.noise_vertical
    )
    return report.structured, max(excess / _LARGEST_EXCESS, abs(report.bias) / _LARGEST_BIAS)
