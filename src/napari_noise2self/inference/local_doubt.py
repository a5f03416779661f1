"""Where residuals show structure that the network did not know of.

A network is sure of itself where an image looks like those it learned from. Structure unlike them,
and all that is finer than it believes, is left in the residual; it would be lost in the result, for
a noisy pixel is mixed in only as far as the network doubts. So the doubt is raised where residuals
nearby are larger than noise and predicted variance can explain (as in the local filter of Lee 1980,
whose signal variance is that of a window less that of the noise).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..noise.correlation import Correlation
from ..noise.tails import moments

_SIDE = 9
DOUBT_REACH = _SIDE // 2
"""The doubt at a pixel depends on no pixel farther away than this along any axis."""
_OUTLIER = 16.0
"""Squared residuals over their expectation: hot pixels count no more. But structure raises the
expectation itself, from round to round."""
_ROUNDS = 3
_NOISE_ERROR = 0.1
"""Of the noise variance, relative, as it is known at one brightness."""
_USUAL = 1.0
"""How much larger than predicted a network's errors usually may be: what is not surprising."""


def local_doubt(
    residual: Tensor,
    variance: Tensor,
    noise: Tensor,
    like: Correlation,
    tails: Sequence[float] = (),
) -> Tensor:
    """Return by which factor the predicted variance is to be raised at each pixel.

    The estimate of the factor from a window around the pixel is believed by what is beyond its
    standard error, and the less, the larger that is.

    Parameters
    ----------
    residual : Tensor
        Noisy pixels less J-invariant predictions, float32 of shape (H, W); NaN where missing.
    variance : Tensor
        Of the signal, as the network predicts it; positive.
    noise : Tensor
        Variance of the noise; the usual one, if it has tails.
    like : Correlation
        Of the noise: windows hold fewer independent pixels where neighbours are alike.
    tails : sequence of float
        See `find_tails`: squares of such noise vary more from window to window.

    Returns
    -------
    Tensor
        Shape (H, W), at least 1.
    """
    present = torch.isfinite(residual)
    residual = torch.where(present, residual, 0)
    mean, kurtosis = moments(tails)
    variance, noise = (torch.where(present, part, 0) for part in (variance, mean * noise))
    predicted, known, whole = _window_sums(variance, noise, (variance + noise).square())
    predicted = torch.where(predicted > 0, predicted, 1)  # none is present: excess and error are 0
    alike = _alike(like.horizontal) * _alike(like.vertical)
    error = ((2 + kurtosis) * alike * whole + (_NOISE_ERROR * known).square()) / predicted.square()
    factor = torch.ones_like(residual)
    for _ in range(_ROUNDS):
        most = _OUTLIER * (factor * variance + noise)
        (excess,) = _window_sums(torch.minimum(residual.square(), most) - noise)
        beyond = (excess / predicted - 1 - error.sqrt()).clamp(min=0)
        factor = 1 + beyond * _USUAL**2 / (_USUAL**2 + error)
    return factor


def _window_sums(*parts: Tensor) -> Tensor:
    """Return the sums over the window around each pixel, (n, H, W)."""
    stack = torch.stack(parts)[:, None]
    means: Tensor = functional.avg_pool2d(stack, _SIDE, stride=1, padding=_SIDE // 2)
    return means[:, 0] * _SIDE**2


def _alike(line: tuple[float, ...]) -> float:
    """Return how many pixels of a line count as one, for the error of a mean of squares."""
    return 1 + 2 * sum(value**2 for value in line)
