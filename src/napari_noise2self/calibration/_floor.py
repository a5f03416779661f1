"""The best classic's held-out loss: what a network must beat to be worth its training."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control, Progress, Report
from ..training.held_out import HeldOut, held_out_subsets
from ._classics import CLASSICS, Classic
from ._curves import Curve, choose_windows, trace, tuning_subsets
from ._donut import donut

_HELD_OUT_SIDE = 256
_HELD_OUT_PIXELS = 2**18
"""As for the curves, but four times as many: only the best classic is scored there, once."""


@dataclass(frozen=True)
class Floor:
    """The best of the classics at its best strength.

    Parameters
    ----------
    method : str
        The classic of least self-supervised loss.
    strength : float
        Its strength.
    held_out_loss : float
        Mean squared error of its donut at held-out pixels, none of which it was tuned on, in
        units of the noise variance: comparable with a network's held-out loss. NaN if the image
        is so small that it has no held-out pixels.
    curves : tuple of Curve
        Of all the classics tried.
    """

    method: str
    strength: float
    held_out_loss: float
    curves: tuple[Curve, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """The best classic as plain values, ready for JSON."""
        loss = self.held_out_loss
        return {
            "method": self.method,
            "parameter": self.strength,
            "held_out_loss": loss if math.isfinite(loss) else None,
        }

    @property
    def figures(self) -> dict[str, Any]:
        """The same, with all curves."""
        return {**self.summary, "curves": [curve.to_dict() for curve in self.curves]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Floor:
        """Make a floor from what `figures` returned, after its way through JSON."""
        loss = values["held_out_loss"]
        curves = tuple(Curve.from_dict(curve) for curve in values["curves"])
        return cls(
            str(values["method"]),
            float(values["parameter"]),
            math.nan if loss is None else float(loss),
            curves,
        )


def choose_classics(methods: Sequence[str] | None) -> list[Classic]:
    """Return the classics of some names; all if None.

    Raises
    ------
    ValueError
        If a name is unknown, or there is none.
    """
    names = list(CLASSICS) if methods is None else list(methods)
    if not names or not set(names) <= set(CLASSICS):
        raise ValueError(f"methods must be among {', '.join(CLASSICS)}, not {methods!r}")
    return [CLASSICS[name] for name in names]


def classic_floor(
    planes: Sequence[Tensor],
    noise: StableNoise,
    partition: Partition,
    *,
    methods: Sequence[str] | None = None,
    clean: Sequence[Tensor] | None = None,
    held_out: Sequence[HeldOut] | None = None,
    control: Control | None = None,
    report: Report | None = None,
) -> Floor:
    """Calibrate the classics on stabilised images, and score the best at held-out pixels.

    One strength serves all channels and planes. The curves are measured on about 256×256 pixels
    and a few subsets of the partition; the held-out loss on up to 512×512 pixels.

    Parameters
    ----------
    planes : sequence of Tensor
        As for `Trainer`: float32 of shape (C, H, W), NaN where missing.
    noise : StableNoise
        Of these images.
    partition : Partition
        Which pixels are hidden together.
    methods : sequence of str, optional
        Names in `CLASSICS`; all if None.
    clean : sequence of Tensor, optional
        Clean counterparts, stabilised likewise: adds the true errors to the curves.
    held_out : sequence of HeldOut, optional
        What `Patches.held_out` returns: scores the classic at the very pixels of a network.
    control, report
        To cancel, and to follow, the work.

    Raises
    ------
    ValueError
        If a method is unknown.
    Cancelled
        If `control` was cancelled.
    """
    classics, control = choose_classics(methods), control or Control()
    unit = noise.unit.cpu()
    windows = choose_windows(planes, partition, unit, clean)
    subsets = tuning_subsets(partition, windows)
    tick = _ticker(sum(len(classic.strengths) for classic in classics), control, report)
    curves = [trace(classic, windows, subsets, partition, tick) for classic in classics]
    best = min(curves, key=lambda curve: curve.loss)
    if held_out is None:
        held_out = _held_out(planes, partition, unit)
    loss = held_out_loss(CLASSICS[best.method], best.best, held_out, partition, unit)
    return Floor(best.method, best.best, loss, tuple(curves))


def _ticker(total: int, control: Control, report: Report | None) -> Callable[[], None]:
    """Return what to call after each of a number of steps: it reports, and cancels."""
    started = time.monotonic()
    steps = itertools.count(1)

    def tick() -> None:
        control.check()
        done = next(steps)
        if report:
            report(Progress.at_pace("calibrating", done, total, started))

    return tick


def held_out_loss(
    classic: Classic,
    strength: float,
    groups: Sequence[HeldOut],
    partition: Partition,
    unit: Tensor,
) -> float:
    """Return a donut's mean squared error at target pixels; NaN if there are none.

    Parameters
    ----------
    groups : sequence of HeldOut
        Stabilised images with what is hidden, as `Patches.held_out` returns them.
    unit : Tensor
        Nominal noise variance of each channel, shape (1, C, 1, 1).
    """
    total, count = 0.0, 0
    for group in groups:
        image, hidden, present, target = (part.cpu() for part in group[:4])
        normal = image / unit.sqrt()
        predicted = donut(classic, strength, normal, hidden | ~present, partition)
        errors = torch.where(target, (predicted - normal).square(), 0)
        total += float(errors.double().sum())
        count += int(target.sum()) * image.shape[1]
    return total / count if count else math.nan


def _held_out(planes: Sequence[Tensor], partition: Partition, unit: Tensor) -> list[HeldOut]:
    """Return the held-out pixels of up to 512×512 pixels of the images."""
    windows = choose_windows(planes, partition, unit, side=_HELD_OUT_SIDE, pixels=_HELD_OUT_PIXELS)
    groups: list[HeldOut] = []
    for window in windows:
        for subset in held_out_subsets(partition):
            target = window.labels == subset
            image = window.image * unit.sqrt()
            hidden = partition.hide(target)
            groups.append(HeldOut(image, hidden, window.present, target & window.present))
    return groups
