"""How good the weights are on simulated images that no training ever sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from ..networks import Network
from ..partition import Partition
from ..settings import ExclusionKind, Settings
from .batches import HELD_OUT, Batch, assemble
from .camera import NO_CORRELATION, WHITE_SHAPE, Camera, NoiseShape, expose
from .drawing import Image
from .hiding import Hiding
from .scenes import draw_scene
from .stacks import PLANES
from .structures import LEFT_OUT, STRUCTURES

_SEED = 20_011
_AMPLITUDE = 15.0
"""Range of the held-out scenes in noise standard deviations: the noisy ones have 23.5 dB."""
_SIDE = 96
_BLUR = np.exp(-0.5 * (np.arange(-3, 4) / 0.8) ** 2)

NOISES: dict[str, tuple[NoiseShape, ExclusionKind]] = {
    "white": (WHITE_SHAPE, "none"),
    "across": (NoiseShape(_BLUR, NO_CORRELATION), "horizontal"),
    "both": (NoiseShape(_BLUR, _BLUR), "square"),
}
"""White noise, and noise correlated by 0.68 at one pixel with the exclusion that fits it."""

FILMS = {"still": 0.0, "drifting": 1.5}
"""Of stacks: how far the scene moves from plane to plane, in pixels, under white noise."""


@dataclass(frozen=True)
class HeldOut:
    """Fixed noisy scenes of each kind of structure, for one kind of noise.

    Parameters
    ----------
    images : int
        Number of scenes of each kind.
    """

    images: int = 6

    @torch.no_grad()
    def figures(self, network: Network) -> dict[str, dict[str, float]]:
        """Return the PSNR in dB for each kind of noise and of structure.

        The range is that of the clean scene; for a flat one, what it would be. Measured on
        J-invariant predictions of one subset.
        """
        wanted = [*NOISES, *(FILMS if network.adjacent else ())]
        return {
            noise: {
                kind: _psnr(network, self._batch(kind, noise)) for kind in [*STRUCTURES, *LEFT_OUT]
            }
            for noise in wanted
        }

    def _batch(self, kind: str, noise: str) -> Batch:
        """Make the images of a kind, always the same."""
        shape, exclusion = NOISES.get(noise, NOISES["white"])
        settings = Settings(exclusion=exclusion, exclusion_radius=2)
        hiding = Hiding(Partition.from_settings(settings), "interpolate")
        random = np.random.default_rng((_SEED, HELD_OUT))
        camera = Camera.gaussian(_AMPLITUDE)
        pictures, stabilisers = [], []
        for _ in range(self.images):
            scene = draw_scene(random, (_SIDE, _SIDE), kind)
            stabilisers.append(camera.stabiliser(random, scene))
            if noise in FILMS:
                scene = _film(scene, FILMS[noise])
            pictures.append(expose(random, camera, scene, stabilisers[-1], shape))
        return assemble(random, pictures, stabilisers, hiding)


def _film(scene: Image, speed: float) -> Image:
    """Return `PLANES` planes of a scene that moves, and comes in again at the other side."""
    moves = [(plane - PLANES // 2) * speed for plane in range(PLANES)]
    return np.stack([ndimage.shift(scene, (0, move), mode="grid-wrap") for move in moves])


def _psnr(network: Network, batch: Batch) -> float:
    mean, _ = network(batch.filled, batch.beside)
    squares = (mean - batch.clean).square().transpose(0, 1) / batch.noise.unit
    error = float(squares[batch.targets.transpose(0, 1)].mean())
    return round(10 * math.log10(_AMPLITUDE**2 / max(error, 1e-12)), 2)


def mean_psnr(figures: dict[str, dict[str, float]], noise: str = "white") -> float:
    """Return the mean over the kinds that are trained on and show anything."""
    kinds = [kind for kind in STRUCTURES if kind not in ("flat", "gradients")]
    return round(sum(figures[noise][kind] for kind in kinds) / len(kinds), 2)
