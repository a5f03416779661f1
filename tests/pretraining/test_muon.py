"""Muon for the convolutions, AdamW as PyTorch has it for the rest."""

from __future__ import annotations

import pytest
import torch

from descent import assert_steps_are_those_of_adamw, draw_parameters, loss
from napari_noise2self.networks import UNet
from napari_noise2self.pretraining.muon import Muon, orthogonal

OTHERS = [(3, 4), (5,)]
FIRST, LAST = (4, 1, 3, 3), (2, 4, 1, 1)
KERNELS = [(8, 4, 3, 3), (4, 6, 3, 3), (40, 4, 1, 1)]


def test_steps_of_all_but_kernels_are_those_of_adamw() -> None:
    assert_steps_are_those_of_adamw(Muon)


@pytest.mark.parametrize("shape", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_singular_values_are_made_alike(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1)).flatten(1)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    spread = left @ torch.diag(torch.linspace(0.02, 1, len(values))) @ right
    made = torch.linalg.svdvals(orthogonal(spread.to(dtype)).float())
    assert made.shape == values.shape
    assert made.min() > 0.6
    assert made.max() < 1.3


@pytest.mark.parametrize("shape", KERNELS)
def test_a_step_of_a_kernel_is_as_large_as_one_of_adamw(shape: tuple[int, ...]) -> None:
    parameters = draw_parameters([FIRST, shape, LAST])
    kernel, random = parameters[1], torch.Generator().manual_seed(1)
    before = kernel.detach().clone()
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=random)
    Muon(parameters).step(0.001, 5.0)
    size = (kernel - before * (1 - 1e-5)).square().mean().sqrt()
    assert 0.7 * 0.2e-3 < size < 1.3 * 0.2e-3
    assert kernel.grad is None


@pytest.mark.parametrize("channels", [1, 5])
def test_only_kernels_between_features_are_moved_by_muon(channels: int) -> None:
    network = UNet(channels, width=4, depth=1)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    Muon(network.parameters()).step(0.001, 1e9)
    adamw = {  # whose first step goes by the learning rate wherever there is a gradient
        name
        for name, value in network.state_dict().items()
        if (before[name] * (1 - 1e-5) - value).allclose(torch.tensor(0.001), rtol=0.01)
    }
    biases = {name for name in before if name.endswith("bias")}
    assert adamw == biases | {"down.0.0.weight", "head.weight"}


def test_kernels_go_to_the_least_loss() -> None:
    parameters = draw_parameters([FIRST, (8, 4, 3, 3), LAST])
    optimizer = Muon(parameters)
    for step in range(400):
        loss(parameters, 0).backward()
        optimizer.step(0.05 * (1 - step / 400), 5.0)
    assert parameters[1].abs().max() < 0.02


def test_what_is_remembered_can_be_restored() -> None:
    shapes = [*OTHERS, FIRST, *KERNELS, LAST]
    whole, parts = draw_parameters(shapes), draw_parameters(shapes)
    first, again = Muon(whole), Muon(parts)
    for step in range(4):
        if step == 2:
            state, again = again.state(), Muon(parts)
            again.restore(state)
        for parameters, optimizer in ((whole, first), (parts, again)):
            loss(parameters, step).backward()
            optimizer.step(0.01, 5.0)
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))
