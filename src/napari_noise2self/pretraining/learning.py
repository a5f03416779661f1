"""The learning itself: hide pixels of simulated images, predict the clean ones behind them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..axes import BESIDE
from ..devices import fastest_precision
from ..networks import UNet, build_network
from ..networks.head_start import load_head_start
from ..noise.stable_noise import signal_variance
from ..settings import Settings
from ..training.optimizer import update_average
from .batches import Batch, Batches
from .muon import Muon

_WARM_UP_STEPS = 200
_COOL_DOWN_SHARE = 0.7
_EMA_DECAY = 0.999
_LARGEST_GRADIENT = 2.0
_NOISE_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that decides the weights.

    Parameters
    ----------
    steps : int
        Optimiser steps in all.
    width, depth : int
        Of the UNet, see `Settings`.
    seed : int
        Of everything random.
    batch : int
        Patches of a step.
    learning_rate : float
        The highest.
    go_on : bool
        Begin with the weights for single images that the package ships, instead of random ones.
    stacks : bool
        Train a network that sees adjacent planes of a stack, too.
    """

    steps: int = 60_000
    width: int = 32
    depth: int = 3
    seed: int = 0
    batch: int = 8
    learning_rate: float = 2e-3
    go_on: bool = False
    stacks: bool = False

    @property
    def settings(self) -> Settings:
        """The settings that build such a network."""
        return Settings(width=self.width, depth=self.depth, seed=self.seed)

    @property
    def adjacent(self) -> int:
        """How many adjacent planes the network sees."""
        return len(BESIDE) if self.stacks else 0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: a warm-up, a plateau, a line down to zero.

        The plateau does not depend on the number of steps. So a run that was stopped early can
        be resumed with fewer steps to end well, or with more.
        """
        warm_up = min(1.0, (step + 1) / _WARM_UP_STEPS)
        cool_down = min(1.0, (1 - step / self.steps) / _COOL_DOWN_SHARE)
        return self.learning_rate * min(warm_up, max(cool_down, 0.0))


class Learner:
    """A network on its way through a plan, on the processor.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    batches : Batches, optional
        Where patches come from; by the plan's seed if None.
    """

    def __init__(self, plan: Plan, batches: Batches | None = None) -> None:
        self.plan = plan
        self.steps = 0
        self._batches = batches or Batches(plan.seed, plan.batch, stacks=plan.stacks)
        self._device = torch.device("cpu")
        self._precision = fastest_precision(self._device)
        network = build_network(plan.settings, adjacent=plan.adjacent)
        assert isinstance(network, UNet)
        if plan.go_on:
            _go_on(network)
        self._precision.arrange(network)
        self._network = network
        self.average = copy.deepcopy(self._network).requires_grad_(False).eval()
        self._optimizer = Muon(self._network.parameters(), self._precision.dtype)

    @property
    def precision(self) -> str:
        """Number type of the convolutions."""
        return str(self._precision.dtype or torch.float32).removeprefix("torch.")

    def step(self) -> float:
        """Take the next step, and return its loss."""
        batch = self._batches.draw(self.steps)
        loss = self._loss(batch)
        loss.backward()
        self._optimizer.step(self.plan.rate(self.steps), _LARGEST_GRADIENT)
        self.steps += 1
        update_average(self.average, self._network, self.steps, _EMA_DECAY)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        """Gaussian negative log-likelihood of target pixels with a little noise, on average.

        Were noise of variance n added to the clean pixel c anew for each step, the squared error
        would on average be (mean - c)² + n, and the right variance that of the signal plus n.
        Here n is a tenth of the noise. Simulated images, 2500 steps: with all of it, structure is
        as good (30.57 instead of 30.53 dB) but flat fields are twice as noisy (41.2 instead of
        46.8 dB); with a hundredth, structure is learned later (0.5 dB less after 1000 steps). To
        let it fall to a hundredth at the end changed no figure by more than 0.4 dB.
        """
        filled = batch.filled.contiguous(memory_format=self._precision.memory_format)
        with self._precision.autocast(self._device):
            mean, raw = self._network(filled, batch.beside)
        # each patch is a channel of the noise
        mean, raw, clean, targets = (
            part.transpose(0, 1) for part in (mean, raw, batch.clean, batch.targets)
        )
        noise = _NOISE_SHARE * batch.noise.assumed_variance(clean)
        variance = signal_variance(raw, batch.noise) + noise
        likelihood = ((mean - clean).square() + noise) / variance + variance.log()
        likelihood = torch.where(targets, likelihood - batch.noise.unit.log(), 0)
        return likelihood.sum() / (2 * targets.sum()).clamp(min=1)

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on later."""
        return {
            "steps": self.steps,
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        self.steps = state["steps"]
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.restore(state["optimizer"])


def _go_on(network: UNet) -> None:
    """Give a network the weights for single images; what it sees beside has no say at first."""
    single = build_network(Settings())
    load_head_start(single)
    weights = single.state_dict()
    if network.adjacent:
        first = "down.0.0.weight"
        shape = list(weights[first].shape)
        shape[1] = network.adjacent
        weights[first] = torch.cat((weights[first], torch.zeros(shape)), dim=1)
    network.load_state_dict(weights)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread inside the block: sums are then always taken in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
