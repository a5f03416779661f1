"""What happened in a training: how far it came, how well it did, and what it found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..noise.refinement import Refinement
from ..partition import Partition


@dataclass
class TrainingRecord:
    """What happened in a training: it travels with the model and the results."""

    steps: int = 0
    planned_steps: int = 0
    seconds: float = 0.0
    best_step: int = 0
    held_out_loss: float = math.inf
    noise_floor: float | None = None
    """What the loss of a perfect image would be, as far as the network knows its errors; None where
    the noise could not be measured."""
    history: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, seconds, held-out loss) of each evaluation."""
    partition_changes: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """(step, partition) where another partition took over during the training."""
    noise_refinements: tuple[Refinement | None, ...] = ()
    """What the residuals say of the assumed noise, for each channel."""
    learned_noise: bool = False
    """Whether it was given up, as the network learned the noise; see `learned_noise`."""
    continued_after: list[int] = field(default_factory=list)
    """Steps at which a training was over, before it was continued."""
    held_out_by: Partition | None = None
    """The partition that chose the held-out pixels: that of the first training."""

    def followed_by(self, later: TrainingRecord) -> TrainingRecord:
        """Return the record of this training and a later one of the same network."""
        if not self.history:  # there was no training
            return later
        return TrainingRecord(
            steps=self.steps + later.steps,
            planned_steps=self.planned_steps + later.planned_steps,
            seconds=self.seconds + later.seconds,
            best_step=self.steps + later.best_step if later.best_step else self.best_step,
            held_out_loss=later.held_out_loss,
            noise_floor=later.noise_floor,
            history=self.history
            + [(self.steps + step, self.seconds + at, loss) for step, at, loss in later.history],
            partition_changes=self.partition_changes
            + [(self.steps + step, partition) for step, partition in later.partition_changes],
            noise_refinements=later.noise_refinements,
            learned_noise=later.learned_noise,
            continued_after=[*self.continued_after, self.steps],
            held_out_by=self.held_out_by,
        )
