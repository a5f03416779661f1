"""The noise once more, from what the trained network could not predict.

Where the network is most sure of the signal, its J-invariant prediction is nearly the clean
image, and what is left of the noisy pixel is noise. It was chosen by predictions that never saw
it, so its mean square is the noise variance without bias, correlated or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PIXELS_PER_BIN = 1500
_LARGEST_BINS = 8
_SUREST_SHARE = 0.2
_FEWEST_PIXELS = 100
_LIMITS = (0.05, 20.0)

Corrections = tuple[tuple[float, float], ...]
"""(expectation in the stabilised range, true noise variance over assumed), ascending."""


def refine_noise(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    residual: NDArray[np.float64],
    assumed: NDArray[np.float64],
) -> Corrections:
    """Compare the noise of one channel with what was assumed of it.

    Parameters
    ----------
    mean, variance : ndarray
        J-invariant predictions at pixels that were never targets, shape (n,).
    residual : ndarray
        Noisy pixel minus mean, shape (n,).
    assumed : ndarray
        The noise variance that was assumed there, shape (n,).

    Returns
    -------
    tuple of (float, float)
        Empty where there are too few pixels to tell.
    """
    bins = int(np.clip(mean.size // _PIXELS_PER_BIN, 1, _LARGEST_BINS))
    corrections = []
    for chosen in np.array_split(np.argsort(mean), bins):
        count = max(round(_SUREST_SHARE * chosen.size), _FEWEST_PIXELS)
        surest = chosen[np.argsort(variance[chosen])[:count]]
        if surest.size < _FEWEST_PIXELS:
            return ()
        squares = residual[surest] ** 2
        squares = np.minimum(squares, 2 * np.quantile(squares, 0.99))  # hot pixels
        factor = float(squares.mean() / assumed[surest].mean())
        corrections.append((float(mean[surest].mean()), float(np.clip(factor, *_LIMITS))))
    return tuple(sorted(corrections))
