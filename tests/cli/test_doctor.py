"""What `doctor` finds, and what it advises."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from types import SimpleNamespace

import psutil
import pytest
import torch

from napari_noise2self.cli import doctor
from napari_noise2self.cli.doctor import Finding, examine
from shell import run

NAMES = ["version", "python", "torch", "device", "napari", "qt", "memory"]


def found(name: str) -> Finding:
    return next(finding for finding in examine() if finding.name == name)


def test_report_of_the_real_command():
    done = run("doctor")
    lines = [line for line in done.stdout.splitlines() if "->" not in line]
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in lines] == NAMES
    assert torch.__version__ in done.stdout
    assert platform.python_version() in done.stdout


def test_report_loads_neither_qt_nor_napari():
    code = (
        "import sys; from napari_noise2self.cli.doctor import examine; examine()\n"
        "print(sorted({'napari', 'qtpy', 'PySide6', 'PyQt6'} & set(sys.modules)))"
    )
    assert run(code=code).stdout == "[]\n"


def test_exit_code_and_advice_without_pytorch():
    code = "import sys; sys.modules['torch'] = None; from napari_noise2self.cli import main; main()"
    done = run("doctor", code=code)
    assert (done.returncode, done.stderr) == (1, "")
    assert "pip install torch" in done.stdout
    assert "memory" in done.stdout


@pytest.mark.parametrize("name", ["napari", "qt"])
def test_missing_package_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch, name: str):
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(doctor.metadata, "version", version)
    finding = found(name)
    assert finding.value == "missing"
    assert "pip install 'napari-noise2self[all]'" in finding.advice
    assert not finding.serious


@pytest.mark.parametrize(("gibibytes", "advised"), [(1.5, True), (8, False)])
def test_little_memory(monkeypatch: pytest.MonkeyPatch, gibibytes: float, advised: bool):
    memory = SimpleNamespace(available=gibibytes * 2**30, total=16 * 2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert f"{gibibytes:.1f} of 16.0 GiB free" in found("memory").value
    assert bool(found("memory").advice) == advised


@pytest.mark.parametrize(("cuda", "advice"), [("12.8", "nvidia-smi"), (None, "NVIDIA GPU")])
@pytest.mark.skipif(sys.platform == "darwin", reason="Macs have no CUDA")
def test_advice_where_no_gpu_is_found(
    monkeypatch: pytest.MonkeyPatch, cuda: str | None, advice: str
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    assert found("device").value.startswith("cpu")
    assert advice in found("device").advice
