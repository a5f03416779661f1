"""The settings object: every mistake is named, every object can travel."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest

from napari_noise2self.settings import (
    BUDGETS,
    DEFAULT_DEPTH,
    DEFAULT_WIDTH,
    SettingError,
    Settings,
)

CHOICES = [
    "preset", "start", "partition", "exclusion", "fill", "adjacent_planes", "network",
    "prediction", "device",
]  # fmt: skip
RANGES = {
    "exclusion_radius": (1, 4),
    "width": (4, 256),
    "depth": (1, 5),
    "patch_size": (16, 512),
    "batch_size": (1, 256),
    "max_steps": (0, 10_000_000),
    "max_seconds": (0.1, 30 * 24 * 3600.0),
    "seed": (0, 2**31 - 1),
    "learning_rate": (1e-6, 1.0),
    "partition_size": (2, 10),
}
OPTIONAL = {
    "partition_size", "exclusion_radius", "depth", "max_steps", "max_seconds", "learning_rate",
}  # fmt: skip
FRACTIONAL = {"learning_rate", "max_seconds"}

UNUSUAL = Settings(
    preset="best",
    start="fresh",
    partition="random",
    partition_size=30,
    exclusion="plus",
    exclusion_radius=2,
    fill="zero",
    adjacent_planes="use",
    network="dncnn",
    width=8,
    depth=5,
    prediction="single-pass",
    patch_size=32,
    batch_size=3,
    learning_rate=0.01,
    max_steps=7,
    max_seconds=2.5,
    seed=9,
    device="cpu",
    mixed_precision=False,
)


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["purple", "", None, 3, ["unet"]])
def test_not_among_the_choices(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be one of .*, not "):
        Settings(**{name: value})


@pytest.mark.parametrize("name", RANGES)
def test_limits_of_numbers(name: str) -> None:
    low, high = RANGES[name]
    step = 1e-7 if name in FRACTIONAL else 1
    for value in (low, high):
        assert getattr(Settings(**{name: value}), name) == value
    for value in (low - step, high + step, float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match=f"^{name} must be "):
            Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("seed", "0 to 2147483647"),
        ("max_seconds", "0.1 to 2592000"),
        ("learning_rate", "0.000001 to 1"),
    ],
)
def test_limits_are_told_in_plain_digits(name: str, span: str) -> None:
    with pytest.raises(SettingError, match=f"from {span}, not -1$") as caught:
        Settings(**{name: -1})
    assert caught.value.name == name
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", ["8", True, False, [8], 8j, np.array([8, 9])])
def test_not_a_number(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be a"):
        Settings(**{name: value})


@pytest.mark.parametrize("name", sorted(RANGES.keys() - FRACTIONAL))
def test_not_a_whole_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be a whole number from .* to .*, not 16.5"):
        Settings(**{name: 16.5})


@pytest.mark.parametrize("name", sorted(RANGES))
def test_none_means_the_default_or_a_mistake(name: str) -> None:
    if name in OPTIONAL:
        assert getattr(Settings(**{name: None}), name) is None
    else:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            Settings(**{name: None})


@pytest.mark.parametrize("value", [1, 0, None, "yes"])
def test_mixed_precision_is_true_or_false(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^mixed_precision must be true or false"):
        Settings(mixed_precision=value)


@pytest.mark.parametrize(("kind", "limits"), [("grid", (2, 10)), ("random", (2, 400))])
def test_partition_size_has_limits_of_its_kind(kind: Any, limits: tuple[int, int]) -> None:
    for value in limits:
        assert Settings(partition=kind, partition_size=value).partition_size == value
    for value in (limits[0] - 1, limits[1] + 1):
        with pytest.raises(ValueError, match=r"^partition_size must be a whole number"):
            Settings(partition=kind, partition_size=value)


@pytest.mark.parametrize(("network", "most"), [("unet", 5), ("dncnn", 20)])
def test_depth_has_limits_of_its_network(network: Any, most: int) -> None:
    """A UNet pads an image to multiples of two to the power of its depth."""
    assert Settings(network=network, depth=most).depth == most
    with pytest.raises(ValueError, match=f"^depth must be a whole number from 1 to {most}, not"):
        Settings(network=network, depth=most + 1)


@pytest.mark.parametrize("start", BUDGETS)
@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
def test_budget_of_the_preset_and_what_replaces_it(start: Any, preset: Any) -> None:
    expected = BUDGETS[start][preset]
    settings = Settings(start=start, preset=preset)
    assert settings.budget == expected
    assert replace(settings, max_steps=0).budget == replace(expected, max_steps=0)
    changed = replace(settings, max_steps=5, max_seconds=3, learning_rate=0.1).budget
    assert changed == replace(expected, max_steps=5, max_seconds=3, learning_rate=0.1)


@pytest.mark.parametrize("start", BUDGETS)
def test_better_presets_cost_more(start: Any) -> None:
    fast, balanced, best = (BUDGETS[start][name] for name in ("fast", "balanced", "best"))
    assert fast.max_seconds < balanced.max_seconds < best.max_seconds
    assert fast.max_steps < balanced.max_steps < best.max_steps


@pytest.mark.parametrize(
    "change", [{"network": "dncnn"}, {"width": 16}, {"depth": 5}, {"start": "fresh"}]
)
def test_networks_without_pretrained_weights_start_fresh(change: dict[str, Any]) -> None:
    settings = Settings(**change)
    assert settings.effective == replace(settings, start="fresh")
    assert settings.budget == BUDGETS["fresh"][settings.preset]


@pytest.mark.parametrize("change", [{}, {"width": DEFAULT_WIDTH, "depth": DEFAULT_DEPTH["unet"]}])
def test_the_usual_network_starts_pretrained(change: dict[str, Any]) -> None:
    settings = Settings(**change)
    assert settings.effective == settings
    assert settings.effective.start == "pretrained"


@pytest.mark.parametrize("settings", [Settings(), UNUSUAL], ids=["default", "unusual"])
def test_to_json_and_back(settings: Settings) -> None:
    text = json.dumps(settings.to_dict(), allow_nan=False)
    again = Settings.from_dict(json.loads(text))
    assert again == settings
    assert hash(again) == hash(settings)


def test_unusual_settings_differ_from_the_defaults_in_every_field() -> None:
    """So that the round trip above covers each of them."""
    default = Settings()
    assert all(getattr(UNUSUAL, f.name) != getattr(default, f.name) for f in fields(Settings))


def test_dictionary_with_mistakes() -> None:
    with pytest.raises(ValueError, match=r"^unknown settings: colour, size$"):
        Settings.from_dict({"size": 3, "colour": 1, "width": 8})
    with pytest.raises(ValueError, match=r"^width must be"):
        Settings.from_dict({"width": 1})
    assert Settings.from_dict({"width": 8}) == Settings(width=8)


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.width = 8  # type: ignore[misc]
    assert len({settings, Settings(), UNUSUAL}) == 2


def test_settings_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        Settings("fast")  # type: ignore[misc]


@pytest.mark.parametrize("start", BUDGETS)
@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
@pytest.mark.parametrize(("images", "longer"), [(0.1, 1), (1, 1), (4, 2), (16, 4), (1000, 31.6)])
def test_four_times_the_pixels_are_trained_on_for_twice_as_long_and_flipped_half_as_often(
    start: Any, preset: Any, images: float, longer: float
) -> None:
    one = BUDGETS[start][preset]
    budget = Settings(start=start, preset=preset).budget_for(round(images * 512**2))
    assert budget.max_seconds == pytest.approx(longer * one.max_seconds, rel=0.01)
    assert budget.max_steps == pytest.approx(longer * one.max_steps, rel=0.01)
    assert budget.flips == max(1, one.flips // {1: 1, 2: 2, 4: 4, 31.6: 16}[longer])
    assert budget.classics == one.classics


def test_what_was_chosen_does_not_grow() -> None:
    chosen = Settings(max_steps=7, max_seconds=3).budget_for(10**9)
    assert (chosen.max_steps, chosen.max_seconds) == (7, 3)
