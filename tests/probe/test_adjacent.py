"""Adjacent planes are seen where they tell of each other, and where their noise is their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_noise2self.axes import Beside, Layout
from napari_noise2self.partition import Partition
from napari_noise2self.probe.adjacent import choose_adjacent
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.settings import AdjacentPlanes
from simulate import gaussian_noise

NOISE = 0.2
GRID = Partition("grid", 4)
SIDE = 96


def _detailed(seed: int = 0) -> NDArray[np.float64]:
    """A scene that can't be seen well in noise three times as weak."""
    scene = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    scene = ndimage.gaussian_filter(scene, 1.5, mode="wrap")
    return 3 * NOISE * scene / scene.std()


def _film(scenes: list[NDArray[np.float64]], shared: float = 0.0) -> list[Tensor]:
    """Stabilised planes of some scenes, whose noise has a part in common."""
    random = np.random.default_rng(0)
    common = random.standard_normal(scenes[0].shape)
    noise = [
        shared**0.5 * common + (1 - shared) ** 0.5 * random.standard_normal(scene.shape)
        for scene in scenes
    ]
    return [
        torch.from_numpy(scene + NOISE * each).float()[None]
        for scene, each in zip(scenes, noise, strict=True)
    ]


def _along(shape: tuple[int, ...], axes: str, axis: str) -> list[Beside]:
    layout = Layout(shape, axes)
    return [layout.adjacent(number, axis) for number in range(layout.n_planes)]


STILL = [_detailed()] * 6
UNRELATED = [_detailed(seed) for seed in range(6)]
IN_TIME = {"T": _along((6, SIDE, SIDE), "TYX", "T")}


def _choice(
    planes: list[Tensor],
    axes: dict[str, list[Beside]],
    choice: AdjacentPlanes = "auto",
    control: Control | None = None,
) -> tuple[str, str]:
    stack = choose_adjacent(
        planes, axes, GRID, gaussian_noise(NOISE**2), choice, control or Control()
    )
    return stack.axis, stack.note


def test_planes_that_tell_of_each_other_are_seen() -> None:
    axis, note = _choice(_film(STILL), IN_TIME)
    assert axis == "T"
    assert "along T are seen" in note


def test_planes_that_have_nothing_to_do_with_each_other_are_not() -> None:
    axis, note = _choice(_film(UNRELATED), IN_TIME)
    assert axis == ""
    assert "tell nothing" in note


@pytest.mark.parametrize(("shared", "seen"), [(0.05, "T"), (0.5, "")])
def test_planes_that_share_their_noise_are_not(shared: float, seen: str) -> None:
    """They would give it away: the loss at hidden pixels is no witness then."""
    axis, note = _choice(_film(STILL, shared), IN_TIME)
    assert axis == seen
    assert ("correlated by 0." in note) == (not seen)


def test_of_two_axes_the_one_whose_planes_are_more_alike() -> None:
    """Three places, two moments each: what is at one place does not change."""
    planes = _film([scene for scene in UNRELATED[:3] for _ in range(2)])
    shape = (3, 2, SIDE, SIDE)
    axes = {axis: _along(shape, "ZTYX", axis) for axis in "ZT"}
    assert _choice(planes, axes)[0] == "T"


@pytest.mark.parametrize(("scenes", "choice"), [(UNRELATED, "use"), (STILL, "ignore")])
def test_the_choice_of_the_user_counts(
    scenes: list[NDArray[np.float64]], choice: AdjacentPlanes
) -> None:
    assert _choice(_film(scenes), IN_TIME, choice)[0] == ("T" if choice == "use" else "")


def test_a_single_plane_has_none_beside_it() -> None:
    assert _choice(_film(STILL[:1]), {}, "use") == ("", "")


def test_missing_pixels_do_not_matter() -> None:
    planes = _film(STILL)
    for plane in planes[::2]:
        plane[:, 20:60, 20:60] = torch.nan
    assert _choice(planes, IN_TIME)[0] == "T"


def test_planes_whose_middle_is_missing_tell_of_each_other() -> None:
    film = []
    for plane in _film(STILL):
        framed = torch.full((1, 5 * SIDE, 5 * SIDE), torch.nan)
        framed[:, :SIDE, :SIDE] = plane
        film.append(framed)
    beside = {"T": _along((6, 5 * SIDE, 5 * SIDE), "TYX", "T")}
    assert _choice(film, beside)[0] == "T"


def test_cancelled() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        _choice(_film(STILL), IN_TIME, control=control)
