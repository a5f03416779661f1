"""AdamW, and the average of the weights on their way.

`torch.optim.AdamW` spends a second on loading PyTorch's compiler. The arithmetic here is PyTorch's
own: its functional form needs no compiler.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

_BETAS = 0.9, 0.99
_WEIGHT_DECAY = 0.01
_EPSILON = 1e-8


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Parameters
    ----------
    parameters : iterable of Tensor
        Those to optimise; all get a gradient.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._parameters = list(parameters)
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._steps = [torch.zeros(()) for _ in self._parameters]

    @torch.no_grad()
    def step(self, learning_rate: float, largest_gradient: float) -> None:
        """Go one step down the gradients, whose norm is cut to a largest one, and forget them."""
        torch.nn.utils.clip_grad_norm_(self._parameters, largest_gradient, foreach=True)
        adamw(
            self._parameters,
            [parameter.grad for parameter in self._parameters if parameter.grad is not None],
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
        for parameter in self._parameters:
            parameter.grad = None


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, steps: int, decay: float) -> None:
    """Move averaged weights towards the present ones, in large part while steps are few.

    Parameters
    ----------
    average, network : Module
        Of the same kind.
    steps : int
        Taken so far.
    decay : float
        Share of the average that stays, once there were many steps.
    """
    decay = min(decay, (1 + steps) / (10 + steps))
    averages: list[Tensor] = list(average.parameters())
    currents: list[Tensor] = list(network.parameters())
    torch._foreach_lerp_(averages, currents, 1 - decay)
