"""Muon for the convolutions, AdamW for the rest.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") moves a matrix
of weights by its gradients' mean with all singular values made equal, so that directions which
seldom show in a batch are learned as fast as the others. A step is scaled to be as large as one of
AdamW (Liu et al. 2025, "Muon is scalable for LLM training"), so that one learning rate serves both.

PyTorch's own Muon takes no convolutions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

_BETAS = 0.9, 0.99
_WEIGHT_DECAY = 0.01
_EPSILON = 1e-8
_MOMENTUM = 0.95
_ADAMW_SIZE = 0.2
"""Root mean square of the entries of a usual step of AdamW, over its learning rate."""
_ITERATIONS = 5
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of an odd polynomial that takes singular values from 0.003 to 1 near 1 when iterated (Jordan)."""


class Muon:
    """Goes down the gradients of a network's parameters.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to optimise, from the first layer to the last; all get a gradient. Muon moves the
        kernels of convolutions, of shape (out, in, ...), but for those of the first and the last
        layer, which are no maps between features.
    dtype : torch.dtype, optional
        That Muon computes in; float32 if None. bfloat16 is enough where it is fast.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], dtype: torch.dtype | None = None
    ) -> None:
        self._dtype = dtype or torch.float32
        self._parameters = list(parameters)
        self._kernels = [each for each in self._parameters if each.ndim > 2][1:-1]
        between = {id(kernel) for kernel in self._kernels}
        others = [each for each in self._parameters if id(each) not in between]
        self._adamw = torch.optim.AdamW(
            others, betas=_BETAS, eps=_EPSILON, weight_decay=_WEIGHT_DECAY, foreach=True
        )
        self._momenta = [torch.zeros_like(kernel) for kernel in self._kernels]

    @torch.no_grad()
    def step(self, learning_rate: float, largest_gradient: float) -> None:
        """Go one step down the gradients, whose norm is cut to a largest one, and forget them."""
        nn.utils.clip_grad_norm_(self._parameters, largest_gradient, foreach=True)
        self._move_kernels(learning_rate)
        self._adamw.param_groups[0]["lr"] = learning_rate
        self._adamw.step()
        for parameter in self._parameters:
            parameter.grad = None

    def _move_kernels(self, learning_rate: float) -> None:
        """Take a step of Muon, with Nesterov's momentum."""
        for kernel, momentum in zip(self._kernels, self._momenta, strict=True):
            assert kernel.grad is not None
            momentum.lerp_(kernel.grad, 1 - _MOMENTUM)
            matrix = torch.lerp(kernel.grad, momentum, _MOMENTUM).flatten(1)
            direction = orthogonal(matrix.to(self._dtype)).to(kernel.dtype).view_as(kernel)
            size = _ADAMW_SIZE * max(matrix.shape) ** 0.5
            kernel.mul_(1 - learning_rate * _WEIGHT_DECAY)
            kernel.add_(direction, alpha=-learning_rate * size)

    def state(self) -> dict[str, Any]:
        """Return what is remembered from step to step."""
        momenta = [momentum.clone() for momentum in self._momenta]
        return {"momenta": momenta, "adamw": self._adamw.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        for momentum, saved in zip(self._momenta, state["momenta"], strict=True):
            momentum.copy_(saved)
        self._adamw.load_state_dict(state["adamw"])


def orthogonal(matrix: Tensor) -> Tensor:
    """Make the singular values of a matrix (M, N) nearly equal, some 0.7 to 1.2.

    By Newton-Schulz iterations: products of matrices alone, so that bfloat16 is precise enough.
    """
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    result = matrix.T if tall else matrix
    result = result / (result.norm() + _EPSILON)
    for _ in range(_ITERATIONS):
        gram = result @ result.T
        result = a * result + (b * gram + c * gram @ gram) @ result
    return cast(Tensor, result.T if tall else result)
