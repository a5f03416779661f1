"""The steps of a training fit into its budget, and their number is settled once."""

from __future__ import annotations

import pytest

from napari_noise2self.settings import Budget
from napari_noise2self.training.schedule import Schedule

PACE = 0.5


def _schedule(max_steps: int = 240, max_seconds: float = 1e6) -> Schedule:
    return Schedule(Budget(max_steps, max_seconds, flips=1, classics=(), learning_rate=2e-3))


def _after(steps: int, **limits: float) -> Schedule:
    """Return the schedule after some steps, of which the first takes much longer."""
    schedule = _schedule(**limits)
    for step in range(steps):
        schedule.note(PACE if step else 100 * PACE)
    return schedule


@pytest.mark.parametrize("seconds", [10.0, 50.0, 100.0, 1000.0])
def test_steps_are_planned_once_by_the_usual_pace(seconds: float) -> None:
    assert _after(29, max_seconds=seconds).planned == 240
    planned = min(240, max(30, round(seconds / PACE)))
    assert _after(30, max_seconds=seconds).planned == planned
    assert _after(100, max_seconds=seconds).planned == planned


def test_rate_rises_and_falls_to_nothing() -> None:
    schedule = _schedule()
    rates = [schedule.learning_rate(step) for step in range(241)]
    assert max(rates) == rates[29] == rates[30] == 2e-3
    assert rates[:30] == sorted(rates[:30])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert 0 < rates[0] < 1e-4
    assert rates[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("max_steps", "evaluations"), [(10, 1), (30, 1), (240, 8), (2400, 24)])
def test_evaluations_are_few_and_one_is_at_the_end(max_steps: int, evaluations: int) -> None:
    schedule = _schedule(max_steps)
    steps = [step for step in range(1, max_steps + 1) if schedule.evaluates_after(step)]
    assert len(steps) == evaluations
    assert steps[0] >= min(30, max_steps)
    assert steps[-1] == max_steps


def test_a_training_may_take_a_little_longer_than_planned() -> None:
    schedule = _schedule(max_seconds=10.0)
    assert not schedule.is_overdrawn(10.5)
    assert schedule.is_overdrawn(11.5)


def test_time_left_is_that_of_the_steps_or_of_the_budget() -> None:
    assert _schedule(100, 50.0).seconds_left(0, 0.0) == 50
    assert _schedule(100, 50.0).seconds_left(20, 4.0) == pytest.approx(16)
    assert _schedule(100, 5.0).seconds_left(20, 4.0) == pytest.approx(1)
    assert _schedule(0).seconds_left(0, 0.0) == 0
