"""The head start: weights trained on simulated images alone, which training begins from.

They are made by `pretraining`; `weights/README.md` is their model card.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from safetensors.torch import load
from torch import Tensor

from ..axes import BESIDE

if TYPE_CHECKING:
    from . import Network

WEIGHTS = {0: "head-start.safetensors", len(BESIDE): "head-start-stack.safetensors"}
"""By how many adjacent planes of a stack the network sees."""


def load_head_start(network: Network) -> None:
    """Give the usual UNet the pretrained weights.

    Raises
    ------
    RuntimeError
        If they are of another network; see `Settings.effective`.
    """
    network.load_state_dict(_weights(WEIGHTS[network.adjacent]))


@cache
def _weights(name: str) -> dict[str, Tensor]:
    """Read the weights: float32, on the CPU."""
    path = resources.files(__package__) / "weights" / name
    return {name: weight.float() for name, weight in load(path.read_bytes()).items()}
