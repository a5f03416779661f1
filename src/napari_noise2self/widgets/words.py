"""What the dock says in words."""

from __future__ import annotations

from typing import Any


def duration(seconds: float) -> str:
    """Write a duration for people, for example ``"2 min 5 s"``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def summary(figures: dict[str, Any], name: str, seconds: float) -> str:
    """Say what came out of a job.

    Parameters
    ----------
    figures : dict
        As in the metadata of the result.
    name : str
        Of the new layer.
    seconds : float
        That the whole job took.
    """
    loss = figures["held_out_loss"]
    told = "" if loss is None else f", held-out loss {loss:.3g}"
    lines = [f"Done in {duration(seconds)}: {figures['steps']:,} steps{told} → layer {name!r}."]
    before, after = figures["estimated_psnr_before"], figures["estimated_psnr"]
    if before is not None and after is not None:
        lines.append(f"Estimated PSNR: {after:.1f} dB, from {before:.1f} dB.")
    lines.append(f"Computed on {figures['device']}.")
    return "\n".join(lines)
