"""The networks: a small UNet (the default) and DnCNN, both for images of any size.

Both map (B, C, H, W) to a mean and a raw variance, each (B, C, H, W), and may see adjacent planes
of a stack beside. They know nothing of hidden pixels: what makes a prediction J-invariant is that
the pixel it stands for was hidden at the input.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .head_start import load_head_start
from .local_mean import CELL, LOCAL_REACH, local_bounds, local_excess
from .outliers import limited
from .settings import DEFAULT_DEPTH, DEFAULT_WIDTH, NetworkKind, Settings
from .stabilise import NOISE_STD

LARGEST = 9.0
"""A network sees no pixel as brighter or darker than this: 45 standard deviations of noise, mostly.
What is cut off there is added to its predictions, as it is in the image it sees. Beyond 10, the
pretrained weights make things up."""


Check = Callable[[], None]
"""Called between the layers of a network; what it raises ends the pass."""


def _go_on() -> None:
    """Let a pass of the network go on to its end."""


class Network(nn.Module):
    """What the rest of the package needs to know of a network."""

    channels: int
    """How many channels it sees together. Those of an image with more come one after another."""
    adjacent: int
    """How many adjacent planes of a stack it sees beside the one that it predicts."""
    stride: int
    """Sides of the windows given to `forward` should be multiples of this (others are padded)."""
    reach: int
    """An output depends on no input farther away than this many pixels along any axis."""
    head: nn.Conv2d
    """Maps features to mean and raw variance of each channel."""

    def body(self, image: Tensor, check: Check) -> Tensor:
        """Map (B, C, H, W), sides multiples of `stride`, to features (B, F, H, W)."""
        raise RuntimeError(f"{type(self).__name__} has no body")

    def forward(
        self, image: Tensor, beside: Tensor | None = None, check: Check = _go_on
    ) -> tuple[Tensor, Tensor]:
        """Predict mean and raw variance of each pixel, both of the shape of `image`.

        Hot pixels are seen as such no more: they would show in the predictions of all around them.

        Parameters
        ----------
        image : Tensor
            Shape (B, C, H, W).
        beside : Tensor, optional
            The adjacent planes, of shape (B, C, `adjacent`, H, W), or with both axes in one; 0
            where there are none, and all 0 if None.
        check : callable
            See `Check`.
        """
        shape, (height, width) = image.shape, image.shape[-2:]
        image = limited(image.reshape(-1, self.channels, height, width), NOISE_STD)
        level = local_excess(image)
        relative = image - level
        seen = relative.clamp(-LARGEST, LARGEST)
        cut_off = relative - seen
        if self.adjacent:
            others = self._relative(beside, level).clamp(-LARGEST, LARGEST)
            seen = torch.cat((seen, others), dim=1)
        below, right = -height % self.stride, -width % self.stride
        if below or right:
            seen = functional.pad(seen, (0, right, 0, below), mode="replicate")
        features = self.body(seen, check)[..., :height, :width]
        low, high = local_bounds(seen[:, : self.channels])
        with torch.autocast(image.device.type, enabled=False):  # bfloat16 knows 256 grey levels
            mean, variance = self.head(features.float()).chunk(2, dim=1)
        bounded = mean.clamp(low[..., :height, :width], high[..., :height, :width])
        mean = mean + (bounded - mean).detach()  # with its gradient, which brings it back
        mean = mean + cut_off + level
        return mean.reshape(shape), variance.reshape(shape)

    def _relative(self, beside: Tensor | None, level: Tensor) -> Tensor:
        """Return adjacent planes relative to the same as the image, 0 where there are none.

        Shape (B, C × `adjacent`, H, W).
        """
        batch, channels, height, width = level.shape
        if beside is None:
            return level.new_zeros((batch, channels * self.adjacent, height, width))
        planes = beside.reshape(batch, channels, self.adjacent, height, width)
        smooth = limited(planes.flatten(1, 2), NOISE_STD).reshape(planes.shape)
        return torch.where(planes == 0, 0, smooth - level[:, :, None]).flatten(1, 2)


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
            _Block(widths[level + 1] + widths[level], widths[level])
            for level in reversed(range(depth))
        )
        self.head = _head(width, channels)

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
            features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(torch.cat((features, skips.pop()), dim=1))
        return features


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
        self.reach = depth + LOCAL_REACH + 1
        layers: list[nn.Module] = []
        for before in [channels * (1 + adjacent)] + [width] * (depth - 1):
            layers += [_convolution(before, width), nn.LeakyReLU(0.1, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.head = _head(width, channels)

    def body(self, image: Tensor, check: Check) -> Tensor:
        """See `Network.body`."""
        for layer in self.layers:
            check()
            image = layer(image)
        return image


class _Block(nn.Sequential):
    """Two 3×3 convolutions, each followed by a leaky ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            _convolution(before, after),
            nn.LeakyReLU(0.1, inplace=True),
            _convolution(after, after),
            nn.LeakyReLU(0.1, inplace=True),
        )


def _convolution(before: int, after: int) -> nn.Conv2d:
    """Return a 3×3 convolution, initialised for leaky ReLU (He et al. 2015)."""
    layer = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=0.1, nonlinearity="leaky_relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def _head(width: int, channels: int) -> nn.Conv2d:
    """Return the last layer: an untrained network predicts the image's mean, and is sure of it.

    Starting from a small variance, the likelihood is at first the squared error.
    """
    layer = nn.Conv2d(width, 2 * channels, 1)
    nn.init.zeros_(layer.weight)
    layer.bias = nn.Parameter(torch.tensor([0.0, -3.0]).repeat_interleave(channels))
    return layer


_KINDS: dict[NetworkKind, type[UNet] | type[DnCNN]] = {"unet": UNet, "dncnn": DnCNN}


def build_network(settings: Settings, channels: int = 1, adjacent: int = 0) -> UNet | DnCNN:
    """Build the network that the settings ask for, with weights drawn from their seed.

    Parameters
    ----------
    settings : Settings
        Uses `network`, `width`, `depth` and `seed`.
    channels : int
        How many it sees together.
    adjacent : int
        How many adjacent planes of a stack it sees.
    """
    depth = settings.depth or DEFAULT_DEPTH[settings.network]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return _KINDS[settings.network](channels, settings.width, depth, adjacent)


def create_network(settings: Settings, channels: int = 1, adjacent: int = 0) -> UNet | DnCNN:
    """Build the network that training begins from, with pretrained weights if there are any.

    Parameters
    ----------
    settings : Settings
        As for `build_network`, and `start`.
    channels : int
        Channels of the images.
    adjacent : int
        See `build_network`.
    """
    network = build_network(settings, channels_together(settings, channels), adjacent)
    if settings.effective.start == "pretrained":
        load_head_start(network)
    return network


def channels_together(settings: Settings, channels: int) -> int:
    """Return how many of an image's channels its network sees together."""
    return 1 if settings.effective.start == "pretrained" else channels
