"""Figures in words: what the docks and the command line say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..progress import Progress

CLASSICS = {
    "gaussian": "Gaussian blur",
    "median": "median filter",
    "nlm": "non-local means",
    "wavelet": "wavelet shrinkage",
    "tv": "total variation",
}
"""What people call the classics."""


class FigureRow(NamedTuple):
    """One figure of a result: what it is, its value, and what that means."""

    label: str
    text: str
    tooltip: str


def duration(seconds: float) -> str:
    """Write a duration for people, for example ``"2 min 5 s"``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def time_left(progress: Progress) -> str:
    """Say how long it takes till there is a result, for example ``"18 s left"``."""
    return f"{duration(progress.seconds_left + progress.seconds_to_denoise)} left"


def classic_name(method: str) -> str:
    """Return what people call a classic."""
    return CLASSICS.get(method, method)


def summary(figures: dict[str, Any], name: str, seconds: float) -> str:
    """Say what came out of a training.

    Parameters
    ----------
    figures : dict
        As in the metadata of the result.
    name : str
        Of the new layer.
    seconds : float
        That the whole job took.
    """
    return (
        f"Done in {duration(seconds)}: {figures['steps']:,} steps on {figures['device']} "
        f"→ layer {name!r}."
    )


def applied_summary(model: str, name: str, seconds: float) -> str:
    """Say what came out of a model that was there before; the parameters are those of `summary`."""
    return f"Done in {duration(seconds)} with model {model!r} → layer {name!r}."


def hot_pixels_note(count: int) -> str:
    """Say that single pixels were not believed."""
    pixels = "1 pixel was" if count == 1 else f"{count:,} pixels were"
    return f"{pixels} replaced, as hot or dead: far from all around, as no light is."


def tails_note(share: float) -> str:
    """Say that the noise is stronger in a share of the pixels."""
    return (
        f"Some pixels ({100 * share:.0f} %) have far stronger noise than others, as in sCMOS "
        "cameras: they have less say."
    )


def line_noise_note(rows: float, columns: float) -> str:
    """Say that lines were made even; their standard deviations are in grey levels."""
    lines = {"rows": rows, "columns": columns}
    found = " and ".join(f"{name} by {std:.3g}" for name, std in lines.items() if std)
    return (
        f"Line noise was taken away first: {found} grey levels (standard deviation); choose an "
        "exclusion yourself, none for example, to keep it."
    )


def figure_rows(figures: dict[str, Any]) -> list[FigureRow]:
    """Return what is known of a result without a clean image, one figure in each row."""
    rows = []
    before, after = figures["estimated_psnr_before"], figures["estimated_psnr"]
    if before is not None and after is not None:
        uncertainty = figures.get("estimated_psnr_uncertainty")
        text = f"{before:.1f} → {after:.1f}{f' ± {uncertainty:.1f}' if uncertainty else ''} dB"
        tooltip = (
            "How close the image is to the clean one, estimated without it; before → after.\n"
            "Two of three estimates are right within ±; of images unlike any that the network was\n"
            "pretrained on, detail may be missing that no estimate can see."
        )
        rows.append(FigureRow("Estimated PSNR", text, tooltip))
    if figures["held_out_loss"] is not None:
        tooltip = (
            "Error at pixels that the network never learned from, in units of the noise variance;\n"
            "lower is better, and the noise itself, or the error of a perfect image, is what the\n"
            "plot calls the noise floor. The best classic filter is what a network should beat."
        )
        rows.append(FigureRow("Held-out loss", _losses(figures), tooltip))
    tooltip = (
        "In grey levels. Gain: for each photon detected. Read noise: standard deviation without\n"
        "light. Offset: the grey level without light, or of the darkest part of the image."
    )
    rows.append(FigureRow("Noise", _noise(figures["noise"]), tooltip))
    tooltip = "How alike the noise of a pixel and of its next neighbours is, from 0 to 1."
    rows.append(FigureRow("Noise correlation", _correlation(figures["noise"]), tooltip))
    tooltip = "Whether there is more than noise in what was taken away: noisy minus denoised."
    residual = figures["residual"]
    if residual is not None:
        text = "structure left in it" if residual["structured"] else "looks like noise"
        rows.append(FigureRow("Residual", text, f"{tooltip}\n{residual['note']}"))
    return rows


def figure_notes(figures: dict[str, Any]) -> str:
    """Return the sentences on a result, one in each line."""
    return "\n".join(dict.fromkeys(figures["notes"]))


def figure_advice(figures: dict[str, Any]) -> str:
    """Say in short what is amiss with a result and what to do about it; empty if nothing is."""
    sentences = [figures.get("unlike", "")]
    sentences += [noise["note"] for noise in figures["noise"] if not is_fitted(noise)]
    if figures["classic_won"]:
        name = classic_name(figures["classic"]["method"])
        sentences.append(f"{name[0].upper()}{name[1:]} did better: train longer, or use that.")
    if figures["residual"] is not None and figures["residual"]["structured"]:
        sentences.append("Detail may be lost: choose a better preset.")
    return "\n".join(dict.fromkeys(filter(None, sentences)))


def noise_reading(figures: dict[str, Any]) -> str:
    """Say what one can't see in the plot of the noise model; empty if nothing.

    Parameters
    ----------
    figures : dict
        As in the metadata of the result, of this version or an older one.
    """
    noise, sentences = figures["noise"], []
    for channel in noise:
        if not is_fitted(channel):
            stand_in = "noise of the flattest parts" if channel["reliable"] else "whole variance"
            sentences.append(f"Dashed: the {stand_in}, in place of a fit that can be trusted.")
    if any(is_fitted(channel) and not channel.get("points") for channel in noise):
        sentences.append("The points behind the line are not known: an older version measured it.")
    if "unlike" in figures or figures.get("continued_after"):
        sentences.append("Measured on what the model was trained on at first.")
    return "\n".join(dict.fromkeys(sentences))


def is_fitted(noise: dict[str, Any]) -> bool:
    """Tell whether the noise of a channel follows a model, or has only a stand-in for it."""
    return bool(noise["reliable"] and noise["goodness"] > 0)


def loss_levels(figures: dict[str, Any]) -> dict[str, float]:
    """Return the levels with which a network's held-out loss is compared, and their names."""
    levels = {}
    classic = figures["classic"]
    if classic is not None and classic["held_out_loss"] is not None:
        levels[classic_name(classic["method"])] = classic["held_out_loss"]
    floor = figures.get("noise_floor")
    if floor is not None:
        levels["noise floor"] = floor
    return levels


def kept_step(figures: dict[str, Any]) -> int:
    """Return the step of the last training whose weights were kept; 0 for those before it."""
    before = max(figures["continued_after"], default=0)
    return max(0, int(figures["best_step"]) - before)


def calibration_summary(figures: dict[str, Any], name: str, seconds: float) -> str:
    """Say what came out of a calibration; the parameters are those of `summary`."""
    loss = figures["held_out_loss"]
    told = "" if loss is None else f", held-out loss {loss:.3g}"
    return (
        f"Done in {duration(seconds)}: the best is {classic_name(figures['method'])} at "
        f"{figures['parameter']:g}{told} → layer {name!r}."
    )


def curve_reading(curve: dict[str, Any]) -> str:
    """Say what one sees in the curves of a classic.

    Parameters
    ----------
    curve : dict
        What `Curve.to_dict` returned.
    """
    strengths = curve["strengths"]
    best, deceived = curve["best"], _argmin(strengths, curve["filter_losses"])
    text = (
        f"The donut never sees the pixel it predicts: its loss is least at {best:g}, the strength "
        "to choose. The ordinary filter is scored on noise it has seen: its loss is least at "
        f"{deceived:g}, where it does least."
    )
    if not curve["donut_errors"]:
        return text
    true = _argmin(strengths, curve["donut_errors"])
    if true == best:
        return f"{text} The donut's true error is least at {true:g}, too."
    errors = dict(zip(strengths, curve["donut_errors"], strict=True))
    excess = errors[best] / errors[true] - 1
    return (
        f"{text} The donut's true error is least at {true:g}; at {best:g} it is {excess:.1%} more."
    )


def sizes_reading(figures: dict[str, Any]) -> str:
    """Say what one sees in the scores of partition sizes.

    Parameters
    ----------
    figures : dict
        What `partition_sizes.as_figures` returned.
    """
    scores = figures["scores"]
    place = [score["enough"] for score in scores].index(True)
    enough, smaller, larger = scores[place], scores[:place], scores[place + 1 :]
    sentences = [f"Partition size {enough['size']} is enough for what you look at."]
    if larger:
        sentences.append(
            "Larger ones predict no better as far as can be told, and take "
            f"{larger[0]['n_subsets']} passes of the network or more instead of "
            f"{enough['n_subsets']}; they learn more slowly, too."
        )
    if smaller:
        added = smaller[0]["loss"] / enough["loss"] - 1
        sentences.append(
            f"Size {smaller[0]['size']} adds {added:.1%} to the loss: it hides more at once, "
            "which blurs."
        )
    return " ".join(sentences)


def _argmin(strengths: Sequence[float], values: Sequence[float]) -> float:
    return strengths[list(values).index(min(values))]


def _losses(figures: dict[str, Any]) -> str:
    """Write the network's held-out loss beside that of the best classic."""
    text, classic = f"{figures['held_out_loss']:.3g}", figures["classic"]
    if classic is None or classic["held_out_loss"] is None:
        return text
    return f"{text} network, {classic['held_out_loss']:.3g} {classic_name(classic['method'])}"


def _noise(channels: Sequence[dict[str, Any]]) -> str:
    """Write gain, read noise and offset of all channels."""
    known = [noise for noise in channels if noise["reliable"]]
    if not known:
        return "could not be measured"
    read = _span([noise["read_variance"] ** 0.5 for noise in known])
    offset = _span([noise["offset"] for noise in known])
    gains = [noise["gain"] for noise in known]
    if not any(gains):
        limit = "" if all(is_fitted(noise) for noise in known) else "at most "
        return f"{limit}{read} grey levels at all intensities"
    return f"gain {_span(gains)}, read noise {read}, offset {offset}"


def _correlation(channels: Sequence[dict[str, Any]]) -> str:
    """Write the correlation of next neighbours, the strongest of all channels."""
    ways = ("horizontal", "vertical")
    found = (max((noise["correlation"][way][0] for noise in channels), key=abs) for way in ways)
    across, down = (round(value, 2) + 0.0 for value in found)  # 0.0 makes -0.0 positive
    return f"{across:.2f} across, {down:.2f} down"


def _span(values: Sequence[float]) -> str:
    """Write values that may differ: ``"2.1"`` or ``"2.1 to 3.4"``."""
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"
