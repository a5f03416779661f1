"""What the pretrained network knows of its own errors, kept while it learns from an image.

Where the network's errors are some hundredths of the noise, the likelihood of noisy pixels says
next to nothing of their variance: noise that was measured 3 % too strong is explained best by a
network without errors. In fifty steps the predicted variance fell to a tenth, and with it the share
of the noisy pixel in the result; the estimated PSNR rose by 5 dB that were not there. On simulated
images, whose truth is known, the pretrained network has learned how large its errors are. So its
variance is a prior: log-normal, and so wide that an image with something to say overrules it.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor

from ..networks import Blindfolded
from ..networks.head_start import load_head_start

_WEIGHT = 0.02
"""Of a squared deviation of the logarithm: little against what a pixel with large errors says, much
against what all pixels with small ones do. What others gave is in `benchmarks/README.md`."""
_SHARE = 4  # one of so many patches is looked at: a second network costs a third of a step


class VariancePrior:
    """The variance that the pretrained network predicts, as a term of the loss.

    Parameters
    ----------
    learner : Blindfolded
        A network of the kind that there are pretrained weights for; it is copied, and left alone.
    """

    def __init__(self, learner: Blindfolded) -> None:
        network = copy.deepcopy(learner.network).requires_grad_(False)
        load_head_start(network)
        self._pretrained = replace(learner, network=network)

    def penalty(
        self, filled: Tensor, variance: Tensor, counted: Tensor, beside: Tensor | None = None
    ) -> Tensor:
        """Return the squared deviation of log variances, averaged over pixels that count.

        Parameters
        ----------
        filled : Tensor
            The network's input, of shape (B, C, H, W).
        variance : Tensor
            Of the signal, as the network predicts it now; the same shape.
        counted : Tensor
            Which pixels count: targets whose noise variance is known. bool, the same shape.
        beside : Tensor, optional
            The adjacent planes that the network sees; see `patches.Batch`.

        Returns
        -------
        Tensor
            Twice the negative logarithm of the prior, but for a constant; a scalar.
        """
        few = -(-len(filled) // _SHARE)
        seen = None if beside is None else beside[:few]
        with torch.no_grad():
            _, before = self._pretrained.predict(filled[:few], seen)
        deviation = (variance[:few].log() - before.log()).square()
        here = counted[:few]
        total = torch.where(here, deviation, 0).sum()
        return _WEIGHT * total / here.sum().clamp(min=1)
