"""Whether a training teaches a network the noise, which the held-out loss takes for progress.

Where the noise of neighbours is alike, though too little to show before, some of it can be
predicted, and the loss falls while the image gets worse. But the pretrained network knows how large
its errors are: at the pixels of which it is surest, next to nothing is left to learn. A loss that
falls by much of that there falls because of noise.
"""

from __future__ import annotations

import math

from torch import Tensor

_SUREST = 0.5
"""Share of the pixels."""
_LEARNABLE = 1 / 3
"""Of the error that the network has there by its own account: what was tried is in
`benchmarks/README.md`."""
_HARMLESS = 0.005
"""Of the noise variance: learning so much of it costs less than learning structure gains."""


def learns_noise(before: Tensor, errors: Tensor, now: Tensor) -> bool:
    """Tell whether a network gained more by training than images have to teach.

    Parameters
    ----------
    before, now : Tensor
        Squared errors at the held-out pixels before training and by now, in units of the noise, of
        shape (C, pixels).
    errors : Tensor
        What the network itself expected of them before training, without the noise; the same.
    """
    if not now.numel():
        return False
    expected = errors.mean(dim=0)
    surest = expected.argsort()[: math.ceil(_SUREST * len(expected))]
    gain = (before - now).mean(dim=0)[surest].double()
    uncertain = gain.std(correction=0) / math.sqrt(len(gain))
    learnable = max(_LEARNABLE * float(expected[surest].mean()), _HARMLESS)
    return bool(gain.mean() - uncertain > learnable)
