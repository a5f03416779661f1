"""A network that is shown an image without the pixels that it is to predict."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..devices import Precision
from ..noise.stable_noise import StableNoise, signal_variance
from ..partition import Partition
from ..settings import Fill
from .base import Network


@dataclass(frozen=True, eq=False)
class Blindfolded:
    """A network with all that decides what it says of hidden pixels.

    Parameters
    ----------
    network : Network
        Arranged for `precision`.
    noise : StableNoise
        Of the stabilised images, on the device of the network.
    precision : Precision
        In which it runs.
    fill : {"interpolate", "zero"}
        What stands in place of hidden pixels.
    """

    network: Network
    noise: StableNoise
    precision: Precision
    fill: Fill = "interpolate"

    def __call__(
        self, partition: Partition, image: Tensor, hidden: Tensor, beside: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance of the clean signal, both of the shape of `image`.

        Parameters
        ----------
        partition : Partition
            That hides pixels.
        image : Tensor
            Stabilised, float32 of shape (B, C, H, W); what is hidden of it is not read.
        hidden : Tensor
            bool of shape (B, 1, H, W), or (1, 1, H, W) for all.
        beside : Tensor, optional
            See `Network.forward`.
        """
        return self.predict(self.filled(partition, image, hidden), beside)

    def filled(self, partition: Partition, image: Tensor, hidden: Tensor) -> Tensor:
        """Return what the network is shown: images with their hidden pixels filled."""
        filled = partition.fill(image, hidden, self.fill)
        return filled.contiguous(memory_format=self.precision.memory_format)

    def predict(self, filled: Tensor, beside: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and variance of the clean signal, given images that `filled` returned."""
        with self.precision.autocast(filled.device):
            mean, raw = self.network(filled, beside)
        return mean, signal_variance(raw, self.noise)
