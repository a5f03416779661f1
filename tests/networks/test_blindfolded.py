"""A blindfolded network says nothing that it could only know from hidden pixels."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.devices import Precision
from napari_noise2self.networks import Blindfolded
from napari_noise2self.noise.stable_noise import signal_variance
from napari_noise2self.partition import Partition
from napari_noise2self.settings import Fill
from simulate import awake_network, gaussian_noise

GRID = Partition("grid", 4)
IMAGE = torch.randn((2, 1, 16, 24), generator=torch.Generator().manual_seed(0))
HIDDEN = (GRID.labels((16, 24)) == 3)[:, None]


def _network(fill: Fill = "interpolate") -> Blindfolded:
    network = awake_network().requires_grad_(False)
    return Blindfolded(network, gaussian_noise(0.04), Precision(None, torch.channels_last), fill)


@pytest.mark.parametrize("fill", ["interpolate", "zero"])
def test_hidden_pixels_are_not_read(fill: Fill) -> None:
    network = _network(fill)
    spoilt = torch.where(HIDDEN, torch.nan, IMAGE)
    for one, same in zip(network(GRID, IMAGE, HIDDEN), network(GRID, spoilt, HIDDEN), strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, same)


@pytest.mark.parametrize("fill", ["interpolate", "zero"])
def test_it_says_what_the_network_says_of_the_filled_image(fill: Fill) -> None:
    network = _network(fill)
    filled = network.filled(GRID, IMAGE, HIDDEN)
    assert torch.equal(filled, GRID.fill(IMAGE, HIDDEN, fill))
    assert filled.is_contiguous(memory_format=torch.channels_last)
    mean, raw = network.network(filled)
    for said in (network.predict(filled), network(GRID, IMAGE, HIDDEN)):
        assert torch.equal(said[0], mean)
        assert torch.equal(said[1], signal_variance(raw, network.noise))
