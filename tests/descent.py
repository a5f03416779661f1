"""What is asked of every optimiser: parameters, a loss, and the steps of PyTorch's AdamW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def draw_parameters(shapes: list[tuple[int, ...]]) -> list[torch.Tensor]:
    """Return random parameters, the same for the same shapes."""
    random = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=random, requires_grad=True) for shape in shapes]


def loss(parameters: list[torch.Tensor], step: int) -> torch.Tensor:
    """Return a loss that is least at zero, and steeper from step to step."""
    return sum((parameter * (step + 1)).square().sum() for parameter in parameters)


def assert_steps_are_those_of_adamw(optimize: Callable[[list[torch.Tensor]], Any]) -> None:
    """Take five steps of an optimiser and of PyTorch's, on parameters that are no kernels."""
    shapes = [(3, 4), (5,)]
    ours, theirs = draw_parameters(shapes), draw_parameters(shapes)
    optimizer = optimize(ours)
    reference = torch.optim.AdamW(theirs, betas=(0.9, 0.99), foreach=True)
    for step in range(5):
        rate = 0.01 * (step + 1)
        loss(ours, step).backward()
        optimizer.step(rate, 5.0)
        assert all(parameter.grad is None for parameter in ours)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        loss(theirs, step).backward()
        torch.nn.utils.clip_grad_norm_(theirs, 5.0)
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)
