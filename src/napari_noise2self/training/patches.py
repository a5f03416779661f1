"""Random augmented patches: to train on, to rank weights by, and for a look at a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..axes import Beside
from ..partition import Partition
from ..settings import Settings
from .held_out import HeldOut, held_out_pixels, held_out_subsets

_RANKING, _BATCH = 32, 8
"""Patches on which weights are ranked, and how many of them at once."""
_FARTHEST = 2**20
"""Pixels by which the partition of a patch is moved, at most."""


@dataclass(frozen=True)
class Batch:
    """Patches of one training step; every tensor on the training device."""

    image: Tensor
    """float32 (B, C, H, W), 0 where missing."""
    present: Tensor
    """bool (B, 1, H, W): the pixel has a finite value in all channels."""
    trainable: Tensor
    """bool (B, 1, H, W): present, and not held out."""
    labels: Tensor
    """int16 (B, H, W): the pixel's subset in the image's own partition."""
    beside: Tensor | None = None
    """float32 (B, C, places in `BESIDE`, H, W): adjacent planes, if seen; 0 where missing."""

    def split_beside(self, size: int) -> Sequence[Tensor | None]:
        """Return `beside` of each so many patches, or None for each."""
        if self.beside is None:
            return [None] * math.ceil(len(self.image) / size)
        return list(self.beside.split(size))


class Patches:
    """All the pixels of all the images, from which patches are drawn.

    The pixels lie in one flat tensor, so that images of different sizes mix freely and a batch
    with its flips is a single indexing.

    Parameters
    ----------
    planes : sequence of Tensor
        float32 images of shape (C, H, W); non-finite values mark missing pixels.
    partition : Partition
        Decides which pixels are held out, and what is hidden with them.
    settings : Settings
        Uses `patch_size`.
    device : torch.device
        Where the pixels are kept.
    beside : sequence of tuple, optional
        For each plane the numbers of those beside it; the network sees none if None.
    """

    def __init__(
        self,
        planes: Sequence[Tensor],
        partition: Partition,
        settings: Settings,
        device: torch.device,
        beside: Sequence[Beside] | None = None,
    ) -> None:
        shapes = torch.tensor([plane.shape[-2:] for plane in planes])
        self._shapes = shapes
        sizes = shapes.prod(dim=1)
        self._offsets = torch.cumsum(sizes, 0) - sizes
        self._patch = [min(settings.patch_size, int(side)) for side in shapes.amin(dim=0)]
        self._jumps = None if beside is None else _jumps(self._offsets, beside).to(device)
        pixels = torch.cat([plane.flatten(1) for plane in planes], dim=1)
        present = torch.isfinite(pixels).all(dim=0)
        self._pixels = torch.where(present, pixels, 0).to(device)
        self._present = present.to(device)
        self.partition = partition
        labels, held_out = zip(*(self._label(int(h), int(w)) for h, w in shapes), strict=True)
        self._labels = torch.cat(labels).to(torch.int16).to(device)
        self._held_out = torch.cat(held_out).to(device)
        positions = (shapes - torch.tensor(self._patch) + 1).prod(dim=1)
        self._chances = positions.double() / positions.sum()
        self._square = self._patch[0] == self._patch[1]
        self.turns = partition.exclusion.turns
        """Whether patches may be transposed: the exclusion is then the same."""
        self._device = device

    def _label(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return subsets and held-out pixels of a plane, flat."""
        labels = self.partition.labels((height, width))[0]
        return labels.flatten(), held_out_pixels(self.partition, labels).flatten()

    def draw(self, count: int, generator: torch.Generator, *, augment: bool = True) -> Batch:
        """Draw patches at random places, flipped and transposed at random if `augment`."""
        which = torch.multinomial(self._chances, count, replacement=True, generator=generator)
        draws = torch.rand((count, 4), generator=generator)
        starts, widths = [], self._shapes[which, 1]
        indices = []
        for axis, side in enumerate(self._patch):
            room = self._shapes[which, axis] - side + 1
            starts.append((draws[:, axis] * room).long().clamp(max=room - 1))
            steps = torch.arange(side).expand(count, side)
            flipped = (draws[:, 2 + axis, None] < 0.5) & augment
            indices.append(starts[axis][:, None] + torch.where(flipped, side - 1 - steps, steps))
        rows, columns = indices
        index = self._offsets[which][:, None, None] + rows[:, :, None] * widths[:, None, None]
        index = index + columns[:, None, :]
        if augment and self.turns and self._square and torch.rand((), generator=generator) < 0.5:
            index = index.transpose(1, 2)
        return self._gather(index.to(self._device), which)

    def _gather(self, index: Tensor, which: Tensor) -> Batch:
        """Collect the pixels of some planes at flat indices of shape (B, H, W)."""
        present = self._present[index].unsqueeze(1)
        return Batch(
            image=self._pixels[:, index].transpose(0, 1),
            present=present,
            trainable=present & ~self._held_out[index].unsqueeze(1),
            labels=self._labels[index],
            beside=self._gather_beside(index, which),
        )

    def _gather_beside(self, index: Tensor, which: Tensor) -> Tensor | None:
        """Collect the pixels at the same places of the planes beside."""
        if self._jumps is None:
            return None
        jumps = self._jumps[which.to(self._device)][:, :, None, None]
        pixels = self._pixels[:, index[:, None] + jumps].transpose(0, 1)
        return torch.where(jumps[:, None] == 0, 0, pixels)

    def random_labels(
        self, partition: Partition, batch: Batch, generator: torch.Generator
    ) -> Tensor:
        """Return the subsets of a batch under the partition moved to random places."""
        count, _, height, width = batch.image.shape
        origins = torch.randint(0, _FARTHEST, (count, 2), generator=generator)
        return partition.labels((height, width), origins.to(self._device))

    def sample(self, most: int, generator: torch.Generator, times: int = 1) -> Batch:
        """Draw patches as they are, but no more than have `times` as many pixels as there are."""
        area = int(self._shapes.prod(dim=1).sum())
        wanted = math.ceil(times * area / (self._patch[0] * self._patch[1]))
        return self.draw(min(most, max(1, wanted)), generator, augment=False)

    def held_out(self, generator: torch.Generator, patches: int = _RANKING) -> list[HeldOut]:
        """Draw fixed patches with held-out pixels: a few, and one subset, in each entry."""
        batch = self.sample(patches, generator)
        groups = []
        for subset in held_out_subsets(self.partition):
            hidden = (batch.labels == subset).unsqueeze(1)
            target = hidden & batch.present & ~batch.trainable
            parts = (batch.image, self.partition.hide(hidden), batch.present, target)
            split = (part.split(_BATCH) for part in parts)
            pieces = zip(*split, batch.split_beside(_BATCH), strict=True)
            groups += [HeldOut(*piece) for piece in pieces]
        return groups


def _jumps(offsets: Tensor, beside: Sequence[Beside]) -> Tensor:
    """Return how far it is from a plane's pixels to those of the planes beside; 0 for none."""
    planes = [
        [number if other is None else other for other in there]
        for number, there in enumerate(beside)
    ]
    return offsets[torch.tensor(planes)] - offsets[:, None]


def any_detail(planes: Sequence[Tensor]) -> bool:
    """Tell whether any two present pixels differ; if not, there is nothing to learn.

    Parameters
    ----------
    planes : sequence of Tensor
        As for `Patches`.
    """
    pixels = torch.cat([plane.flatten(1) for plane in planes], dim=1)
    values = pixels[:, torch.isfinite(pixels).all(dim=0)]
    return bool(values.numel()) and bool((values.amax(dim=1) > values.amin(dim=1)).any())
