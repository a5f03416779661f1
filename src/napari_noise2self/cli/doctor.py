"""What a user should know of this machine before, or when, something does not work."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

import psutil

from .. import __version__


@dataclass(frozen=True)
class Finding:
    """One line of the report; `serious` findings keep the package from working."""

    name: str
    value: str
    advice: str = ""
    serious: bool = False


def examine() -> list[Finding]:
    """Look at Python, PyTorch, the device, Qt, napari and memory."""
    python = f"{platform.python_version()} ({sys.executable}), {platform.platform()}"
    return [
        Finding("version", f"napari-noise2self {__version__}"),
        Finding("python", python),
        *_torch(),
        _napari(),
        _qt(),
        _memory(),
    ]


def _torch() -> list[Finding]:
    """PyTorch, where it will compute, and in which precision."""
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a DLL of Windows fails to load
        advice = "Install PyTorch as its web site says, then run this again: pip install torch"
        return [Finding("torch", f"can't be loaded ({error})", advice, serious=True)]
    from ..devices import describe_device, fastest_precision, resolve_device

    device = resolve_device("auto")
    dtype = str(fastest_precision(device).dtype or torch.float32).removeprefix("torch.")
    advice = ""
    if device.type == "cpu" and torch.version.cuda is None and sys.platform != "darwin":
        advice = "If there is an NVIDIA GPU, install a PyTorch with CUDA: see docs/install.md."
    elif device.type == "cpu" and torch.version.cuda is not None:
        advice = "PyTorch knows CUDA but finds no GPU; check the driver with nvidia-smi."
    return [
        Finding("torch", torch.__version__),
        Finding("device", f"{describe_device(device)}, training in {dtype}", advice),
    ]


def _napari() -> Finding:
    try:
        return Finding("napari", metadata.version("napari"))
    except metadata.PackageNotFoundError:
        return Finding("napari", "missing", "Install it: pip install 'napari-noise2self[all]'")


def _qt() -> Finding:
    """The Qt binding that napari will use; the command line works without."""
    for binding in ("PySide6", "PyQt6", "PyQt5"):
        try:
            return Finding("qt", f"{binding} {metadata.version(binding)}")
        except metadata.PackageNotFoundError:
            continue
    advice = "The dock needs one: pip install 'napari-noise2self[all]'; the command line does not."
    return Finding("qt", "missing", advice)


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    free = f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"
    advice = "" if memory.available > 2 * 2**30 else "Close other programs, or use small images."
    return Finding("memory", f"{free}, {os.cpu_count()} processors", advice)
