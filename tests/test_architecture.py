"""The map of the code: arrows go one way, and `docs/architecture.md` names every module."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_noise2self

ROOT = Path(__file__).parents[1]
SOURCE = Path(napari_noise2self.__file__).parent
LEVELS = (
    {"__version__", "settings", "errors", "progress", "atomic", "axes", "allocator", "samples"},
    {"arrays", "devices", "snippet", "partition", "images", "stack"},
    {"noise"},
    {"choices", "networks"},
    {"probe"},
    {"measured_noise", "stack_reader", "training_planes", "training", "inference"},
    {"calibration", "figures"},
    {"model_file"},
    {"model"},
    {"denoiser"},
    {"batch", "partition_sizes"},
    {"cli", "pretraining", "widgets"},
)
LEVEL = {room: height for height, rooms in enumerate(LEVELS) for room in rooms}
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
TOLD_AS_A_WHOLE = {"calibration", "cli", "images", "pretraining", "widgets"}


def _imports(path: Path) -> Iterator[str]:
    """Yield the rooms that a module imports at any time; types alone don't count."""
    tree = ast.parse((SOURCE / path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == len(path.parts):
            yield from (
                [node.module.partition(".")[0]]
                if node.module
                else [name.name for name in node.names]
            )


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=str)
def test_arrows_go_one_way(path: Path) -> None:
    """A room knows the rooms below it and, beside it, only modules of its own."""
    own = path.parts[0].removesuffix(".py")
    above = {room for room in _imports(path) if LEVEL[room] >= LEVEL[own]}
    assert not above


def _absolute_imports(path: Path) -> Iterator[str]:
    """Yield the modules that a module names in full."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_own_modules_are_imported_by_relative_names(path: Path) -> None:
    """What is imported otherwise would pass by the test above."""
    assert "napari_noise2self" not in {name.partition(".")[0] for name in _absolute_imports(path)}


def test_the_map_names_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+\.py)`", page))
    told = {path for path in MODULES if path.parts[0] not in TOLD_AS_A_WHOLE}
    assert {path.name for path in told} - {"__init__.py"} <= named
    for folder in TOLD_AS_A_WHOLE:
        assert f"`{folder}/`" in page


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_what_the_pages_name_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for name, module in re.findall(r"`(\w+)[^`]*` in `(napari_noise2self[\w.]*)`", text):
        assert hasattr(importlib.import_module(module), name), name
