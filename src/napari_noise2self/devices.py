"""Where to compute, and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from .settings import Device


class DeviceError(ValueError):
    """The device asked for is not there. The message says what to do."""


@dataclass(frozen=True)
class Precision:
    """How to run a network on a device.

    Parameters
    ----------
    dtype : torch.dtype or None
        Of the features; None for plain float32.
    memory_format : torch.memory_format
        Of images and of the network's weights: both alike, or a prediction takes up to three times
        as long.
    """

    dtype: torch.dtype | None
    memory_format: torch.memory_format

    def arrange(self, network: nn.Module) -> None:
        """Bring the weights of a network into the memory format."""
        network.to(memory_format=self.memory_format)  # type: ignore[call-overload]

    @contextmanager
    def autocast(self, device: torch.device) -> Iterator[None]:
        """Run the block in mixed precision where `dtype` says so."""
        with torch.autocast(device.type, dtype=self.dtype, enabled=self.dtype is not None):
            yield


def resolve_device(choice: Device = "auto") -> torch.device:
    """Return the device for a choice of the user.

    Raises
    ------
    DeviceError
        If that device is not available here.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if choice == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available[choice]:
        raise DeviceError(
            f"There is no {choice} device here; choose the device auto, or run "
            "'napari-noise2self doctor' in a shell to see what PyTorch finds."
        )
    return torch.device(choice)


def fastest_precision(device: torch.device, mixed: bool = True) -> Precision:
    """Return the precision in which small convolutions are fastest on a device.

    With the bfloat16 instructions of AMD's processors, or Intel's matrix unit (AMX, which virtual
    machines may hide), they take a third to a half of the time of float32; without, they take
    longer. Channels last is the faster layout, except on MPS.
    """
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return Precision(torch.bfloat16 if mixed and _fast_in_bfloat16(device) else None, layout)


def _fast_in_bfloat16(device: torch.device) -> bool:
    """Tell by the kind of device alone: a measurement would differ from run to run."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    if abilities.get("amx_bf16"):
        return True
    intel = "Intel" in str(abilities.get("cpu_name"))  # whose AVX-512 takes 1.5 times as long in it
    return bool(abilities.get("avx512_bf16")) and not intel


@contextmanager
def reproducible() -> Iterator[None]:
    """Make CUDA convolutions exact and repeatable inside the block."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


def describe_device(device: torch.device) -> str:
    """Name a device for people, for example ``"cuda (NVIDIA H200)"`` or ``"cpu (2 threads)"``."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return device.type
