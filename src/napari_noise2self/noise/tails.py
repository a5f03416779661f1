"""Noise that is much stronger at some pixels than at others, which look no different.

Each pixel of an sCMOS camera has an amplifier of its own, and some have many times the read noise
of the others. The noise of all is then a mixture of Gaussian noises: its distribution has heavier
tails than theirs. Where a residual is far larger than the usual noise, the pixel is likely one of
those, and tells less of its light.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..arrays import FloatArray
from .robust import MEDIAN_TO_STD

STRONGER = (8.0, 64.0, 512.0)
"""Variances of the noise of such pixels, over the usual one."""
_ROUNDS = 50
_ENOUGH = 10_000
_FEWEST = 300
_SMALLEST_SHARE, _LARGEST_SHARE = 0.03, 0.25
"""The noise of few photons is skewed, and looks as if up to so many pixels had a stronger one. And
where more than so many seem to have it, structure was left out of account."""


def find_tails(squares: FloatArray, variance: FloatArray, noise: FloatArray) -> tuple[float, ...]:
    """Find the shares of pixels with stronger noise, by expectation maximisation.

    Parameters
    ----------
    squares : ndarray
        Squared residuals, shape (n,): of pixels that a network is sure of, as errors that it does
        not know look the same.
    variance : ndarray
        Of the network's errors, by its own account.
    noise : ndarray
        Usual variance of the noise.

    Returns
    -------
    tuple of float
        One for each of the variances that are told apart; empty if there are hardly any such
        pixels, or too many of them, or too few to tell.
    """
    if squares.size < _FEWEST:
        return ()
    step = -(-squares.size // _ENOUGH)
    squares, variance, noise = squares[::step], variance[::step], noise[::step]
    usual = MEDIAN_TO_STD**2 * float(np.median(squares / (variance + noise)))
    total = variance + np.outer((1.0, *STRONGER), max(usual, 1.0) * noise)
    likelihood = np.exp(-0.5 * squares / total) / np.sqrt(total)
    shares = np.full(len(total), 1 / len(total))
    for _ in range(_ROUNDS):
        weighed = shares[:, None] * likelihood
        shares = (weighed / np.maximum(weighed.sum(axis=0), 1e-300)).mean(axis=1)
    tails = tuple(np.round(shares[1:], 5).tolist())
    return tails if _SMALLEST_SHARE < sum(tails) < _LARGEST_SHARE else ()


def moments(tails: Sequence[float]) -> tuple[float, float]:
    """Return mean variance of noise with such tails, over the usual one, and excess kurtosis."""
    if not tails:
        return 1.0, 0.0
    strength = np.array([1.0, *STRONGER])
    shares = np.array([1 - sum(tails), *tails])
    mean = float(shares @ strength)
    return mean, 3 * (float(shares @ strength**2) / mean**2 - 1)


def noise_given(
    residual: Tensor, variance: Tensor, noise: Tensor, tails: Sequence[float]
) -> Tensor:
    """Return the noise variance to expect at each pixel, given how far it is from its prediction.

    Parameters
    ----------
    residual : Tensor
        Noisy less predicted pixels, any shape; NaN where missing: those have the usual noise.
    variance : Tensor
        Of the prediction's error.
    noise : Tensor
        The usual variance; 0 where it is not known.
    tails : sequence of float
        See `find_tails`.
    """
    if not tails:
        return noise
    squares = residual.square().nan_to_num()
    strength = noise.new_tensor([1.0, *STRONGER]).reshape(-1, *[1] * noise.ndim)
    shares = noise.new_tensor([1 - sum(tails), *tails]).reshape(strength.shape)
    total = (variance + strength * noise).clamp(min=1e-30)
    chances = torch.softmax(shares.log() - (squares / total + total.log()) / 2, dim=0)
    given = (chances * strength).sum(dim=0) * noise
    return torch.where(residual.isfinite(), given, noise)
