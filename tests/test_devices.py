"""Which device is taken, and in which precision it computes."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.devices import (
    DeviceError,
    Precision,
    describe_device,
    fastest_precision,
    reproducible,
    resolve_device,
)

CPU = torch.device("cpu")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The accelerators that PyTorch pretends to find; empty at first."""
    found: set[str] = set()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in found)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in found)
    return found


@pytest.mark.parametrize(
    ("accelerators", "expected"),
    [(set(), "cpu"), ({"mps"}, "mps"), ({"cuda"}, "cuda"), ({"cuda", "mps"}, "cuda")],
)
def test_auto_takes_the_fastest(there: set[str], accelerators: set[str], expected: str) -> None:
    there |= accelerators
    assert resolve_device().type == expected
    assert resolve_device("cpu").type == "cpu"
    for name in accelerators:
        assert resolve_device(name).type == name


@pytest.mark.parametrize("choice", ["cuda", "mps"])
def test_missing_device_is_an_error_that_says_what_to_do(there: set[str], choice: str) -> None:
    with pytest.raises(DeviceError, match=f"no {choice} device here; choose"):
        resolve_device(choice)


@pytest.mark.parametrize(
    ("abilities", "dtype"),
    [
        ({"avx2": True}, None),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"avx512_bf16": True, "cpu_name": "Intel Xeon"}, None),
        ({"avx512_bf16": True, "amx_bf16": True, "cpu_name": "Intel Xeon"}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": False}, None),
    ],
)
def test_processor_computes_in_the_precision_it_is_fast_in(
    monkeypatch: pytest.MonkeyPatch, abilities: dict[str, bool | str], dtype: torch.dtype | None
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    assert fastest_precision(CPU).dtype == dtype
    assert fastest_precision(CPU, mixed=False).dtype is None


def test_autocast_changes_the_precision_only_where_it_says_so() -> None:
    layer, image = torch.nn.Conv2d(1, 1, 3), torch.zeros(1, 1, 5, 5)
    for dtype in (None, torch.bfloat16):
        with Precision(dtype, torch.contiguous_format).autocast(CPU):
            assert layer(image).dtype == (dtype or torch.float32)
        assert layer(image).dtype == torch.float32


def test_reproducible_is_for_the_block_alone() -> None:
    def flags() -> tuple[bool, bool, bool]:
        cudnn = torch.backends.cudnn
        return cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32

    before = flags()
    with reproducible():
        assert flags() == (True, False, False)
    assert flags() == before


def test_devices_have_names_for_people() -> None:
    assert describe_device(CPU) == f"cpu ({torch.get_num_threads()} threads)"
    assert describe_device(torch.device("mps")) == "mps"
