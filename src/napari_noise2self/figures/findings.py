"""What a training found: as figures for JSON, and as sentences for the user."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..choices import learns_nothing
from ..noise.refinement import Refinement
from .words import classic_name, tails_note

if TYPE_CHECKING:
    from ..model import Model

_LEARNS_NOTHING = (
    "The pretrained network was used as it is: training on correlated noise would teach it some of "
    "that; set a number of steps to train nevertheless."
)

_LEARNED_NOISE = (
    "The training was given up and the network used as it was before: it had begun to learn the "
    "noise, some of which neighbouring pixels share."
)

_AMPLIFIED = (
    "Planes were amplified differently, as by a correction of bleaching, so the noise of each was "
    "measured by itself; that told here is of a usual one."
)

_EACH_PLACE = (
    "The noise differs from place to place beyond what brightness explains, as after a correction "
    "of uneven light, so it was measured at each place; that told here is of a usual one."
)

_WHITENED = (
    "The result is that of an image whose noise was made white, so that no neighbours need to be "
    "hidden; choose an exclusion yourself to do without."
)

_COARSE = (
    "The image has fewer details than pixels, as if it had been enlarged or deconvolved, so it is "
    "denoised with blocks of {0} by {0} pixels as one, and enlarged again without loss."
)


def training_figures(model: Model) -> dict[str, Any]:
    """Return what a training found, ready for JSON: goes into the metadata of results."""
    record, floor = model.record, model.floor
    return {
        "start": model.settings.effective.start,
        "steps": record.steps,
        "planned_steps": record.planned_steps,
        "best_step": record.best_step,
        "learned_noise": record.learned_noise,
        "training_seconds": round(record.seconds, 3),
        "held_out_loss": finite_or_none(record.held_out_loss),
        "noise_floor": record.noise_floor,
        "estimated_psnr_uncertainty": _uncertainty(record.noise_refinements),
        "device": model.device,
        "partition": asdict(model.partition),
        "whitened": model.whitens,
        "coarseness": model.posterior_coarseness,
        "stack_axis": model.stack.axis,
        "partition_changes": record.partition_changes,
        "continued_after": record.continued_after,
        "noise": _noise(model),
        "classic": floor and floor.summary,
        "classic_won": _classic_won(model),
        "notes": notes(model),
    }


def notes(model: Model) -> list[str]:
    """Return what the user should know of a training, one sentence each."""
    record, floor = model.record, model.floor
    sentences = [
        model.exclusion_note,
        model.stack.note,
        *(s.noise.note for s in model.stabilisers),
    ]
    if any(stabiliser.each_plane for stabiliser in model.stabilisers):
        sentences.append(_AMPLIFIED)
    if any(stabiliser.each_place for stabiliser in model.stabilisers):
        sentences.append(_EACH_PLACE)
    if not record.steps and learns_nothing(model.settings, model.partition):
        sentences.append(_LEARNS_NOTHING)
    if record.learned_noise:
        sentences.append(_LEARNED_NOISE)
    if model.whitens:
        sentences.append(_WHITENED)
    if model.posterior_coarseness > 1:
        sentences.append(_COARSE.format(model.posterior_coarseness))
    if any(tails := _tails(model)):
        sentences.append(tails_note(max(tails)))
    if floor is not None and _classic_won(model):
        sentences.append(
            f"A calibrated classic filter, {classic_name(floor.method)}, predicts the held-out "
            f"pixels better than this network (loss {floor.held_out_loss:.3g} against "
            f"{record.held_out_loss:.3g}); train for longer, or calibrate classic filters instead."
        )
    return list(dict.fromkeys(filter(None, sentences)))


def _noise(model: Model) -> list[dict[str, Any]]:
    """Return what was found of the noise in each channel."""
    models = [stabiliser.grey_noise for stabiliser in model.stabilisers]
    return [
        {**asdict(noise), "read_variance": noise.read_variance, "tails": tails}
        for noise, tails in zip(models, _tails(model), strict=True)
    ]


def _tails(model: Model) -> list[float]:
    """Return the share of pixels with far stronger noise in each channel."""
    found = model.record.noise_refinements or (None,) * len(model.stabilisers)
    return [round(sum(each.tails), 5) if each else 0.0 for each in found]


def _uncertainty(refinements: Sequence[Refinement | None]) -> float | None:
    """Return by how many dB two of three estimates of the PSNR are off at most."""
    largest = max((found.doubt_error for found in refinements if found), default=0.0)
    return round(10 * math.log10(1 + largest), 1) if largest else None


def _classic_won(model: Model) -> bool:
    """Tell whether a calibrated classic predicts the held-out pixels better than the network.

    Nothing is known of that where images are whitened: the prediction that was scored is another.
    """
    floor = model.floor
    return (
        floor is not None and not model.whitens and floor.held_out_loss < model.record.held_out_loss
    )


def finite_or_none(value: float) -> float | None:
    """Return the value, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None
