"""The predicted variance stays near that of the pretrained network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from napari_noise2self.devices import fastest_precision
from napari_noise2self.networks import Blindfolded, create_network
from napari_noise2self.noise.stable_noise import signal_variance
from napari_noise2self.partition import Partition
from napari_noise2self.progress import Control
from napari_noise2self.settings import Settings
from napari_noise2self.training.trainer import Trainer
from napari_noise2self.training.variance_prior import VariancePrior
from simulate import TINY, gaussian_noise, stable_plane

CPU = torch.device("cpu")
NOISE = 0.2
SETTINGS = Settings(preset="fast", max_steps=30, max_seconds=600.0, batch_size=4)
PRECISION = fastest_precision(CPU, mixed=False)
PLANE = stable_plane(NOISE, side=96)


def _prior(channels: int = 1) -> tuple[VariancePrior, Tensor, Tensor]:
    """A prior, an input, and the variance that the pretrained network predicts for it."""
    noise = gaussian_noise(*[NOISE**2] * channels)
    network = create_network(SETTINGS, channels)
    filled = torch.randn((4, channels, 16, 24), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        variance = signal_variance(network(filled)[1], noise)
    return VariancePrior(Blindfolded(network, noise, PRECISION)), filled, variance


@pytest.mark.parametrize("channels", [1, 2])
def test_nothing_is_paid_for_the_pretrained_variance(channels: int) -> None:
    prior, filled, variance = _prior(channels)
    counted = torch.ones_like(variance, dtype=torch.bool)
    assert prior.penalty(filled, variance, counted) < 1e-9
    some, more = (float(prior.penalty(filled, variance * by, counted)) for by in (2, 4))
    assert more == pytest.approx(4 * some), "the square of the logarithm"
    assert float(prior.penalty(filled, variance / 2, counted)) == pytest.approx(some, rel=1e-4)


def test_only_pixels_that_count_are_looked_at() -> None:
    prior, filled, variance = _prior()
    counted = torch.zeros_like(variance, dtype=torch.bool)
    assert prior.penalty(filled, 9 * variance, counted) == 0
    counted[0, 0, 3, 5] = True
    spoilt = torch.where(counted, variance, 9 * variance)
    assert prior.penalty(filled, spoilt, counted) < 1e-9
    spoilt = torch.where(counted, 9 * variance, variance)
    assert prior.penalty(filled, spoilt, counted) > 1e-3


def test_the_pretrained_network_is_a_copy() -> None:
    noise, network = gaussian_noise(NOISE**2), create_network(SETTINGS)
    prior = VariancePrior(Blindfolded(network, noise, PRECISION))
    filled = torch.randn((1, 1, 16, 16))
    variance = torch.ones((1, 1, 16, 16)).requires_grad_()
    counted = torch.ones_like(variance, dtype=torch.bool)
    before = prior.penalty(filled, variance, counted).item()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    after = prior.penalty(filled, variance, counted)
    assert after.item() == before
    after.backward()
    assert variance.grad is not None
    assert all(parameter.grad is None for parameter in network.parameters())


def _predicted(prior: bool, assumed: float) -> tuple[float, float]:
    """Median predicted variance before and after a training that assumes such a noise."""
    noise, partition = gaussian_noise(assumed), Partition.from_settings(SETTINGS)
    trainer = Trainer(create_network(SETTINGS), [PLANE], noise, partition, SETTINGS)
    image, hidden, present, target, _ = trainer.held_out[0]
    filled = partition.fill(image, hidden | ~present)

    def median() -> float:
        with torch.no_grad():
            return float(signal_variance(trainer.average(filled)[1], noise)[target].median())

    before = median()
    if not prior:
        trainer._prior = None
    *_, last = (median() for _ in trainer.run(Control()))  # of weights that may not be kept
    return before, last


def test_noise_measured_too_strong_does_not_make_the_network_sure() -> None:
    before, bare = _predicted(prior=False, assumed=1.1 * NOISE**2)
    assert bare < 0.5 * before
    _, held = _predicted(prior=True, assumed=1.1 * NOISE**2)
    assert held > 0.7 * before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, True), ({"start": "fresh"}, False), ({"network": "dncnn"}, False), (TINY, False)],
)
def test_a_fresh_start_has_no_prior(changes: dict[str, Any], expected: bool) -> None:
    settings = Settings(**changes)
    network, partition = create_network(settings), Partition.from_settings(settings)
    noise = gaussian_noise(NOISE**2)
    trainer = Trainer(network, [PLANE], noise, partition, settings)
    assert (trainer._prior is not None) is expected
