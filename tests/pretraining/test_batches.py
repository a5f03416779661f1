"""Batches: hidden by the package's own partitions, and the same again for the same step."""

import numpy as np
import pytest
import torch

from napari_noise2self.pretraining.batches import Batch, Batches
from napari_noise2self.pretraining.hiding import Hiding

SMALL = {"pool": 4, "scene_side": 48, "steps_per_scene": 2}


def _images(batch: Batch) -> list[torch.Tensor]:
    return [batch.noisy, batch.clean, batch.targets, batch.filled, batch.noise.unit]


def test_shapes_and_types() -> None:
    batch = Batches(0, 3, 32, **SMALL).draw(0)
    assert batch.noisy.shape == batch.clean.shape == batch.targets.shape == (3, 1, 32, 32)
    assert batch.noisy.dtype == batch.clean.dtype == torch.float32
    assert batch.targets.dtype == torch.bool
    assert batch.noise.unit.shape == (1, 3, 1, 1)
    assert all(torch.isfinite(image).all() for image in _images(batch))


def test_a_step_is_the_same_whatever_came_before() -> None:
    steady = Batches(7, 2, 32, **SMALL)
    for step in range(12):
        last = steady.draw(step)
    fresh = Batches(7, 2, 32, **SMALL).draw(11)
    assert all(torch.equal(*pair) for pair in zip(_images(last), _images(fresh), strict=True))
    other = Batches(8, 2, 32, **SMALL).draw(11)
    assert not torch.equal(last.noisy, other.noisy)


def test_old_scenes_are_forgotten() -> None:
    batches = Batches(0, 8, 32, **SMALL)
    for step in range(20):
        batches.draw(step)
    assert len(batches._scenes) <= 5


@pytest.mark.parametrize("step", range(12))
def test_nothing_hidden_reaches_the_network(step: int) -> None:
    batch = Batches(1, 2, 40, **SMALL).draw(step)
    hidden = batch.partition.hide(batch.targets)
    assert (hidden >= batch.targets).all()
    filled = batch.filled
    batch.noisy[hidden] = torch.nan
    assert torch.equal(batch.filled, filled)


def test_hidings_are_what_users_can_ask_for() -> None:
    drawn = [Hiding.draw(np.random.default_rng(seed)) for seed in range(300)]
    partitions = [hiding.partition for hiding in drawn]
    assert {partition.kind for partition in partitions} == {"grid", "random"}
    assert {partition.size for partition in partitions if partition.kind == "grid"} == {
        *range(2, 11)
    }
    kinds = {partition.exclusion.kind for partition in partitions}
    assert kinds == {"none", "horizontal", "vertical", "plus", "square"}
    assert {hiding.fill for hiding in drawn} == {"interpolate", "zero"}
