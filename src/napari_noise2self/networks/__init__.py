"""The networks: a small UNet (the default) and DnCNN, both for images of any size.

Both map (B, C, H, W) to a mean and a raw variance, each (B, C, H, W), and may see adjacent planes
of a stack beside. They know nothing of hidden pixels: what makes a prediction J-invariant is that
the pixel it stands for was hidden at the input.
"""

from __future__ import annotations

from .base import Check, Network
from .blindfolded import Blindfolded
from .build import build_network, channels_together, create_network
from .dncnn import DnCNN
from .unet import UNet

__all__ = [
    "Blindfolded",
    "Check",
    "DnCNN",
    "Network",
    "UNet",
    "build_network",
    "channels_together",
    "create_network",
]
