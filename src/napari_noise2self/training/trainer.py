"""The self-supervised loop: hide pixels, predict them, score the prediction only there."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from operator import mul
from statistics import fmean, median

import torch
from torch import Tensor

from ..allocator import kept_memory
from ..arrays import Beside
from ..devices import fastest_precision, reproducible
from ..networks import Network
from ..noise.refinement import Refinement
from ..noise.stable_noise import StableNoise, signal_variance
from ..partition import Partition
from ..progress import Control, Progress
from ..settings import Settings
from .learned_noise import learns_noise
from .optimizer import AdamW, update_average
from .patches import Patches, any_detail
from .record import TrainingRecord
from .selection import Selection
from .self_check import SelfCheck
from .variance_prior import VariancePrior

_WARM_UP_STEPS = 30
_EVALUATIONS = 24
_EMA_DECAY = 0.99
_LARGEST_GRADIENT = 5.0
_REPORT_EVERY = 0.1


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
    held_out : list
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
        held_out_by = before.held_out_by or partition
        self.record = TrainingRecord(held_out_by=held_out_by)
        self.seconds_per_pixel = 0.0
        self._step_seconds: list[float] = []
        self._settings = settings
        self._budget = settings.budget_for(sum(plane.numel() for plane in planes))
        self._device = device = next(network.parameters()).device
        self._partition = partition
        self._precision = fastest_precision(device, settings.mixed_precision)
        self._network = network
        self._precision.arrange(self._network)
        self.average = copy.deepcopy(self._network).requires_grad_(False)
        self._selection = Selection(self._network)
        self._errors: list[float] = []  # what the weights to keep expect, for each channel
        self._untrained: tuple[Tensor, Tensor] | None = None  # scores and errors at step 0
        self._noise = noise.to(device)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._any_detail = any_detail(planes)
        self._planes = planes
        self._patches = Patches(planes, held_out_by, settings, device, beside)
        self._patches.turns = partition.exclusion.turns
        self.held_out = self._patches.held_out(self._generator)
        self._optimizer = AdamW(self._network.parameters())
        self._trained_before = before.steps > 0
        pretrained = settings.effective.start == "pretrained"
        self._has_learned = pretrained or self._trained_before
        self._prior = VariancePrior(network, self._noise, self._precision) if pretrained else None
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
        record, budget = self.record, self._budget
        planned = budget.max_steps if self._any_detail else 0
        evaluate_every = _evaluation_interval(planned)
        with reproducible(), kept_memory():
            if self._has_learned:  # no step may be best
                yield from self._tell(planned, self._evaluate(control))
            while record.steps < planned and not control.stopped:
                control.check()
                self._step(self._schedule(planned))
                record.steps += 1
                self._step_seconds.append(self._seconds - record.seconds)
                record.seconds = self._seconds
                if record.steps == _WARM_UP_STEPS:
                    planned = self._plan(planned)
                    evaluate_every = _evaluation_interval(planned)
                out_of_time = record.seconds > 1.1 * budget.max_seconds
                loss = None
                if record.steps % evaluate_every == 0 or record.steps == planned or out_of_time:
                    loss = self._evaluate(control)
                if loss is not None or time.monotonic() - last_report > _REPORT_EVERY:
                    yield from self._tell(planned, loss)
                    last_report = time.monotonic()
                if out_of_time or record.learned_noise:
                    break
            record.planned_steps = planned
            if not record.history or record.history[-1][0] != record.steps:
                yield from self._tell(planned, self._evaluate(control))
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

    def _tell(self, planned: int, loss: float | None) -> Iterator[Progress]:
        """Yield a report; the time that its reader takes is not training time."""
        told = time.monotonic()
        yield self._progress(planned, loss)
        self._started += time.monotonic() - told

    def _plan(self, planned: int) -> int:
        """Fit the number of steps into the time budget, once, by the speed seen so far.

        A single decision keeps a run repeatable: the same number of planned steps gives the same
        result. So nothing before it may depend on the number planned until then.
        """
        affordable = int(self._budget.max_seconds / median(self._step_seconds[5:]))
        return max(self.record.steps, min(planned, affordable))

    def _schedule(self, planned: int) -> float:
        """Return the learning rate: a linear warm-up, then a cosine to zero."""
        step, highest = self.record.steps, self._budget.learning_rate
        if step < _WARM_UP_STEPS:
            return highest * (step + 1) / _WARM_UP_STEPS
        share = (step - _WARM_UP_STEPS) / max(1, planned - _WARM_UP_STEPS)
        return highest * 0.5 * (1 + math.cos(math.pi * share))

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
        filled = self._fill(self._partition, image, hidden)
        with self._precision.autocast(self._device):
            mean, raw_variance = self._network(filled, beside)
        noise = self._noise.assumed_variance(mean.detach())
        signal = signal_variance(raw_variance, self._noise)
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
        found, started = [], time.monotonic()
        for image, hidden, present, target, beside in self.held_out:
            control.check()
            with self._precision.autocast(self._device):
                filled = self._fill(self._patches.partition, image, hidden | ~present)
                mean, raw = self.average(filled, beside)
            squares = torch.stack(((mean - image).square(), signal_variance(raw, self._noise)))
            scored = (squares / self._noise.unit).transpose(1, 2).flatten(2)
            found.append(scored[..., target.flatten()].cpu())
        scores, errors = torch.cat(found, dim=-1)
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
            self.average,
            self._precision,
            self._fill,
            self._planes,
            self._patches,
            self._partition,
            self._noise,
            trained=self.record.best_step > 0 or self._trained_before,
            held=self._prior is not None,
        )
        return check.run(self._generator, control)

    def _fill(self, partition: Partition, image: Tensor, hidden: Tensor) -> Tensor:
        """Fill hidden pixels, in the memory format of the network."""
        filled = partition.fill(image, hidden, self._settings.fill)
        return filled.contiguous(memory_format=self._precision.memory_format)

    def _progress(self, planned: int, loss: float | None) -> Progress:
        record = self.record
        left = max(0.0, self._budget.max_seconds - record.seconds)
        if record.steps or not planned:
            pace = record.seconds / max(record.steps, 1)
            left = min(left, pace * (planned - record.steps))
        return Progress("training", record.steps, planned, record.seconds, left, loss)


def _evaluation_interval(planned: int) -> int:
    """Return the number of steps between evaluations; the first never precedes the planning."""
    return max(_WARM_UP_STEPS, math.ceil(planned / _EVALUATIONS))
