"""A trained model in one file: weights as safetensors, everything else as JSON in its header.

Nothing in such a file is ever executed, so models of strangers are safe to open.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from . import __version__
from .atomic import published
from .calibration import Floor
from .devices import describe_device, fastest_precision, resolve_device
from .networks import build_network, channels_together
from .noise.refinement import Refinement
from .noise.stabilise import Stabiliser
from .partition import Partition
from .probe.coarseness import COARSEST
from .probe.whitening import Whitening
from .settings import Device, Settings
from .stack import Stack
from .training.record import TrainingRecord

if TYPE_CHECKING:
    from .model import Model

Kind = TypeVar("Kind", bound="Model")

_KEY = "napari-noise2self"
FORMAT_VERSION = 6
"""Before 6, networks saw images relative to something else, and are of no use now."""
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, OverflowError)


class ModelError(ValueError):
    """A model file can't be read or written. The message is one sentence that says what to do."""


def save_model(model: Model, path: Path, *, overwrite: bool = False) -> None:
    """Write a trained model to a file, whole or not at all.

    Raises
    ------
    ModelError
        If the model is not trained, the file exists and `overwrite` is False, or the folder
        can't be written.
    """
    if model.network is None:
        raise ModelError("There is nothing to save yet; train the denoiser first.")
    header = {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "settings": model.settings.to_dict(),
        "stabilisers": [stabiliser.to_dict() for stabiliser in model.stabilisers],
        "stack": asdict(model.stack),
        "whitenings": [asdict(whitening) for whitening in model.whitenings],
        "coarseness": model.coarseness,
        "record": asdict(model.record),
        "floor": model.floor and model.floor.figures,
    }
    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in model.network.state_dict().items()
    }
    header["digest"] = _digest(header, weights)
    try:
        with published(path, overwrite) as part:
            save_file(weights, part, metadata={_KEY: json.dumps(header)})
    except FileExistsError as error:
        raise ModelError(f"{path} exists already; choose another name or overwrite it.") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} can't be written ({_reason(error)}); check the folder and its space."
        ) from error


def _reason(error: Exception) -> str:
    """Say why a file can't be written, without the hidden ones that are written first."""
    told = re.search(r"I/O error: (.+) \(os error", str(error))
    return told[1] if told else getattr(error, "strerror", None) or str(error)


def load_model(kind: type[Kind], path: Path, device: Device = "auto") -> Kind:
    """Read a model from a file, and place its network on a device.

    Parameters
    ----------
    kind : type
        Of the model to return: `Denoiser`, for one that can be trained on.
    path : Path
        The file.
    device : str
        As in `Settings`.

    Raises
    ------
    DeviceError
        If that device is not there.
    ModelError
        If the file is missing, damaged, of another program, or of another version.
    """
    if not path.is_file():
        raise ModelError(f"{path} does not exist; check the name of the model file.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = (file.metadata() or {}).get(_KEY)
            names = file.keys() if header is not None else ()
            weights = {name: file.get_tensor(name).clone() for name in names}  # off the file
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} is no model file, or it is damaged; save the model again or choose another."
        ) from error
    if header is None:
        raise ModelError(
            f"{path} is a safetensors file of another program; choose a model that was saved by "
            "napari-noise2self."
        )
    place = resolve_device(device)
    try:
        values = json.loads(header)
        newer = values["format_version"] > FORMAT_VERSION
        if values["format_version"] == FORMAT_VERSION:
            if values.pop("digest") != _digest(values, weights):
                raise ValueError("bytes have changed since the file was written")
            return _assemble(kind, values, weights, place)
    except _DAMAGE as error:
        raise ModelError(
            f"{path} is a damaged model file; save the model again or choose another."
        ) from error
    remedy = "update napari-noise2self with 'pip install -U napari-noise2self'"
    raise ModelError(
        f"{path} was saved by {'a newer' if newer else 'an older'} version "
        f"({values.get('version', 'unknown')}); {remedy if newer else 'train the model again'}."
    )


def _assemble(
    kind: type[Kind], values: dict[str, Any], weights: dict[str, torch.Tensor], device: torch.device
) -> Kind:
    """Build the model that a header and weights describe."""
    model = kind(Settings.from_dict(values["settings"]))
    model.stabilisers = tuple(_stabiliser(item) for item in values["stabilisers"])
    model.choose_partition()
    model.stack = Stack(**{name: str(value) for name, value in values["stack"].items()})
    model.whitenings = tuple(_whitening(item) for item in values["whitenings"])
    if len(model.whitenings) not in (0, len(model.stabilisers)):
        raise ValueError("whitenings are not those of the channels")
    model.coarseness = values.get("coarseness", 1)  # not in older files
    if model.coarseness not in range(1, COARSEST + 1):
        raise ValueError("the grid can't be so coarse")
    known = {field.name for field in fields(TrainingRecord)}
    record = {name: value for name, value in values["record"].items() if name in known}
    for name in ("history", "partition_changes"):
        record[name] = [tuple(entry) for entry in record.get(name, [])]
    record["noise_refinements"] = tuple(
        None if found is None else Refinement.from_dict(found)
        for found in record["noise_refinements"]
    )
    held_out_by = record.get("held_out_by")  # not in older files
    record["held_out_by"] = _partition(held_out_by) if held_out_by else model.partition
    model.record = TrainingRecord(**record)
    _check_numbers(model.record)
    if values["floor"] is not None:
        model.floor = Floor.from_dict(values["floor"])
    model.device = describe_device(device)
    json.dumps(model.figures)  # raises if a figure is of the wrong type
    with torch.device("meta"):  # takes no memory, whatever the settings ask for
        together = channels_together(model.settings, len(model.stabilisers))
        network = build_network(model.settings, together, model.stack.adjacent)
    if {weight.dtype for weight in weights.values()} != {torch.float32}:
        raise ValueError("weights are not float32")
    if not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
        raise ValueError("weights are not finite")
    network.load_state_dict(weights, assign=True)
    model.network = network.to(device).eval()
    fastest_precision(device).arrange(model.network)  # as after training: to the last digit
    return model


def _stabiliser(values: dict[str, Any]) -> Stabiliser:
    """Make a stabiliser from values that may be anything."""
    stabiliser = Stabiliser.from_dict(values)
    noise = stabiliser.noise
    positive = (abs(stabiliser.unit), stabiliser.scale, noise.gain or noise.intercept)
    numbers = (noise.gain, noise.intercept, noise.offset, noise.goodness, *sum(noise.points, ()))
    limits = [limit for limit in noise.limits if limit is not None]
    finite = (stabiliser.offset, stabiliser.centre, *numbers, *limits)
    if not all(map(math.isfinite, positive + finite)) or not min(positive) > 0:
        raise ValueError("numbers of the scale are impossible")
    if stabiliser.strength is not None:
        raise ValueError("noise at each place is that of one plane")
    return stabiliser


def _check_numbers(record: TrainingRecord) -> None:
    """Raise ValueError where a record of a training holds something else than numbers."""
    history = [number for _, *found in record.history for number in found]
    changes = [step for step, *_ in (*record.history, *record.partition_changes)]
    steps = (record.steps, record.planned_steps, record.best_step, *record.continued_after)
    numbers = (record.seconds, record.held_out_loss, record.noise_floor or 0.0, *history)
    if {type(step) for step in (*steps, *changes)} != {int} or not {
        type(number) for number in numbers
    } <= {int, float}:
        raise ValueError("numbers of the record are none")


def _whitening(values: dict[str, Any]) -> Whitening:
    """Make a whitening from values that may be anything."""
    lines = tuple(tuple(map(float, line)) for line in values["autocovariance"])
    return Whitening(lines, float(values["doubt"]))


def _partition(values: dict[str, Any]) -> Partition:
    """Make a partition from values that may be anything: one that settings may ask for."""
    exclusion = values["exclusion"]
    settings = Settings(
        partition=values["kind"],
        partition_size=values["size"],
        seed=values["seed"],
        exclusion=exclusion["kind"],
        exclusion_radius=exclusion["radius"] or None,
    )
    return Partition.from_settings(settings)


def _digest(header: dict[str, Any], weights: dict[str, torch.Tensor]) -> str:
    """Return what tells a file from one whose bytes have changed."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, weight in sorted(weights.items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
