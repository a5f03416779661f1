"""The usual network: a small UNet."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..noise.local_mean import CELL, LOCAL_REACH
from ..settings import DEFAULT_DEPTH, DEFAULT_WIDTH
from .base import Check, Network
from .layers import UpConvolution, convolution, head_layer


class UNet(Network):
    """A small UNet that avoids checkerboards: average pooling, nearest-neighbour up-sampling.

    Parameters
    ----------
    channels : int
        How many it sees together.
    width : int
        Features of the finest level; the coarser levels have twice as many.
    depth : int
        Number of pooling levels.
    adjacent : int
        How many adjacent planes it sees.
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = DEFAULT_WIDTH,
        depth: int = DEFAULT_DEPTH["unet"],
        adjacent: int = 0,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.adjacent = adjacent
        self.stride = max(2**depth, CELL)
        self.reach = 4 * (2 ** (depth + 1) - 1) + 2**depth + LOCAL_REACH + 1
        widths = [width] + [2 * width] * depth
        self.down = nn.ModuleList(
            _Block(before, after)
            for before, after in zip([channels * (1 + adjacent), *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(
            _Block(widths[level + 1] + widths[level], widths[level], UpConvolution)
            for level in reversed(range(depth))
        )
        self.head = head_layer(width, channels)

    def body(self, image: Tensor, check: Check) -> Tensor:
        """See `Network.body`."""
        skips: list[Tensor] = []
        features: Tensor = self.down[0](image)
        for block in self.down[1:]:
            check()
            skips.append(features)
            features = block(functional.avg_pool2d(features, 2))
        for block in self.up:
            check()
            features = block((features, skips.pop()))
        return features


class _Block(nn.Sequential):
    """Two 3×3 convolutions, each followed by a leaky ReLU."""

    def __init__(self, before: int, after: int, first: type[nn.Conv2d] = nn.Conv2d) -> None:
        super().__init__(
            convolution(before, after, first),
            nn.LeakyReLU(0.1, inplace=True),
            convolution(after, after),
            nn.LeakyReLU(0.1, inplace=True),
        )
