"""A result as the Python code that makes it again."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from .settings import Settings

_PATIENCE = 24 * 3600
"""Seconds: the number of steps is to end the training, on slower computers too."""


def changed_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Return those of some settings that differ from the defaults, in their order.

    Parameters
    ----------
    values : dict
        What `Settings.to_dict` returned, of this version or another.
    """
    usual = {field.name: field.default for field in fields(Settings)}
    return {name: value for name, value in values.items() if usual.get(name) != value}


def hindrance(story: dict[str, Any]) -> str:
    """Say why a result can't be had as code; empty if it can.

    Parameters
    ----------
    story : dict
        What the metadata of a result says of it.
    """
    if "axes" not in story:
        return "The result is of an older version, which did not note its axes; denoise again."
    if "model" in story and story["model"]["path"] is None:
        return "The model of this result was in no file; save it, then apply it again."
    if "model" not in story and story["figures"].get("continued_after"):
        return "The training was continued, which code can't repeat; save the model and apply it."
    return ""


def as_python(story: dict[str, Any], image: str) -> str:
    """Return the code that gives the pixels of a result again, as `denoised`.

    They are the same on the same device, with the same versions.

    Parameters
    ----------
    story : dict
        What the metadata of a result says of it; there must be no `hindrance`.
    image : str
        The Python expression of the noisy image.
    """
    colour = "S" in story["axes"]
    arguments = f"axes={story['axes']!r}" + (", dtype='same'" if colour else "")
    image += "[..., :3]" if colour else ""
    if "model" in story:
        names, lines = "Denoiser", _applying(story, arguments)
    elif "method" in story["figures"]:
        names, lines = "Settings, calibrate", _calibrating(story, arguments)
    else:
        names, lines = "Settings, denoise", _training(story, arguments)
    return "\n".join([
        f"from napari_noise2self import {names}",
        "",
        f"image = {image}  # in napari's console; elsewhere read it from its file",
        *lines,
        "",
    ])  # fmt: skip


def _training(story: dict[str, Any], arguments: str) -> list[str]:
    figures = story["figures"]
    given_up = figures.get("learned_noise", False)  # and would be again
    taken = figures["planned_steps" if given_up else "steps"]
    steps = {"max_steps": taken, "max_seconds": _PATIENCE}
    lines = [
        f"settings = {_call(changed_settings(story['settings']) | steps)}",
        f"denoised = denoise(image, settings, {arguments})",
    ]
    if taken < figures["planned_steps"]:
        lines.append("# the run was ended early, which code can't repeat to the last digit")
    if figures.get("partition_changes"):
        lines.append(
            "# the partition was changed during the run; here it is the last from the start"
        )
    return lines


def _calibrating(story: dict[str, Any], arguments: str) -> list[str]:
    return [
        f"settings = {_call(changed_settings(story['settings']))}",
        f"calibration = calibrate(image, settings, axes={story['axes']!r})",
        f"denoised = calibration.denoise(image, {arguments})",
    ]


def _applying(story: dict[str, Any], arguments: str) -> list[str]:
    return [
        f"denoiser = Denoiser.load({story['model']['path']!r})",
        f"denoised = denoiser.denoise(image, {arguments})",
    ]


def _call(settings: dict[str, Any]) -> str:
    return f"Settings({', '.join(f'{name}={value!r}' for name, value in settings.items())})"
