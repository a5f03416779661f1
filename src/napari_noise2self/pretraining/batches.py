"""Batches of simulated patches, each step's decided by the seed and the number of the step.

Scenes are larger than patches and live for many steps: one in the pool is replaced now and then.
Nothing has to be remembered to go on where a run was killed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..partition import Partition
from ..settings import Fill
from ..stabilise import Stabiliser
from ..stable_noise import StableNoise
from .camera import Camera, expose
from .drawing import Image
from .hiding import Hiding
from .scenes import draw_scene

_SCENES, _STEPS, HELD_OUT = 0, 1, 2
"""Streams of random numbers that must not meet."""


@dataclass(frozen=True)
class Batch:
    """Patches that share a hiding. Each patch is a channel of `noise`, as each has a scale."""

    noisy: Tensor
    """float32 (B, 1, H, W)."""
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
    """Put noisy and clean patches (H, W) together, each at a random place of the partition."""
    noisy, clean = (
        torch.from_numpy(np.stack(images))[:, None] for images in zip(*pictures, strict=True)
    )
    origins = torch.from_numpy(random.integers(0, 2**20, (len(pictures), 2)))
    height, width = noisy.shape[-2:]
    labels = hiding.partition.labels((height, width), origins)
    subset = int(random.integers(hiding.partition.n_subsets))
    return Batch(
        noisy,
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
    ) -> None:
        self._seed, self._count, self._side = seed, count, side
        self._pool, self._scene_side, self._lifetime = pool, scene_side, steps_per_scene
        self._scenes: dict[int, Image] = {}

    def draw(self, step: int) -> Batch:
        """Return the batch of a step."""
        random = np.random.default_rng((self._seed, _STEPS, step))
        newest = step // self._lifetime + self._pool
        hiding = Hiding.draw(random)
        pictures, stabilisers = [], []
        for number in random.integers(newest - self._pool, newest, self._count):
            scene = self._scene(int(number), newest - self._pool)
            camera = Camera.draw(random)
            stabiliser = camera.stabiliser(random, scene[::3, ::3])
            patch = self._cut(random, scene)
            noise = hiding.draw_noise(random)
            pictures.append(expose(random, camera, patch, stabiliser, noise))
            stabilisers.append(stabiliser)
        return assemble(random, pictures, stabilisers, hiding)

    def _scene(self, number: int, oldest: int) -> Image:
        """Draw a scene, or take it from the pool; scenes before `oldest` are forgotten."""
        if number not in self._scenes:
            random = np.random.default_rng((self._seed, _SCENES, number))
            self._scenes[number] = draw_scene(random, (self._scene_side, self._scene_side))
            for old in [key for key in self._scenes if key < oldest]:
                del self._scenes[old]
        return self._scenes[number]

    def _cut(self, random: np.random.Generator, scene: Image) -> Image:
        """Cut a patch anywhere from a scene, flipped and transposed at random."""
        top, left = random.integers(0, self._scene_side - self._side + 1, 2)
        patch = scene[top : top + self._side, left : left + self._side]
        patch = patch[:: random.choice([-1, 1]), :: random.choice([-1, 1])]
        return patch.T if random.random() < 0.5 else patch
