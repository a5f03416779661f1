"""Simulated scenes: finite, of the shape asked for, repeatable, and something to see."""

import numpy as np
import pytest

from napari_noise2self.pretraining.drawing import deposited, draw_bodies, smooth_field
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.pretraining.structures import LEFT_OUT, STRUCTURES

KINDS = [*STRUCTURES, *LEFT_OUT]


@pytest.mark.parametrize("shape", [(48, 64), (12, 32, 24)], ids=["plane", "volume"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_is_finite_and_in_range(kind: str, shape: tuple[int, ...]) -> None:
    for seed in range(4):
        scene = draw_scene(np.random.default_rng(seed), shape, kind)
        assert scene.shape == shape
        assert scene.dtype == np.float32
        assert np.isfinite(scene).all()
        assert (scene.min(), scene.max()) == ((0, 0) if kind == "flat" else (0, 1))


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_the_same_seed_gives_the_same_scene(kind: str | None) -> None:
    first, same, other = (
        draw_scene(np.random.default_rng(seed), (40, 40), kind) for seed in (5, 5, 6)
    )
    assert np.array_equal(first, same)
    assert kind == "flat" or not np.array_equal(first, other)


def test_the_left_out_kinds_are_never_trained_on() -> None:
    assert not set(STRUCTURES) & set(LEFT_OUT)
    assert sum(share for _, share in STRUCTURES.values()) == pytest.approx(1)


def test_bodies_cover_the_area_of_their_radius() -> None:
    areas = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        bodies = draw_bodies(random, (200, 200), np.full(1, 12.0), stretch=1.0)
        areas += [
            float(body.coverage.sum())
            for body in bodies
            if all(part.start > 0 and part.stop < 200 for part in body.window)
        ]
    assert len(areas) > 10
    assert np.allclose(areas, np.pi * 12**2, rtol=0.02)


def test_points_outside_are_left_out() -> None:
    points = np.array([[1.0, 1.2], [1.0, 0.9], [-3.0, 0.0], [2.0, 7.0]])
    image = deposited(points, np.array([1.0, 2.0, 4.0, 8.0]), (3, 4))
    assert image[1, 1] == 3
    assert image.sum() == 3


def test_a_smooth_field_is_smooth_and_of_variance_1() -> None:
    field = smooth_field(np.random.default_rng(0), (64, 64), 5.0)
    assert field.std() == pytest.approx(1, rel=1e-3)
    assert np.abs(np.diff(field)).max() < 0.6
