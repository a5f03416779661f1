"""The optimiser does what PyTorch's does, and loads no compiler for it."""

from __future__ import annotations

import subprocess
import sys

import torch

from napari_noise2self.optimizer import AdamW


def _parameters() -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = [(3, 4), (5,)]
    return [torch.randn(shape, generator=random, requires_grad=True) for shape in shapes]


def _loss(parameters: list[torch.Tensor], step: int) -> torch.Tensor:
    return sum((parameter * (step + 1)).square().sum() for parameter in parameters)


def test_steps_are_those_of_pytorch() -> None:
    ours, theirs = _parameters(), _parameters()
    optimizer = AdamW(ours)
    reference = torch.optim.AdamW(theirs, betas=(0.9, 0.99), foreach=True)
    for step in range(5):
        rate = 0.01 * (step + 1)
        _loss(ours, step).backward()
        optimizer.step(rate, 5.0)
        assert all(parameter.grad is None for parameter in ours)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        _loss(theirs, step).backward()
        torch.nn.utils.clip_grad_norm_(theirs, 5.0)
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_training_loads_no_compiler() -> None:
    """It would take a second, and hold up a dock that waits for it."""
    code = (
        "import sys, numpy; from napari_noise2self import denoise;"
        "denoise(numpy.eye(40), preset='fast', max_steps=2, start='fresh', width=4, device='cpu');"
        "assert 'torch' in sys.modules; assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
