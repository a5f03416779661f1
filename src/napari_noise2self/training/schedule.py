"""How a budget becomes the steps of a training: how many, how large, and when they are judged."""

from __future__ import annotations

import math
from statistics import median

from ..settings import Budget

_WARM_UP_STEPS = 30
_UNSTEADY_STEPS = 5
"""The first of them, which pay for what is loaded once, and say nothing of the speed."""
_EVALUATIONS = 24
_OVERDRAFT = 1.1
"""Share of the time budget after which a training ends that is slower than was planned."""


class Schedule:
    """The steps of one training.

    Parameters
    ----------
    budget : Budget
        For all that is trained on.

    Attributes
    ----------
    planned : int
        How many steps there will be.
    """

    def __init__(self, budget: Budget) -> None:
        self.planned = budget.max_steps
        self._budget = budget
        self._durations: list[float] = []

    def note(self, seconds: float) -> None:
        """Note how long a step took; after the warm-up, fit their number into the time budget.

        That single decision keeps a run repeatable: the same number of planned steps gives the
        same result. So nothing before it may depend on the number planned until then.
        """
        self._durations.append(seconds)
        if len(self._durations) == _WARM_UP_STEPS:
            self.planned = max(_WARM_UP_STEPS, min(self.planned, self._affordable()))

    def _affordable(self) -> int:
        """Return how many steps the time budget is enough for, at the pace of those so far."""
        return int(self._budget.max_seconds / median(self._durations[_UNSTEADY_STEPS:]))

    def learning_rate(self, step: int) -> float:
        """Return the rate of a step: a linear warm-up, then a cosine to zero."""
        highest = self._budget.learning_rate
        if step < _WARM_UP_STEPS:
            return highest * (step + 1) / _WARM_UP_STEPS
        share = (step - _WARM_UP_STEPS) / max(1, self.planned - _WARM_UP_STEPS)
        return highest * 0.5 * (1 + math.cos(math.pi * share))

    def evaluates_after(self, steps: int) -> bool:
        """Tell whether so many steps are followed by an evaluation; none precedes the planning."""
        interval = max(_WARM_UP_STEPS, math.ceil(self.planned / _EVALUATIONS))
        return steps % interval == 0 or steps == self.planned

    def is_overdrawn(self, seconds: float) -> bool:
        """Tell whether a training that has taken so long must end, whatever was planned."""
        return seconds > _OVERDRAFT * self._budget.max_seconds

    def seconds_left(self, steps: int, seconds: float) -> float:
        """Return how much longer a training takes that took so many steps in so long."""
        left = max(0.0, self._budget.max_seconds - seconds)
        if steps or not self.planned:
            left = min(left, seconds / max(steps, 1) * (self.planned - steps))
        return left
