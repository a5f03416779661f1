"""Planes of simulated stacks: five in a row of a volume, or of a film of something that moves.

What a network can learn from adjacent planes is which of their structure is its own plane's, too.
So there is all that happens to it: nothing at all, drift and jitter of the stage, things that move
over others, cells that light up, bleaching, focus that goes through a specimen, and now and then
planes that have nothing to do with each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..axes import BESIDE
from .drawing import Image, chance, log_uniform

PLANES = 1 + len(BESIDE)
_BESIDE = np.arange(PLANES) - PLANES // 2
_STILL = 0.3
_LAYERED = 0.4
_ACTIVE = 0.2
_UNSTEADY = 0.4
_UNRELATED = 0.04
_ALONE = 0.05
_ENDS = 0.15
_SPEEDS = 0.05, 3.0
_FARTHEST_APART = 3
_MARGIN = 4


def draw_stack(random: np.random.Generator, scenes: tuple[Image, Image], side: int) -> Image:
    """Cut planes of a stack out of scenes.

    Parameters
    ----------
    random : Generator
        Source of everything random.
    scenes : tuple of ndarray
        Two, each a volume of at least `PLANES` planes or a single plane, float32 from 0 to 1. The
        second plays a part where things move over others, or are unrelated.
    side : int
        Of the planes, in pixels.

    Returns
    -------
    ndarray
        float32 of shape (PLANES, side, side), from 0 to 1. The middle one is to be predicted.
    """
    scene, other = scenes
    stack = _volume(random, scene, side)
    if scene.ndim == 2 and chance(random, _LAYERED):
        share = np.float32(random.uniform(0.1, 0.9))
        stack = (1 - share) * stack + share * _volume(random, other, side)
    elif chance(random, _ACTIVE):
        stack = stack * _activity(random, _volume(random, other, side)[PLANES // 2])
    if chance(random, _UNSTEADY):
        drift, jitter = log_uniform(random, 0.003, 0.1) * random.standard_normal(2)
        light = np.exp(drift * _BESIDE + jitter * random.standard_normal(PLANES))
        stack = stack * light[:, None, None].astype(np.float32)
    if chance(random, _UNRELATED):
        stack = np.where(_BESIDE[:, None, None] == 0, stack, _volume(random, other, side))
    stack = stack / max(1.0, float(stack.max()))
    return np.ascontiguousarray(_turned(random, stack), dtype=np.float32)


def end_of_stack(random: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which planes are there: mostly all, but not at an end of a stack, or of a short one.

    Returns
    -------
    ndarray
        bool of shape (PLANES,), true in the middle.
    """
    if chance(random, _ALONE):
        return np.asarray(_BESIDE == 0)
    below, above = (
        random.integers(PLANES // 2) if chance(random, _ENDS) else PLANES // 2 for _ in range(2)
    )
    return np.asarray((-below <= _BESIDE) & (above >= _BESIDE))


def _volume(random: np.random.Generator, scene: Image, side: int) -> Image:
    """Return some planes of a volume, or of a film of a plane."""
    if scene.ndim == 2:
        return _film(scene, _path(random, scene.shape, side), side)
    apart = int(random.integers(1, 1 + min(_FARTHEST_APART, (len(scene) - 1) // (PLANES - 1))))
    first = random.integers(len(scene) - (PLANES - 1) * apart)
    top, left = (random.integers(extent - side + 1) for extent in scene.shape[1:])
    return scene[first::apart][:PLANES, top : top + side, left : left + side]


def _path(random: np.random.Generator, shape: tuple[int, ...], side: int) -> NDArray[np.float64]:
    """Draw where the window begins in each plane, (PLANES, 2): it stays, or drifts and shakes."""
    room = np.array(shape) - side
    start = random.uniform(0, room)
    if chance(random, _STILL):
        return np.tile(np.rint(start), (PLANES, 1))
    speed, shake = log_uniform(random, *_SPEEDS), random.choice([0.0, 0.5, 1.0])
    angle = random.uniform(0, 2 * np.pi)
    way = speed * np.outer(_BESIDE, [np.cos(angle), np.sin(angle)])
    way += speed * shake * random.standard_normal((PLANES, 2))
    return np.clip(start + way, 0, room)


def _film(scene: Image, path: NDArray[np.float64], side: int) -> Image:
    """Cut a window out of a scene at each place of a path, between its pixels by cubic splines."""
    planes = []
    for top, left in path:
        corner = np.floor([top, left]).astype(int)
        low = np.maximum(corner - _MARGIN, 0)
        rows, columns = (slice(a, b + side + 1 + _MARGIN) for a, b in zip(low, corner, strict=True))
        part, offset = scene[rows, columns], np.array([top, left]) - low
        if offset.any() and (offset % 1).any():
            part = ndimage.shift(part, -(offset % 1), order=3, mode="nearest")
        top, left = np.floor(offset).astype(int)
        planes.append(part[top : top + side, left : left + side])
    return np.clip(np.stack(planes), 0, 1)


def _activity(random: np.random.Generator, places: Image) -> Image:
    """Return by how much the light of each plane changes where `places` is bright."""
    changes = log_uniform(random, 0.1, 2) * random.standard_normal((PLANES, 1, 1))
    return np.asarray(np.exp(np.clip(changes, -3, 3) * places), dtype=np.float32)


def _turned(random: np.random.Generator, stack: Image) -> Image:
    """Flip and transpose the planes at random, all alike, and turn the order of planes round."""
    down, across, back = random.choice([-1, 1], 3)
    stack = stack[::back, ::down, ::across]
    return stack.swapaxes(1, 2) if chance(random, 0.5) else stack
