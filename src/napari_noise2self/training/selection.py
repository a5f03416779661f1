"""Which weights of a training are kept: the latest that are as good as the best, as far as known.

Held-out pixels are few and noisy, so of weights that are alike the one or the other has the lower
loss by chance. Then later ones are better, which learned more, at a lower rate. It is the rule of
one standard error (Breiman et al. 1984, section 3.4.3), where what is simpler stands for later.
"""

from __future__ import annotations

import copy
import math

from torch import Tensor

from ..networks import Network


class Selection:
    """The weights to keep, of all that were offered.

    Parameters
    ----------
    network : Network
        Its weights are kept till others are taken.

    Attributes
    ----------
    weights : dict of str to Tensor
        A copy of those to keep.
    """

    def __init__(self, network: Network) -> None:
        self.weights = copy.deepcopy(network.state_dict())
        self._first = self.weights
        self._lowest = math.inf
        self._scores: Tensor | None = None  # those with the lowest loss

    def offer(self, network: Network, scores: Tensor) -> bool:
        """Take the weights of a network if they are no worse than the best; tell whether.

        Parameters
        ----------
        network : Network
            Trained for longer than all that were offered before.
        scores : Tensor
            Its squared errors at the held-out pixels, of shape (C, pixels), always the same ones.
        """
        taken = not scores.numel() or self._as_good(scores)
        if taken:
            self.weights = copy.deepcopy(network.state_dict())
        return taken

    def take_back(self) -> None:
        """Keep the weights that there were before any was offered."""
        self.weights = self._first

    def _as_good(self, scores: Tensor) -> bool:
        """Tell whether a loss is the lowest, or above it by its standard error at most."""
        loss = float(scores.mean())
        if not math.isfinite(loss):
            return False
        if self._scores is None or loss < self._lowest:
            self._lowest, self._scores = loss, scores
            return True
        excess = (scores - self._scores).mean(dim=0)
        return float(excess.mean()) <= float(excess.std(correction=0)) / math.sqrt(len(excess))
