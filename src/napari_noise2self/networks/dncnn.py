"""A plain stack of convolutions, to compare with."""

from __future__ import annotations

from torch import Tensor, nn

from ..noise.local_mean import CELL, LOCAL_REACH
from ..settings import DEFAULT_DEPTH, DEFAULT_WIDTH
from .base import UNFORESEEN_REACH, Check, Network
from .layers import convolution, head_layer


class DnCNN(Network):
    """A plain stack of 3×3 convolutions (Zhang et al. 2017), without the skip to the output.

    The original's residual connection would pass the input straight to the output; hidden pixels
    hold no value of their own there, so the network predicts the pixel itself.
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = DEFAULT_WIDTH,
        depth: int = DEFAULT_DEPTH["dncnn"],
        adjacent: int = 0,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.adjacent = adjacent
        self.stride = CELL
        self.reach = max(depth, UNFORESEEN_REACH) + LOCAL_REACH + 1
        layers: list[nn.Module] = []
        for before in [channels * (1 + adjacent)] + [width] * (depth - 1):
            layers += [convolution(before, width), nn.LeakyReLU(0.1, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.head = head_layer(width, channels)

    def body(self, image: Tensor, check: Check) -> Tensor:
        """See `Network.body`."""
        for layer in self.layers:
            check()
            image = layer(image)
        return image
