"""What the partition size costs: how well one model predicts an image with each.

Larger subsets hide more of a pixel's neighbourhood, so the prediction blurs. Smaller ones take more
passes of the network for an image, and learn more slowly: fewer pixels are targets in each step.
The model is the same for all sizes. Short trainings with each were tried: the losses of networks
that know some of the noisy pixels by heart rank them wrongly (see `benchmarks/README.md`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from .arrays import FloatArray, InputError, check_image
from .axes import middle
from .denoiser import Denoiser
from .figures.findings import finite_or_none
from .progress import Control, Progress, Report
from .settings import PartitionKind
from .stack_reader import StackReader

SIZES: dict[PartitionKind, tuple[int, ...]] = {
    "grid": (2, 3, 4, 5, 6, 8, 10),
    "random": (4, 9, 16, 25, 36, 64, 100),
}
"""Those that are compared: 254 passes of the network in all."""
_LARGEST_SIDE = 192  # pixels
_BLOCK = 16  # pixels: errors of neighbours are alike, those of blocks are not
_FEWEST_BLOCKS = 4  # of less, the scatter says nothing


@dataclass(frozen=True)
class SizeScore:
    """How well a model predicts with one partition size.

    Parameters
    ----------
    size : int
        The partition size.
    n_subsets : int
        Passes of the network that an image takes.
    loss : float
        Mean squared error of the J-invariant prediction at all pixels, against the noisy pixels
        themselves, in units of the noise variance where the noise is known.
    excess : float
        By how much that is above the least loss.
    uncertainty : float
        Standard error of the excess; NaN where the image is too small to tell.
    enough : bool
        Whether this is the smallest size that predicts as well as any: its excess is no larger
        than its uncertainty.
    """

    size: int
    n_subsets: int
    loss: float
    excess: float
    uncertainty: float
    enough: bool = False


def score_partition_sizes(
    denoiser: Denoiser,
    image: Any,
    *,
    axes: str | None = None,
    control: Control | None = None,
    report: Report | None = None,
) -> list[SizeScore]:
    """Predict an image with each partition size, and compare with the noisy pixels.

    Parameters
    ----------
    denoiser : Denoiser
        Trained; its kind of partition and its exclusion are used.
    image : array
        Of which the middle of the middle plane is predicted, 192 × 192 pixels at most.
    axes : str, optional
        As in `Denoiser.fit`.
    control, report
        As in `Denoiser.fit`; reports count predicted subsets.

    Returns
    -------
    list of SizeScore
        By size. Sizes that the exclusion does not allow are left out.

    Raises
    ------
    InputError, AxesError, Cancelled
        As `Denoiser.denoise` does.
    """
    denoiser.trained_network()
    reader, number = _middle(denoiser, image, axes)
    stable, beside = reader.stable(number), reader.beside(number)
    known = reader.known(number)
    control = control or Control()
    candidates = list(_candidates(denoiser))
    report = report and _over_all(report, sum(each.partition.n_subsets for each in candidates))
    errors = []
    for each in candidates:
        mean, *_ = each.predictor().predict(
            stable, "j-invariant", beside=beside, control=control, report=report
        )
        errors.append(_blocks((mean - known).square() / each.predictor().noise.unit[0]))
    return _compare(candidates, errors)


def as_figures(kind: PartitionKind, scores: list[SizeScore]) -> dict[str, Any]:
    """Return scores ready for JSON; None stands for an uncertainty that is not known."""
    rows = [asdict(score) for score in scores]
    for row in rows:
        row["uncertainty"] = finite_or_none(row["uncertainty"])
    return {"partition": kind, "scores": rows}


def _candidates(denoiser: Denoiser) -> Iterator[Denoiser]:
    """Return the denoiser with each size of its kind of partition."""
    for size in SIZES[denoiser.settings.partition]:
        other = denoiser.repartitioned(replace(denoiser.settings, partition_size=size))
        if other.partition.size == size:
            yield other


def _middle(denoiser: Denoiser, image: Any, axes: str | None) -> tuple[StackReader, int]:
    """Return the middle of all planes, and the number of the middle one."""
    layout = check_image(image, axes)
    window = tuple(
        middle(extent, _LARGEST_SIDE) if letter in "YX" else slice(None)
        for letter, extent in zip(layout.axes, layout.shape, strict=True)
    )
    reader, number = denoiser.reader(image, axes, window), layout.n_planes // 2
    if not np.isfinite(reader.plane(number)).all(axis=0).any():
        raise InputError("The middle of the image has no finite pixels; crop the image first.")
    return reader, number


def _blocks(errors: torch.Tensor) -> FloatArray:
    """Return sum and number of the finite errors in each block of pixels, (2, blocks)."""
    values = errors.double().numpy()
    finite = np.isfinite(values)
    values = np.where(finite, values, 0.0)
    rows, columns = (np.arange(0, extent, _BLOCK) for extent in values.shape[1:])
    sums = [
        np.add.reduceat(np.add.reduceat(part.sum(axis=0), rows, 0), columns, 1)
        for part in (values, finite)
    ]
    return np.stack(sums).reshape(2, -1).astype(np.float64)


def _compare(candidates: list[Denoiser], errors: list[FloatArray]) -> list[SizeScore]:
    """Score each candidate against the best; the pixels are the same for all."""
    losses = [float(sums.sum() / counts.sum()) for sums, counts in errors]
    best = int(np.argmin(losses))
    scores = []
    for candidate, loss, (sums, counts) in zip(candidates, losses, errors, strict=True):
        excess = loss - losses[best]
        rest = sums - errors[best][0] - excess * counts  # of each block; its expectation is 0
        blocks = int((counts > 0).sum())
        uncertainty = math.nan
        if blocks >= _FEWEST_BLOCKS:
            spread = (rest**2).sum() * blocks / (blocks - 1)
            uncertainty = float(np.sqrt(spread) / counts.sum())
        partition = candidate.partition
        scores.append(SizeScore(partition.size, partition.n_subsets, loss, excess, uncertainty))
    enough = next(n for n, score in enumerate(scores) if not score.excess > score.uncertainty)
    scores[enough] = replace(scores[enough], enough=True)
    return scores


def _over_all(report: Report, total: int) -> Report:
    """Turn reports on each size into reports on all of them."""
    started, before = time.monotonic(), 0

    def overall(progress: Progress) -> None:
        nonlocal before
        done = before + progress.done
        if progress.done == progress.total:
            before = done
        report(Progress.at_pace(progress.stage, done, total, started))

    return overall
