"""Muon for the convolutions, AdamW for the rest.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") moves a matrix
of weights by its gradients' mean with all singular values made equal, so that directions which
seldom show in a batch are learned as fast as the others. A step is scaled to be as large as one of
AdamW (Liu et al. 2025, "Muon is scalable for LLM training"), so that one learning rate serves both.

PyTorch's own classes are not used: its Muon takes no convolutions, and its AdamW spends a second
on loading PyTorch's compiler, which its functional form does not need.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_BETAS = 0.9, 0.99
_WEIGHT_DECAY = 0.01
_EPSILON = 1e-8
_MOMENTUM = 0.95
_ADAMW_SIZE = 0.2
"""Root mean square of the entries of a usual step of AdamW, over its learning rate."""
_ITERATIONS = 5
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of an odd polynomial that takes singular values from 0.003 to 1 near 1 when iterated (Jordan)."""


class Optimizer:
    """Goes down the gradients of a network's parameters.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those to optimise, from the first layer to the last; all get a gradient. Muon moves the
        kernels of convolutions, of shape (out, in, ...), but for those of the first and the last
        layer, which are no maps between features.
    dtype : torch.dtype, optional
        That Muon computes in; float32 if None. bfloat16 is enough where it is fast.
    """

    def __init__(self, parameters: Iterable[Tensor], dtype: torch.dtype | None = None) -> None:
        self._dtype = dtype or torch.float32
        parameters = list(parameters)
        self._kernels = [parameter for parameter in parameters if parameter.ndim > 2][1:-1]
        between = {id(kernel) for kernel in self._kernels}
        self._others = [parameter for parameter in parameters if id(parameter) not in between]
        self._momenta = [torch.zeros_like(kernel) for kernel in self._kernels]
        self._means = [torch.zeros_like(other) for other in self._others]
        self._squares = [torch.zeros_like(other) for other in self._others]
        self._steps = [torch.zeros(()) for _ in self._others]

    @torch.no_grad()
    def step(self, learning_rate: float, largest_gradient: float) -> None:
        """Go one step down the gradients, whose norm is cut to a largest one, and forget them."""
        parameters = self._kernels + self._others
        torch.nn.utils.clip_grad_norm_(parameters, largest_gradient, foreach=True)
        self._move_kernels(learning_rate)
        self._move_others(learning_rate)
        for parameter in parameters:
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

    def _move_others(self, learning_rate: float) -> None:
        """Take a step of AdamW (Loshchilov & Hutter 2019)."""
        adamw(
            self._others,
            [other.grad for other in self._others if other.grad is not None],
            self._means,
            self._squares,
            [],
            self._steps,
            foreach=True,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=learning_rate,
            weight_decay=_WEIGHT_DECAY,
            eps=_EPSILON,
            maximize=False,
        )

    def state(self) -> dict[str, Any]:
        """Return what is remembered from step to step."""
        names = ("_momenta", "_means", "_squares", "_steps")
        return {name: [tensor.clone() for tensor in getattr(self, name)] for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        for name, tensors in state.items():
            for tensor, other in zip(getattr(self, name), tensors, strict=True):
                tensor.copy_(other)


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
