"""What a trained network is worth on its own images, found out without clean ones.

It predicts pixels that it was not trained on, and their residuals are looked at (`refinement`).
And it rehearses: its results are taken for clean images, noise like that of the images is added,
and the network denoises them once more. This time the truth is known, and with it how large the
network's errors are over what it says of them (a parametric bootstrap, Efron 1979).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..arrays import FloatArray
from ..axes import BESIDE
from ..networks import Blindfolded
from ..noise.correlation import WHITE, coloured, largest_excess
from ..noise.flat_blocks import flat_noise
from ..noise.refinement import Refinement, Residuals, find_excess, refine_noise, weigh_doubt
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from .held_out import HeldOut
from .patches import Patches

_PATCHES, _BATCH = 36, 8  # in all, and at once
_OVERLAP = 4  # of the patches, so that they leave out little of a small image
_HELD_OUT_PATCHES = 64  # twice as many as rank the weights: there is one look, not one for each
_LOOKED_AT, _REHEARSED = 3, 2  # subsets of each of so many patches; more of fewer
_DISTURBANCE = 0.1
"""Of the noise: so little that the network does not take it for structure."""
_LARGEST_DOUBT = 10.0  # that is believed: a rehearsal may fail
_USUAL_DOUBT_ERROR = 0.3
"""How far from 1 the doubt is on simulated images that the network was pretrained on."""
_NOISE_ERROR = 0.03
"""Relative, of the noise variance as measured in all of an image."""
CORRELATED_ERROR = 0.5
"""Relative, of the doubt where neighbours share noise: residuals can't confirm it there."""


@dataclass(frozen=True, eq=False)
class SelfCheck:
    """A trained network with the images on which it is looked at.

    Parameters
    ----------
    judged : Blindfolded
        On the device of the patches, in eval mode; with the noise as assumed in training.
    planes : sequence of Tensor
        The stabilised images, of shape (C, H, W); NaN marks missing pixels.
    patches : Patches
        Of the same; their own partition is that of the held-out pixels.
    partition : Partition
        Which pixels are hidden together.
    trained : bool
        Whether the network was trained on these images: then only held-out pixels tell the truth.
    held : bool
        Whether a prior held the predicted variance in training. Else the likelihood makes it too
        small where noise was measured too strong: it is believed only as far as noise is known.
    """

    judged: Blindfolded
    planes: Sequence[Tensor]
    patches: Patches
    partition: Partition
    trained: bool
    held: bool

    @torch.no_grad()
    def run(self, generator: torch.Generator, control: Control) -> tuple[Refinement | None, ...]:
        """Return what is found of each channel; None where there are too few pixels to tell.

        Raises
        ------
        Cancelled
            If `control` was cancelled.
        """
        measured = self._noise.assumed.any(dim=1).tolist()
        residuals, echoes = self._residuals(generator, control, not all(measured))
        found: list[Refinement | None] = []
        for channel, (these, echo) in enumerate(zip(residuals, echoes, strict=True)):
            if not these.enough:
                found.append(None)
            elif measured[channel]:
                found.append(find_excess(these, self._largest_excess(channel)))
            else:
                found.append(refine_noise(these, echo))
        if any(measured) and any(found):
            doubts = self._rehearse([each or Refinement() for each in found], generator, control)
            for channel, each in enumerate(found):
                if each is not None and measured[channel]:
                    doubt = min(float(doubts[channel]), _LARGEST_DOUBT)
                    found[channel] = self._with_doubt(channel, each, residuals[channel], doubt)
        return tuple(found)

    def _residuals(
        self, generator: torch.Generator, control: Control, echoed: bool
    ) -> tuple[list[Residuals], list[FloatArray]]:
        """Predict pixels that were never targets; their echoes are 0 if nobody asks for them."""
        if self.trained:
            partition = self.patches.partition
            groups = self.patches.held_out(generator, _HELD_OUT_PATCHES)
        else:
            partition = self.partition
            groups = [
                HeldOut(image, partition.hide(target), present, target & present, beside)
                for image, present, beside, targets in self._sample(_LOOKED_AT, generator)
                for target in targets
            ]
        parts = []
        for image, hidden, present, target, beside in groups:
            control.check()
            hidden = hidden | ~present
            mean, variance = self.judged(partition, image, hidden, beside)
            assumed = self._assumed(mean)
            echo = torch.zeros_like(mean)
            if echoed:
                fresh = torch.randn(image.shape, generator=generator).to(image.device)
                disturbed = image + _DISTURBANCE * fresh * assumed.sqrt()
                echoed_mean, _ = self.judged(partition, disturbed, hidden, beside)
                echo = (echoed_mean - mean) / _DISTURBANCE
            values = torch.stack((mean, variance, image - mean, assumed, echo))
            parts.append(values.transpose(1, 2)[:, :, target[:, 0]].double().cpu())
        channels = torch.cat(parts, dim=2).transpose(0, 1).numpy()
        return [Residuals(*rows[:4]) for rows in channels], [rows[4] for rows in channels]

    def _rehearse(
        self, found: Sequence[Refinement], generator: torch.Generator, control: Control
    ) -> Tensor:
        """Return the mean squared error over the mean predicted variance of each channel.

        Where few bright spots decide, the ratio is known badly; it is then near 1, as a network
        that was trained to know its errors deserves.
        """
        correlations = [
            correlation if self._correlated or each.factor > 1 else WHITE
            for correlation, each in zip(self._noise.correlation, found, strict=True)
        ]
        factors = torch.tensor([each.factor for each in found]).reshape(1, -1, 1, 1)
        sums: list[Tensor] = []
        for image, present, beside, targets in self._sample(_REHEARSED, generator):
            clean = [
                self.judged(self.partition, *seen)[0] for seen in _in_turn(image, ~present, beside)
            ]
            strengths = [(factors.to(each) * self._assumed(each)).sqrt() for each in clean]
            for target in targets:
                control.check()
                noisy = []
                for each, strength in zip(clean, strengths, strict=True):
                    white = torch.randn(image.shape, generator=generator).numpy()
                    channels = zip(white.swapaxes(0, 1), correlations, strict=True)
                    fresh = np.stack([coloured(*channel) for channel in channels], axis=1)
                    noisy.append(each + strength * torch.from_numpy(fresh).to(image))
                again = (
                    None if beside is None else _where_any(beside, torch.stack(noisy[1:], dim=2))
                )
                hidden = self.partition.hide(target) | ~present
                mean, variance = self.judged(self.partition, noisy[0], hidden, again)
                pair = torch.stack(((mean - clean[0]).square(), variance))
                sums.append(torch.where(target & present, pair, 0).sum(dim=(3, 4)).double().cpu())
        errors, expected = torch.cat(sums, dim=1)  # of each patch and channel
        total = expected.sum(dim=0).clamp(min=1e-30)
        ratio = errors.sum(dim=0) / total
        scatter = (errors - ratio * expected).square().sum(dim=0) / total.square()
        trust = _USUAL_DOUBT_ERROR**2 / (_USUAL_DOUBT_ERROR**2 + scatter)
        return torch.lerp(torch.ones_like(ratio), ratio, trust)

    def _with_doubt(
        self, channel: int, refinement: Refinement, residuals: Residuals, rehearsed: float
    ) -> Refinement:
        """Add the doubt: as rehearsed, and where noise is white as the residuals say, too.

        No less than the noise is known to, where nothing held the predicted variance.
        """
        least = 0.0 if self.held else _least_doubt(residuals)
        if self._correlated or refinement.factor > 1:
            doubt = max(rehearsed, least)
            return replace(refinement, doubt=doubt, doubt_error=CORRELATED_ERROR)
        planes = [plane[channel].double().numpy() for plane in self.planes]
        assumed, tails = partial(self._noise.assumed_at, channel), residuals.tails
        doubt, error = weigh_doubt(
            residuals, rehearsed, lambda edges: flat_noise(planes, assumed, edges)
        )
        return replace(refinement, doubt=max(doubt, least), doubt_error=error, tails=tails)

    def _largest_excess(self, channel: int) -> float:
        if self._correlated:
            return math.inf
        return largest_excess(self._noise.correlation[channel])

    def _sample(
        self, subsets: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None, list[Tensor]]]:
        """Draw patches: image, which pixels are present, what is beside, and subsets to hide."""
        batch = self.patches.sample(_PATCHES, generator, times=_OVERLAP)
        labels = self.patches.random_labels(self.partition, batch, generator).unsqueeze(1)
        parts = (part.split(_BATCH) for part in (batch.image, batch.present, labels))
        pieces = zip(*parts, batch.split_beside(_BATCH), strict=True)
        for image, present, label, seen in pieces:
            wanted = math.ceil(subsets * _PATCHES / len(batch.image))
            numbers = range(min(wanted, self.partition.n_subsets))
            yield image, present, seen, [label == number for number in numbers]

    def _assumed(self, mean: Tensor) -> Tensor:
        """Return the assumed noise variance: a rough limit where it could not be measured."""
        assumed = self._noise.assumed_variance(mean)
        return torch.where(assumed > 0, assumed, self._noise.unit)

    @property
    def _noise(self) -> StableNoise:
        return self.judged.noise

    @property
    def _correlated(self) -> bool:
        return self.partition.exclusion.radius > 0


def _least_doubt(residuals: Residuals) -> float:
    """Return the doubt with which errors are as large as the noise may be other than measured."""
    return float(_NOISE_ERROR * residuals.assumed.mean() / residuals.variance.mean())


def _in_turn(
    image: Tensor, hidden: Tensor, beside: Tensor | None
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Return a plane with what is beside it, and then each of the planes beside with the others.

    Parameters
    ----------
    image : Tensor
        Shape (B, C, H, W).
    hidden : Tensor
        bool, shape (B, 1, H, W): of the image; nothing of the others is hidden.
    beside : Tensor, optional
        Shape (B, C, places in `BESIDE`, H, W).
    """
    yield image, hidden, beside
    if beside is None:
        return
    planes = dict(zip(BESIDE, beside.unbind(2), strict=True)) | {0: image}
    nothing = torch.zeros_like(image)
    for place in BESIDE:
        others = [planes.get(place + step, nothing) for step in BESIDE]
        yield planes[place], torch.zeros_like(hidden), torch.stack(others, dim=2)


def _where_any(beside: Tensor, other: Tensor) -> Tensor:
    """Return other planes where there is one beside, and 0 where there is none."""
    return torch.where(beside.flatten(3).any(-1)[..., None, None], other, 0)
