"""Losses of the classics as functions of their strength, on a part of the image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..partition import Partition
from ..training.held_out import held_out_subsets
from ._classics import Classic
from ._donut import donut

_SIDE = 128
_PIXELS = 2**16
"""Side of the squares on which curves are measured, and about how many pixels they have in all."""
_TARGETS = 12_000
"""At about so many of them a donut is scored,"""
_MOST_SUBSETS = 8
"""in so many subsets at most, as each takes a run of the filter."""


@dataclass(frozen=True)
class Curve:
    """Losses of one classic at all its strengths: the figure of the paper.

    All are mean squared distances in units of the noise variance. The donut's loss and its error
    differ by the noise variance, about 1, so their minima fall together. The ordinary filter's
    loss says nothing: it is least where the filter does least.

    Parameters
    ----------
    method, quantity : str
        The classic, and what its strength is.
    strengths : tuple of float
        The strengths tried.
    donut_losses : tuple of float
        Self-supervised: of the donut from the noisy pixels, at some subsets of the partition.
    filter_losses : tuple of float
        Of the ordinary filter from the noisy pixels.
    donut_errors, filter_errors : tuple of float
        Of both from the clean image; empty if that is not known.
    """

    method: str
    quantity: str
    strengths: tuple[float, ...]
    donut_losses: tuple[float, ...]
    filter_losses: tuple[float, ...]
    donut_errors: tuple[float, ...] = ()
    filter_errors: tuple[float, ...] = ()

    @property
    def loss(self) -> float:
        """The least self-supervised loss."""
        return min(self.donut_losses)

    @property
    def best(self) -> float:
        """The strength of least self-supervised loss."""
        return self.strengths[self.donut_losses.index(self.loss)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }
        return {**values, "best": self.best}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Curve:
        """Make a curve from what `to_dict` returned, after its way through JSON."""
        losses = {
            name: tuple(map(float, numbers))
            for name, numbers in values.items()
            if isinstance(numbers, list)
        }
        return cls(str(values["method"]), str(values["quantity"]), **losses)


@dataclass(frozen=True, eq=False)
class Window:
    """A part of an image, in units in which the noise has variance 1."""

    image: Tensor
    """float32 (1, C, H, W), 0 where missing."""
    present: Tensor
    """bool (1, 1, H, W): finite in all channels."""
    labels: Tensor
    """int64 (1, 1, H, W): subset of each pixel in the image's own partition."""
    clean: Tensor | None = None
    """float32 (1, C, H, W), if known."""


def tuning_subsets(partition: Partition, windows: Sequence[Window]) -> list[int]:
    """Choose subsets, evenly spread and not held out, that have enough pixels to tune on."""
    first = len(held_out_subsets(partition))
    rest = range(first, partition.n_subsets)
    pixels = sum(window.labels.numel() for window in windows)
    wanted = math.ceil(_TARGETS * partition.n_subsets / pixels)
    smallest = pixels < _PIXELS  # of small images every pixel counts, and costs little
    count = min(wanted, len(rest) if smallest else _MOST_SUBSETS, len(rest))
    return [rest[i * len(rest) // count] for i in range(count)]


def choose_windows(
    planes: Sequence[Tensor],
    partition: Partition,
    unit: Tensor,
    clean: Sequence[Tensor] | None = None,
    *,
    side: int = _SIDE,
    pixels: int = _PIXELS,
) -> list[Window]:
    """Choose parts of some planes, evenly spread: four squares of a large plane, all of a small.

    Parameters
    ----------
    planes, clean : sequence of Tensor
        Stabilised, of shape (C, H, W); NaN marks missing pixels.
    unit : Tensor
        Nominal noise variance of each channel, shape (1, C, 1, 1).
    side, pixels : int
        Side of the squares, and about how many pixels to take in all.
    """
    places = [
        (number, rows, columns)
        for number, plane in enumerate(planes)
        for rows in _spans(plane.shape[-2], side)
        for columns in _spans(plane.shape[-1], side)
    ]
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(0)).tolist()
    windows: list[Window] = []
    for place in order:
        number, rows, columns = places[place]
        cut = (slice(None), rows, columns)
        noisy = (planes[number][cut].unsqueeze(0) / unit.sqrt()).to(torch.float32)
        present = torch.isfinite(noisy).all(dim=1, keepdim=True)
        known = None if clean is None else clean[number][cut].unsqueeze(0) / unit.sqrt()
        origin = torch.tensor([[rows.start, columns.start]])
        labels = partition.labels((noisy.shape[-2], noisy.shape[-1]), origin).unsqueeze(1)
        windows.append(Window(torch.where(present, noisy, 0), present, labels, known))
        if sum(window.labels.numel() for window in windows) >= pixels:
            break
    return windows


def _spans(extent: int, side: int) -> list[slice]:
    """Return all of an axis if it is short, else a stretch in the middle of each half."""
    if extent <= 2 * side:
        return [slice(0, extent)]
    starts = (extent // 4 - side // 2, 3 * extent // 4 - side // 2)
    return [slice(start, start + side) for start in starts]


@dataclass
class _Mean:
    """A mean of squares that is gathered piece by piece."""

    total: float = 0.0
    count: int = 0

    def add(self, difference: Tensor, where: Tensor) -> None:
        chosen = difference[where.expand_as(difference)].double()
        self.total += float(chosen.square().sum())
        self.count += chosen.numel()

    @property
    def value(self) -> float:
        return self.total / max(self.count, 1)


def trace(
    classic: Classic,
    windows: Sequence[Window],
    subsets: Sequence[int],
    partition: Partition,
    after_each: Callable[[], None],
) -> Curve:
    """Measure a classic at one strength after another; `after_each` may raise to end it."""
    losses = []
    for strength in classic.strengths:
        losses.append(_measure(classic, strength, windows, subsets, partition))
        after_each()
    return Curve(classic.name, classic.quantity, classic.strengths, *zip(*losses, strict=True))


def _measure(
    classic: Classic,
    strength: float,
    windows: Sequence[Window],
    subsets: Sequence[int],
    partition: Partition,
) -> tuple[float, ...]:
    """Return the losses of donut and ordinary filter, and their errors where known."""
    known = all(window.clean is not None for window in windows)
    means = [_Mean() for _ in range(4 if known else 2)]
    for window in windows:
        references = [window.image] if window.clean is None else [window.image, window.clean]
        filtered = donut(classic, strength, window.image, ~window.present, partition)
        for mean, reference in zip(means[1::2], references, strict=True):
            mean.add(filtered - reference, window.present)
        for subset in subsets:
            target = window.labels == subset
            hidden = partition.hide(target) | ~window.present
            predicted = donut(classic, strength, window.image, hidden, partition)
            for mean, reference in zip(means[::2], references, strict=True):
                mean.add(predicted - reference, target & window.present)
    return tuple(mean.value for mean in means)
