"""The pretrained network, asked about an image before any training: what it can't predict of it."""

from __future__ import annotations

import torch
from torch import Tensor

from ..devices import fastest_precision, reproducible
from ..networks import Blindfolded, create_network
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from ..settings import Settings


class Probe:
    """A pretrained network that predicts hidden pixels.

    Parameters
    ----------
    channels : int
        Of the images.
    adjacent : int
        How many adjacent planes of a stack it sees.
    noise : StableNoise
        Of the images.
    partition : Partition
        Which pixels are hidden together.
    """

    def __init__(
        self, channels: int, adjacent: int, noise: StableNoise, partition: Partition
    ) -> None:
        network = create_network(Settings(), channels, adjacent)
        precision = fastest_precision(torch.device("cpu"))
        precision.arrange(network)
        self._network, self._partition = Blindfolded(network, noise, precision), partition

    @torch.no_grad()
    def residuals(
        self, image: Tensor, subset: int, beside: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return noisy less predicted pixels, and the variance of the network's error.

        Parameters
        ----------
        image : Tensor
            Stabilised, shape (B, C, H, W), NaN where pixels are missing.
        subset : int
            Of the partition: the pixels to predict.
        beside : Tensor, optional
            See `Network.forward`.

        Returns
        -------
        residual, variance : Tensor
            Both of the shape of `image`, NaN where pixels are missing or not of the subset.
        """
        present = torch.isfinite(image).all(dim=1, keepdim=True)
        target = (self._partition.labels((image.shape[2], image.shape[3])) == subset)[None]
        hidden = self._partition.hide(target) | ~present
        known = torch.where(present, image, 0)
        with reproducible():
            mean, variance = self._network(self._partition, known, hidden, beside)
        scored = target & present
        residual = torch.where(scored, image - mean, torch.nan)
        return residual, torch.where(scored, variance, torch.nan)

    def all_residuals(self, image: Tensor, control: Control) -> tuple[Tensor, Tensor]:
        """Return the same of every pixel, one subset after the other.

        Raises
        ------
        Cancelled
            If `control` was cancelled.
        """
        both = torch.full((2, *image.shape), torch.nan)
        for subset in range(self._partition.n_subsets):
            control.check()
            both = torch.where(both.isnan(), torch.stack(self.residuals(image, subset)), both)
        return both[0], both[1]
