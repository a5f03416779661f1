"""Denoised images as bright as the noisy ones.

A network trained for seconds is off in mean brightness by some hundredths of the noise, more or
less at each brightness. No loss at a few held-out pixels shows it, but means over all pixels of a
brightness do: a prediction that never saw the pixels says nothing of their noise, so the mean of
the noisy pixels is that of the clean ones (Batson & Royer's argument, 2019, for means).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_MOST_GROUPS = 1000  # of pixels, by their prediction
_LARGEST_SURPRISE = 4.0
"""In standard deviations of the noise: hot pixels count no more than that."""
_USUAL_ERROR = 0.03
"""Of the mean brightness, in the same units: means less sure than that count for less."""


def as_bright_as(noisy: Tensor, mean: Tensor, noise: Tensor) -> Tensor:
    """Correct a prediction's mean brightness, separately for each brightness.

    Pixels are grouped by their prediction, in steps of the noise's standard deviation: in finer
    ones, noise that has leaked into a prediction would be taken for brightness.

    Parameters
    ----------
    noisy : Tensor
        One stabilised channel, float32 of shape (H, W); NaN marks missing pixels.
    mean : Tensor
        Its J-invariant prediction.
    noise : Tensor
        Variance of the noise; pixels where it is 0 are not known, and are left out.

    Returns
    -------
    Tensor
        The corrected prediction, which depends on the noisy pixels only by means over many.
    """
    known = torch.isfinite(noisy) & (noise > 0)
    if not known.any():
        return mean
    guess = mean[known].double().numpy()
    deviation = noise[known].double().sqrt().numpy()
    step = max(float(np.median(deviation)), float(np.ptp(guess)) / _MOST_GROUPS)
    surprise = (noisy[known].double().numpy() - guess) / deviation
    surprise = np.clip(surprise, -_LARGEST_SURPRISE, _LARGEST_SURPRISE) * deviation
    groups = np.floor((guess - guess.min()) / step).astype(np.int64)
    counts = np.bincount(groups)
    there = counts > 0
    sums, places = (np.bincount(groups, values)[there] for values in (surprise, guess))
    counts = counts[there]
    excess = sums / (counts + _USUAL_ERROR**-2)  # shrunk where the mean is unsure
    correction = np.interp(mean.double().numpy(), places / counts, excess)
    return mean + torch.from_numpy(correction).float()
