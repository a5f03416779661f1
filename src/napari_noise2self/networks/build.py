"""The network that settings ask for, as training begins from it."""

from __future__ import annotations

import torch

from ..settings import DEFAULT_DEPTH, NetworkKind, Settings
from .dncnn import DnCNN
from .head_start import load_head_start
from .unet import UNet

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
