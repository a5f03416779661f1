"""Planes of simulated stacks: what is beside a plane is like it, more or less."""

import numpy as np
import pytest

from napari_noise2self.networks import build_network
from napari_noise2self.pretraining.batches import Batches
from napari_noise2self.pretraining.held_out import FILMS, NOISES, HeldOut
from napari_noise2self.pretraining.learning import Learner, Plan
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.pretraining.stacks import PLANES, draw_stack, end_of_stack
from napari_noise2self.settings import Settings

SMALL = {"pool": 4, "scene_side": 48, "steps_per_scene": 2, "stacks": True}
SHAPES = {"film": (72, 72), "volume": (13, 48, 48)}


def _stack(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(seed)
    scenes = tuple(draw_scene(random, shape, "leaves") for _ in range(2))
    return draw_stack(random, scenes, 32)


@pytest.mark.parametrize("kind", SHAPES)
def test_planes_are_finite_and_in_range(kind: str) -> None:
    for seed in range(20):
        stack = _stack(seed, SHAPES[kind])
        assert stack.shape == (PLANES, 32, 32)
        assert stack.dtype == np.float32
        assert np.isfinite(stack).all()
        assert stack.min() >= 0
        assert stack.max() <= 1


@pytest.mark.parametrize("kind", SHAPES)
def test_most_planes_are_like_those_beside_them(kind: str) -> None:
    alike, still = [], 0
    for seed in range(40):
        stack = _stack(seed, SHAPES[kind])
        middle = PLANES // 2
        change = np.mean((stack[middle] - stack[middle + 1]) ** 2)
        still += change == 0
        alike.append(change < np.var(stack[middle]))
    assert np.mean(alike) > 0.7  # not so the finest textures, once they drift
    assert (still > 0) == (kind == "film")


def test_the_same_seed_gives_the_same_planes() -> None:
    first, same, other = (_stack(seed, SHAPES["film"]) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_window_moves_by_fractions_of_a_pixel_in_all_planes_alike() -> None:
    """Were only some planes smoothed, the network would tell them by that."""
    sharpness = np.mean(
        [np.abs(np.diff(_stack(s, (72, 72)))).mean(axis=(1, 2)) for s in range(60)], 0
    )
    assert np.ptp(sharpness) < 0.1 * sharpness.mean()


def test_every_number_of_planes_at_an_end_is_drawn() -> None:
    random = np.random.default_rng(0)
    ends = {tuple(end_of_stack(random).tolist()) for _ in range(3000)}
    assert len(ends) == 9
    assert all(end[PLANES // 2] for end in ends)


def test_batches_of_stacks() -> None:
    batches = Batches(0, 3, 32, **SMALL)
    missing = 0
    for step in range(10):
        batch = batches.draw(step)
        assert batch.noisy.shape == (3, 1, 32, 32)
        assert batch.beside is not None
        assert batch.beside.shape == (3, 1, PLANES - 1, 32, 32)
        missing += int((~batch.beside.flatten(3).any(-1)).sum())
    assert 0 < missing < 10 * 3 * (PLANES - 1) / 2


def test_the_noise_beside_is_independent() -> None:
    batches = Batches(0, 8, 32, **SMALL)
    products = []
    for step in range(20):
        batch = batches.draw(step)
        assert batch.beside is not None
        own = batch.noisy - batch.clean
        own = own / own.std(dim=(1, 2, 3), keepdim=True)
        for other in batch.beside.unbind(2):
            high = other - other.roll(1, -1)
            products.append(float((own * high).mean() / max(float(high.std()), 1e-6)))
    assert abs(np.mean(products)) < 0.02


def test_films_are_measured_where_a_network_sees_them() -> None:
    figures = HeldOut(images=1)
    single, stacked = (figures.figures(build_network(Settings(), adjacent=n)) for n in (0, 4))
    assert single.keys() == set(NOISES)
    assert stacked.keys() == {*NOISES, *FILMS}


def test_learning_begins_with_the_weights_for_single_images() -> None:
    """So that at first, what is beside has no say."""
    learner = Learner(Plan(stacks=True, go_on=True, batch=2), Batches(0, 2, 32, **SMALL))
    single = Learner(Plan(go_on=True, batch=2), Batches(0, 2, 32))
    image = Batches(0, 2, 32, **SMALL).draw(0)
    for found, expected in zip(
        learner.average(image.noisy, image.beside), single.average(image.noisy), strict=True
    ):
        assert np.allclose(found.detach(), expected.detach(), atol=2e-2)
    learner.step()
    assert learner.average.down[0][0].weight[:, 1:].any()
