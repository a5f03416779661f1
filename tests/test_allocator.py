"""Memory is kept while it is used again and again, and given back afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_noise2self import allocator
from napari_noise2self.allocator import kept_memory


def test_blocks_may_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a preview and a training do: the last one out gives the memory back."""
    told = []
    monkeypatch.setattr(allocator, "_set", lambda *values: told.append(values))
    first, second = kept_memory(), kept_memory()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert told == [allocator._KEEP]
    second.__exit__(None, None, None)
    assert told == [allocator._KEEP, allocator._USUAL]


def test_an_error_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(allocator, "_set", lambda *values: told.append(values))
    with pytest.raises(RuntimeError), kept_memory():
        raise RuntimeError
    assert told[-1] == allocator._USUAL


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_library", lambda: None)
    with kept_memory():
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_given_back() -> None:
    code = """
import psutil, torch
from napari_noise2self.allocator import kept_memory
resident = psutil.Process().memory_info
torch.zeros(1) + 1
before = resident().rss
with kept_memory():
    for _ in range(5):
        many = [torch.ones(4_000_000) for _ in range(20)]
        del many
assert resident().rss - before < 50e6, (resident().rss - before) / 1e6
"""
    subprocess.run([sys.executable, "-c", code], check=True)
