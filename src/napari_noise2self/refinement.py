"""The noise once more, from what the trained network could not predict.

Where the network is surest of the signal, its J-invariant prediction is nearly the clean image,
and what is left of the noisy pixel is noise, correlated or not. What is nearly: the prediction
still carries a little of the noise of its inputs. How much is measured by adding fresh noise to
the inputs and looking at how far the prediction moves (a Monte Carlo estimate in the spirit of
Ramani et al. 2008).

The factor is for correlated noise, whose blind estimate can be too low by half, and where there is
none. Where independent noise was measured, that is the better estimate; there the residuals show
how much surer the network is of its predictions than it should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SUREST_SHARE = 0.25
_FEWEST_PIXELS = 100
SMALLEST_FACTOR = 0.05
"""Where the assumed noise is only a rough limit. Where it was measured, the factor is at least 1:
smaller residuals than the noise come from a network that has learned some of the noise."""
_LARGEST_FACTOR = 20.0
_LARGEST_LEAK = 0.5
_LARGEST_SURPRISE = 2.0


@dataclass(frozen=True)
class Refinement:
    """What the residuals of a trained network say of the noise of one channel.

    Parameters
    ----------
    factor : float
        True noise variance over assumed.
    leak : float
        Variance of the prediction that comes from the noise of its inputs, over the noise
        variance: the smallest error that a prediction can have.
    surprise : float
        Variance of the residuals over what the network predicts for them, at least 1. It is more
        where the network knows the pixels it was trained on by heart.
    """

    factor: float = 1.0
    leak: float = 0.0
    surprise: float = 1.0


def refine_noise(
    variance: NDArray[np.float64],
    residual: NDArray[np.float64],
    echo: NDArray[np.float64],
    assumed: NDArray[np.float64],
    smallest: float = SMALLEST_FACTOR,
) -> Refinement | None:
    """Compare the noise of one channel with what was assumed of it.

    Parameters
    ----------
    variance : ndarray
        The signal's variance as predicted at pixels that were never targets, shape (n,).
    residual : ndarray
        Noisy pixel minus J-invariant prediction, shape (n,).
    echo : ndarray
        Change of the prediction when noise of the assumed variance was added to the inputs,
        shape (n,).
    assumed : ndarray
        The noise variance that was assumed, shape (n,).
    smallest : float
        Limit of the factor.

    Returns
    -------
    Refinement or None
        None where there are too few pixels to tell.
    """
    count = round(_SUREST_SHARE * variance.size)
    if count < _FEWEST_PIXELS:
        return None
    surest = np.argsort(variance / assumed)[:count]
    squares = residual[surest] ** 2
    squares = np.minimum(squares, 2 * np.quantile(squares, 0.99))  # hot pixels
    expected = assumed[surest].mean()
    leak = min(float((echo[surest] ** 2).mean() / expected), _LARGEST_LEAK)
    factor = float(squares.mean() / expected / (1 + leak))
    return Refinement(min(max(factor, smallest), _LARGEST_FACTOR), leak)


def measure_surprise(
    variance: NDArray[np.float64],
    residual: NDArray[np.float64],
    assumed: NDArray[np.float64],
    pixels: int,
) -> Refinement | None:
    """Compare the residuals of one channel with the variance predicted for them.

    No more than one standard error below what is found is believed: on a flat image the noisy
    pixels would otherwise be mixed back in by chance.

    Parameters
    ----------
    variance, residual, assumed : ndarray
        As for `refine_noise`.
    pixels : int
        How many different pixels these are; patches overlap.

    Returns
    -------
    Refinement or None
        None where there are too few pixels to tell.
    """
    if variance.size < _FEWEST_PIXELS:
        return None
    squares = residual**2 / (variance + assumed)
    squares = np.minimum(squares, 2 * np.quantile(squares, 0.99))  # hot pixels
    uncertainty = squares.std() / np.sqrt(min(pixels, squares.size))
    return Refinement(surprise=float(np.clip(squares.mean() - uncertainty, 1, _LARGEST_SURPRISE)))
