"""What all networks share: how they see an image, and how they tell mean and variance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..noise.local_mean import local_bounds, local_excess
from ..noise.outliers import limited
from ..noise.stabilise import NOISE_STD

LARGEST = 9.0
"""A network sees no pixel as brighter or darker than this: 45 standard deviations of noise, mostly.
What is cut off there is added to its predictions, as it is in the image it sees. Beyond 10, the
pretrained weights make things up."""

UNFORESEEN_REACH = 3
"""How far off guesses of what is cut off are depends on no pixel of that farther away."""
_LARGEST_ERROR = 1e6
"""In standard deviations of the noise: float32 holds its square, and the prediction has no say."""

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
        if cut_off.any():
            variance = variance + _unforeseen(cut_off)
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


def _unforeseen(cut_off: Tensor) -> Tensor:
    """Return the variance, in units of the noise, of what a network does not see and can't foresee.

    What is cut off at a hidden pixel is guessed from those around it. How far off such guesses are
    shows nearby, once smoothed, as noise can't be foreseen either.

    Parameters
    ----------
    cut_off : Tensor
        Shape (B, C, H, W).
    """
    around = _smooth(cut_off)
    error = (around - _smooth(around)).abs()
    most = functional.max_pool2d(error, 3, 1, 1) / NOISE_STD
    return most.clamp(max=_LARGEST_ERROR).square()


def _smooth(image: Tensor) -> Tensor:
    return functional.avg_pool2d(image, 3, 1, 1, count_include_pad=False)
