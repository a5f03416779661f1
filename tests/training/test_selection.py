"""Of a training the latest weights are kept that are as good as the best, as far as known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from napari_noise2self.training.selection import Selection
from simulate import awake_network

PIXELS = 4000


def _scores(seed: int, error: float, shared: float = 1.0) -> Tensor:
    """Squared errors at noisy pixels: the same noise each time, and errors of the seed's own."""
    noise = shared * torch.randn(PIXELS, generator=torch.Generator().manual_seed(0))
    own = error * torch.randn(PIXELS, generator=torch.Generator().manual_seed(seed))
    return (noise - own).square()[None]


def _taken(*scores: Tensor) -> list[bool]:
    selection = Selection(awake_network())
    return [selection.offer(awake_network(), each) for each in scores]


def test_lower_losses_are_taken() -> None:
    assert _taken(*(_scores(seed, 1.0 / seed) for seed in range(1, 6))) == [True] * 5


def test_higher_ones_are_not() -> None:
    assert _taken(*(_scores(seed, 0.2 * seed) for seed in range(1, 6))) == [True] + [False] * 4


def test_nor_are_many_small_steps_for_the_worse() -> None:
    """All are compared with the best, not each with the one before."""
    errors = torch.linspace(0.1, 0.5, 50).tolist()
    taken = _taken(*(_scores(seed, error) for seed, error in enumerate(errors, start=1)))
    assert taken[0]
    assert not any(taken[20:])


def test_of_weights_that_are_alike_the_latest_are_taken_mostly() -> None:
    """Five in six times: an excess by less than its standard error, or none."""
    last = [_taken(_scores(2 * seed, 0.3), _scores(2 * seed + 1, 0.3))[1] for seed in range(1, 300)]
    assert sum(last) / len(last) == pytest.approx(0.84, abs=0.05)


def test_what_is_taken_is_a_copy() -> None:
    network = awake_network()
    selection = Selection(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    assert not all((weights == 1).all() for weights in selection.weights.values())
    assert selection.offer(network, _scores(1, 0.1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(2)
    assert not selection.offer(network, _scores(2, 1.0))
    assert all((weights == 1).all() for weights in selection.weights.values())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_went_wrong_are_never_taken(value: float) -> None:
    wrong = torch.full((1, PIXELS), value)
    assert _taken(wrong, _scores(1, 0.1), wrong, _scores(2, 0.05)) == [False, True, False, True]


def test_without_held_out_pixels_the_latest_are_taken() -> None:
    assert _taken(*[torch.empty(1, 0)] * 3) == [True] * 3


def test_channels_count_alike() -> None:
    one, other = _scores(1, 0.1), _scores(2, 0.5)
    assert _taken(torch.cat((one, other)), torch.cat((one, one))) == [True, True]
    assert _taken(torch.cat((one, one)), torch.cat((one, other))) == [True, False]


def test_weights_from_before_any_offer_can_be_taken_back() -> None:
    network = awake_network()
    selection = Selection(network)
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    assert selection.offer(network, _scores(1, 0.1))
    selection.take_back()
    assert all(torch.equal(selection.weights[name], weights) for name, weights in before.items())


def test_a_single_pixel_has_no_spread_and_decides_all_the_same() -> None:
    selection = Selection(awake_network())
    taken = [selection.offer(awake_network(), torch.tensor([[loss]])) for loss in (2.0, 1.0, 1.5)]
    assert taken == [True, True, False]
