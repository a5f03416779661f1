"""What the command line says of a result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from ..figures.words import figure_rows

if TYPE_CHECKING:
    from ..batch import Outcome


def tell(outcome: Outcome, as_json: bool) -> None:
    """Print the outcome of a file: figures to standard output, errors to standard error."""
    if as_json:
        typer.echo(json.dumps(outcome.to_dict()))
    elif not outcome.error:
        typer.echo(f"{outcome.job.output}: {summary(outcome.to_dict())}")
        for line in _details(outcome.figures):
            typer.echo(f"  {line}")
    name = str(outcome.job.input)
    for note in outcome.notes:
        typer.echo(f"{name}: {note}", err=True)
    if outcome.error:
        known = outcome.error.startswith(f"{name} ")
        typer.echo(outcome.error if known else f"{name}: {outcome.error}", err=True)


def _details(figures: dict[str, Any]) -> list[str]:
    """Return what is known of a denoised image without a clean one; nothing of a filtered one."""
    if "residual" not in figures:
        return []
    rows = (f"{row.label}: {row.text}" for row in figure_rows(figures))
    return [*rows, *figures["notes"]]


def summary(figures: dict[str, Any]) -> str:
    """Return the figures of a training or calibration in a few words."""
    seconds = figures.get("seconds", figures.get("training_seconds"))
    loss = figures["held_out_loss"]
    loss_text = "none" if loss is None else f"{loss:.4g}"
    if figures.get("method"):
        return f"{seconds:.1f} s, {figures['method']} at {figures['parameter']:g}, loss {loss_text}"
    return (
        f"{seconds:.1f} s, {figures['steps']} steps, held-out loss {loss_text}, {figures['device']}"
    )
