"""The layers that networks are made of, and how their weights begin."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def convolution(before: int, after: int, kind: type[nn.Conv2d] = nn.Conv2d) -> nn.Conv2d:
    """Return a 3×3 convolution, initialised for leaky ReLU (He et al. 2015)."""
    layer = kind(before, after, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=0.1, nonlinearity="leaky_relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def head_layer(width: int, channels: int) -> nn.Conv2d:
    """Return the last layer: an untrained network predicts the image's mean, and is sure of it.

    Starting from a small variance, the likelihood is at first the squared error.
    """
    layer = nn.Conv2d(width, 2 * channels, 1)
    nn.init.zeros_(layer.weight)
    layer.bias = nn.Parameter(torch.tensor([0.0, -3.0]).repeat_interleave(channels))
    return layer


class UpConvolution(nn.Conv2d):
    """A 3×3 convolution of two levels of features joined, the coarse ones up-sampled.

    After up-sampling to nearest neighbours it would take 9 products for each pixel and coarse
    feature. A transposed convolution, its kernel spread over the pixels that have one coarse
    neighbour, takes 4 for the same sums, and the joined features are never written.
    """

    def forward(self, levels: tuple[Tensor, Tensor]) -> Tensor:  # type: ignore[override]
        """Return the features, of shape (B, F, H, W).

        Parameters
        ----------
        levels : tuple of Tensor
            The coarse ones, of shape (B, F, H / 2, W / 2), and those to join them with, of shape
            (B, F, H, W).
        """
        coarse, fine = levels
        number = coarse.shape[1]
        kernel = self.weight[:, :number].transpose(0, 1).flip(-2, -1)
        spread = functional.avg_pool2d(kernel, 2, stride=1, padding=1, divisor_override=1)
        coarser = functional.conv_transpose2d(coarse, spread, stride=2, padding=1)
        finer = functional.conv2d(fine, self.weight[:, number:], self.bias, padding=1)
        return finer.add_(coarser)
