"""The layers that networks are made of, and how their weights begin."""

from __future__ import annotations

import torch
from torch import nn


def convolution(before: int, after: int) -> nn.Conv2d:
    """Return a 3×3 convolution, initialised for leaky ReLU (He et al. 2015)."""
    layer = nn.Conv2d(before, after, 3, padding=1)
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
