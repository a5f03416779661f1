"""The self-supervised loop: hide pixels, predict them, score the prediction only there."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from operator import mul
from statistics import fmean

import torch
from torch import Tensor

from ..allocator import kept_memory
from ..axes import Beside
from ..devices import fastest_precision, reproducible
from ..networks import Blindfolded, Network
from ..noise.refinement import Refinement
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control, Progress
from ..settings import Settings
from .held_out import score
from .learned_noise import learns_noise
from .optimizer import AdamW, update_average
from .patches import Patches, any_detail
from .record import TrainingRecord
from .schedule import Schedule
from .selection import Selection
from .self_check import SelfCheck
from .variance_prior import VariancePrior

_EMA_DECAY = 0.99  # weights are averaged over some hundred steps
_LARGEST_GRADIENT = 5.0  # its norm: single outliers must not throw the weights about
_REPORT_EVERY = 0.1  # seconds


class Trainer:
    """Trains a network in place; iterate over `run` to make it go.

    Parameters
    ----------
    network : Network
        On the device where to train; holds the weights to keep when `run` is through.
    planes : sequence of Tensor
        Stabilised float32 images of shape (C, H, W); NaN marks missing pixels.
    noise : StableNoise
        Of the stabilised images.
    partition : Partition
        Which pixels are hidden together.
    settings : Settings
        The rest.
    before : TrainingRecord, optional
        Of the training that the network has had.
    beside : sequence of tuple, optional
        For each plane the numbers of those beside it, if the network sees them.

    Attributes
    ----------
    record : TrainingRecord
        What happened so far.
    held_out_by : Partition
        Of which the held-out pixels are the first subsets: that of the first training.
    held_out : list of HeldOut
        The fixed patches on which weights are ranked; see `Patches.held_out`.
    average : Network
        With the weights averaged over the last steps, which make the result if they are best.
    seconds_per_pixel : float
        That one pass of the network took when held-out pixels were last predicted; 0 before.
    """

    def __init__(
        self,
        network: Network,
        planes: Sequence[Tensor],
        noise: StableNoise,
        partition: Partition,
        settings: Settings,
        before: TrainingRecord | None = None,
        beside: Sequence[Beside] | None = None,
    ) -> None:
        before = before or TrainingRecord()
        self.held_out_by = before.held_out_by or partition
        self.record = TrainingRecord(held_out_by=self.held_out_by)
        self.seconds_per_pixel = 0.0
        self._settings = settings
        self._partition = partition
        device = next(network.parameters()).device
        precision = fastest_precision(device, settings.mixed_precision)
        precision.arrange(network)
        self._network = network
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self._noise = noise.to(device)
        self._learner = Blindfolded(network, self._noise, precision, settings.fill)
        self._judged = replace(self._learner, network=self.average)
        self._selection = Selection(network)
        self._errors: list[float] = []  # what the weights to keep expect, for each channel
        self._untrained: tuple[Tensor, Tensor] | None = None  # scores and errors at step 0
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._planes = planes
        budget = settings.budget_for(sum(plane.numel() for plane in planes))
        self._schedule = Schedule(budget if any_detail(planes) else replace(budget, max_steps=0))
        self._patches = Patches(planes, self.held_out_by, settings, device, beside)
        self._patches.turns = partition.exclusion.turns
        self.held_out = self._patches.held_out(self._generator)
        self._optimizer = AdamW(network.parameters())
        self._trained_before = before.steps > 0
        pretrained = settings.effective.start == "pretrained"
        self._has_learned = pretrained or self._trained_before
        self._prior = VariancePrior(self._learner) if pretrained else None
        if before.steps:  # the same held-out pixels, but not the same batches again
            self._generator.manual_seed(settings.seed + before.steps)

    def run(self, control: Control) -> Iterator[Progress]:
        """Train until the budget is spent or `control` says stop, then keep the weights selected.

        Yields
        ------
        Progress
            About ten times a second, and at each evaluation on the held-out pixels.

        Raises
        ------
        Cancelled
            Within one step of the cancellation.
        """
        self._started = last_report = time.monotonic()
        record, schedule = self.record, self._schedule
        with reproducible(), kept_memory():
            if self._has_learned:  # no step may be best
                yield from self._tell(self._evaluate(control))
            while record.steps < schedule.planned and not control.stopped:
                control.check()
                self._step(schedule.learning_rate(record.steps))
                record.steps += 1
                schedule.note(self._seconds - record.seconds)
                record.seconds = self._seconds
                overdrawn = schedule.is_overdrawn(record.seconds)
                loss = None
                if overdrawn or schedule.evaluates_after(record.steps):
                    loss = self._evaluate(control)
                if loss is not None or time.monotonic() - last_report > _REPORT_EVERY:
                    yield from self._tell(loss)
                    last_report = time.monotonic()
                if overdrawn or record.learned_noise:
                    break
            record.planned_steps = schedule.planned
            if not record.history or record.history[-1][0] != record.steps:
                yield from self._tell(self._evaluate(control))
        self._network.load_state_dict(self._selection.weights)
        self.average.load_state_dict(self._selection.weights)
        record.noise_refinements = self._check_itself(control)
        record.noise_floor = self._noise_floor()
        record.seconds = self._seconds

    @property
    def partition(self) -> Partition:
        """Which pixels are hidden together; another one takes over at the next step.

        The held-out pixels, and what is hidden with them, stay as they are: losses before and
        after can be compared.
        """
        return self._partition

    @partition.setter
    def partition(self, partition: Partition) -> None:
        if partition != self._partition:
            self._partition = partition
            self._patches.turns = partition.exclusion.turns
            self.record.partition_changes.append((self.record.steps, asdict(partition)))

    @property
    def _seconds(self) -> float:
        """Time spent on training so far."""
        return time.monotonic() - self._started

    def _tell(self, loss: float | None) -> Iterator[Progress]:
        """Yield a report; the time that its reader takes is not training time."""
        told, record = time.monotonic(), self.record
        left = self._schedule.seconds_left(record.steps, record.seconds)
        planned = self._schedule.planned
        yield Progress("training", record.steps, planned, record.seconds, left, loss)
        self._started += time.monotonic() - told

    def _step(self, learning_rate: float) -> None:
        """Take one optimiser step on a fresh batch of patches."""
        batch = self._patches.draw(self._settings.batch_size, self._generator)
        labels = self._patches.random_labels(self._partition, batch, self._generator)
        targets = labels.unsqueeze(1) == 0
        hidden = self._partition.hide(targets) | ~batch.present
        loss = self._loss(batch.image, hidden, targets & batch.trainable, batch.beside)
        loss.backward()
        self._optimizer.step(learning_rate, _LARGEST_GRADIENT)
        update_average(self.average, self._network, self.record.steps, _EMA_DECAY)

    def _loss(
        self, image: Tensor, hidden: Tensor, target: Tensor, beside: Tensor | None = None
    ) -> Tensor:
        """Gaussian negative log-likelihood of the noisy pixels, at the targets only.

        The network gives mean and variance of the clean signal; the noisy pixel varies around
        them by the noise besides (Laine et al. 2019, with a Gaussian noise of known variance).
        """
        filled = self._learner.filled(self._partition, image, hidden)
        mean, signal = self._learner.predict(filled, beside)
        noise = self._noise.assumed_variance(mean.detach())
        prior = mean.new_zeros(())
        if self._prior:
            prior = self._prior.penalty(filled, signal, target & (noise > 0), beside)
        variance = signal + noise
        likelihood = (mean - image).square() / variance + variance.log()
        likelihood = torch.where(target, likelihood, 0)
        loss: Tensor = likelihood.sum() / (target.sum() * image.shape[1]).clamp(min=1)
        return torch.add(loss, prior) / 2

    @torch.no_grad()
    def _evaluate(self, control: Control) -> float:
        """Score the averaged weights at the held-out pixels; see `Selection`."""
        started = time.monotonic()
        scores, errors = score(self._judged, self.held_out_by, self.held_out, control)
        pixels = sum(each.image.numel() for each in self.held_out)
        self.seconds_per_pixel = (time.monotonic() - started) / pixels
        record, loss = self.record, float(scores.mean()) if scores.numel() else 0.0
        record.history.append((record.steps, record.seconds, loss))
        if self._prior and not record.steps:  # others don't know their errors
            self._untrained = scores, errors
        if self._untrained and learns_noise(*self._untrained, scores):
            record.learned_noise = True
            self._selection.take_back()
            self._keep(0, record.history[0][-1], self._untrained[1])
        elif self._selection.offer(self.average, scores):
            self._keep(record.steps, loss, errors)
        return loss

    def _keep(self, step: int, loss: float, errors: Tensor) -> None:
        """Note what is known of the weights to keep."""
        self.record.best_step, self.record.held_out_loss = step, loss
        self._errors = errors.mean(dim=1).nan_to_num().tolist()

    def _noise_floor(self) -> float | None:
        """Return the held-out loss less the error that the network has by its own account.

        That is the noise at the very pixels that were held out; the noise model may be some per
        cent off, which is as much as that error.
        """
        record = self.record
        if not self._noise.assumed.any(dim=1).all() or not all(record.noise_refinements):
            return None
        doubts = [found.doubt for found in record.noise_refinements if found]
        return max(record.held_out_loss - fmean(map(mul, self._errors, doubts)), 0.0)

    def _check_itself(self, control: Control) -> tuple[Refinement | None, ...]:
        """See how far noise and predicted variance are right."""
        check = SelfCheck(
            self._judged,
            self._planes,
            self._patches,
            self._partition,
            trained=self.record.best_step > 0 or self._trained_before,
            held=self._prior is not None,
        )
        return check.run(self._generator, control)
