"""Batches of simulated patches, each step's decided by the seed and the number of the step.

Scenes are larger than patches and live for many steps: one in the pool is replaced now and then.
Nothing has to be remembered to go on where a run was killed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..noise.stabilise import Stabiliser
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..settings import Fill
from .camera import Camera, expose
from .drawing import Image, chance
from .hiding import Hiding
from .scenes import draw_scene
from .stacks import PLANES, draw_stack, end_of_stack

_VOLUMES = 0.4
_VOLUME_DEPTH = 13
_SCENES, _STEPS, HELD_OUT = 0, 1, 2
"""Streams of random numbers that must not meet."""


@dataclass(frozen=True)
class Batch:
    """Patches that share a hiding. Each patch is a channel of `noise`, as each has a scale."""

    noisy: Tensor
    """float32 (B, 1, H, W)."""
    beside: Tensor | None
    """float32 (B, 1, 4, H, W): adjacent planes, 0 where there are none; None for single images."""
    clean: Tensor
    """float32 (B, 1, H, W)."""
    targets: Tensor
    """bool (B, 1, H, W): the pixels to predict."""
    noise: StableNoise
    """Of B channels."""
    partition: Partition
    fill: Fill

    @property
    def filled(self) -> Tensor:
        """What the network is given."""
        return self.partition.fill(self.noisy, self.partition.hide(self.targets), self.fill)


def assemble(
    random: np.random.Generator,
    pictures: list[tuple[Image, Image]],
    stabilisers: list[Stabiliser],
    hiding: Hiding,
) -> Batch:
    """Put noisy and clean patches together, each at a random place of the partition.

    They are of shape (H, W), or (PLANES, H, W) with that to predict in the middle.
    """
    noisy, clean = (
        torch.from_numpy(np.stack(images))[:, None] for images in zip(*pictures, strict=True)
    )
    beside = None
    if noisy.ndim == 5:
        middle = PLANES // 2
        beside = torch.cat((noisy[:, :, :middle], noisy[:, :, middle + 1 :]), dim=2)
        noisy, clean = noisy[:, :, middle], clean[:, :, middle]
    origins = torch.from_numpy(random.integers(0, 2**20, (len(pictures), 2)))
    height, width = noisy.shape[-2:]
    labels = hiding.partition.labels((height, width), origins)
    subset = int(random.integers(hiding.partition.n_subsets))
    return Batch(
        noisy,
        beside,
        clean,
        (labels == subset)[:, None],
        StableNoise.of(stabilisers),
        hiding.partition,
        hiding.fill,
    )


class Batches:
    """An endless supply of batches.

    Parameters
    ----------
    seed : int
        Decides all scenes and all steps.
    count, side : int
        Patches in a batch, and their side in pixels.
    pool : int
        Number of scenes that patches are drawn from at a time.
    scene_side : int
        Side of a scene in pixels.
    steps_per_scene : int
        How many steps go by before the oldest scene is replaced.
    stacks : bool
        Patches are of `PLANES` planes of a stack; some of the scenes are volumes then.
    """

    def __init__(
        self,
        seed: int,
        count: int = 16,
        side: int = 64,
        *,
        pool: int = 384,
        scene_side: int = 192,
        steps_per_scene: int = 3,
        stacks: bool = False,
    ) -> None:
        self._seed, self._count, self._side = seed, count, side
        self._pool, self._scene_side, self._lifetime = pool, scene_side, steps_per_scene
        self._stacks = stacks
        self._scenes: dict[int, Image] = {}

    def draw(self, step: int) -> Batch:
        """Return the batch of a step."""
        random = np.random.default_rng((self._seed, _STEPS, step))
        newest = step // self._lifetime + self._pool
        hiding = Hiding.draw(random)
        pictures, stabilisers = [], []
        oldest = newest - self._pool
        for number in random.integers(oldest, newest, self._count):
            scene = self._scene(int(number), oldest)
            camera = Camera.draw(random)
            stabiliser = camera.stabiliser(random, scene[::4] if scene.ndim == 3 else scene)
            if self._stacks:
                other = self._scene(int(random.integers(oldest, newest)), oldest)
                patch = draw_stack(random, (scene, other), self._side)
            else:
                patch = self._cut(random, scene)
            noise = hiding.draw_noise(random)
            noisy, clean = expose(random, camera, patch, stabiliser, noise)
            if self._stacks:
                noisy[~end_of_stack(random)] = 0
            pictures.append((noisy, clean))
            stabilisers.append(stabiliser)
        return assemble(random, pictures, stabilisers, hiding)

    def _scene(self, number: int, oldest: int) -> Image:
        """Draw a scene, or take it from the pool; scenes before `oldest` are forgotten."""
        if number not in self._scenes:
            random = np.random.default_rng((self._seed, _SCENES, number))
            shape: tuple[int, ...] = (self._scene_side, self._scene_side)
            if self._stacks and chance(random, _VOLUMES):
                shape = (_VOLUME_DEPTH, *shape)
            self._scenes[number] = draw_scene(random, shape)
            for old in [key for key in self._scenes if key < oldest]:
                del self._scenes[old]
        return self._scenes[number]

    def _cut(self, random: np.random.Generator, scene: Image) -> Image:
        """Cut a patch anywhere from a scene, flipped and transposed at random."""
        top, left = random.integers(0, self._scene_side - self._side + 1, 2)
        patch = scene[top : top + self._side, left : left + self._side]
        patch = patch[:: random.choice([-1, 1]), :: random.choice([-1, 1])]
        return patch.T if random.random() < 0.5 else patch
