"""The head start: weights trained on simulated images alone, which training begins from.

They are made by `pretraining`; `weights/README.md` is their model card.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from safetensors.torch import load
from torch import Tensor, nn

WEIGHTS = "head-start.safetensors"


def load_head_start(network: nn.Module) -> None:
    """Give a network the pretrained weights.

    Raises
    ------
    RuntimeError
        If they are of another network; see `Settings.effective`.
    """
    network.load_state_dict(_weights())


@cache
def _weights() -> dict[str, Tensor]:
    """Read the weights: float32, on the CPU."""
    path = resources.files(__package__) / "weights" / WEIGHTS
    return {name: weight.float() for name, weight in load(path.read_bytes()).items()}
