"""What a network gains beyond what it had left to learn, it gains by noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_noise2self.training.learned_noise import learns_noise

PIXELS = 4000


def _before(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Noise, errors of a network, what it expects of them, and its scores: half structure."""
    noise, own = torch.randn((2, 1, PIXELS), generator=torch.Generator().manual_seed(seed))
    expected = torch.where(torch.arange(PIXELS) < PIXELS / 2, 0.01, 0.5)[None]
    errors = expected.sqrt() * own
    return noise, errors, expected, (noise - errors).square()


@pytest.mark.parametrize("seed", range(20))
def test_structure_is_learned_where_errors_were_large(seed: int) -> None:
    noise, errors, expected, before = _before(seed)
    better = torch.where(expected > 0.1, 0.5 * errors, errors)
    assert not learns_noise(before, expected, (noise - better).square())


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_learned_where_errors_were_small(seed: int) -> None:
    noise, errors, expected, before = _before(seed)
    assert learns_noise(before, expected, (0.95 * noise - errors).square())


@pytest.mark.parametrize("seed", range(20))
def test_a_trace_of_noise_does_no_harm(seed: int) -> None:
    noise, errors, expected, before = _before(seed)
    assert not learns_noise(before, 0.01 * expected, (0.999 * noise - errors).square())


def test_nothing_learned_is_no_noise_learned() -> None:
    _, _, expected, before = _before()
    assert not learns_noise(before, expected, before)


def test_without_held_out_pixels_nothing_is_known() -> None:
    nothing = torch.zeros((1, 0))
    assert not learns_noise(nothing, nothing, nothing)
