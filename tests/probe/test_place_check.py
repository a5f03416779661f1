"""Whether noise differs from place to place is decided by what can't be predicted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.probe.noise_check import check_noise
from napari_noise2self.probe.place_check import differs_from_place_to_place
from napari_noise2self.progress import Cancelled, Control
from simulate import camera, smooth_scene

SIDE = 192


def _tiles(side: int = SIDE) -> NDArray[np.float64]:
    """Four tiles of different exposure."""
    photons = 60 * smooth_scene((side, side)) + 8
    exposed = np.kron([[1.0, 4.0], [16.0, 64.0]], np.ones((side // 2, side // 2)))
    return camera(photons * exposed) / exposed


def _threads(side: int = SIDE) -> NDArray[np.float64]:
    """Fine threads all over one half of an image, with the same noise in both."""
    random = np.random.default_rng(0)
    row, column = np.mgrid[:side, :side] - side / 2
    threads = np.zeros((side, side))
    for _ in range(400):
        turn, away = random.uniform(0, np.pi), random.uniform(-side, side)
        threads += np.exp(-(((row * np.cos(turn) + column * np.sin(turn) - away) / 0.5) ** 2))
    scene = 30 * smooth_scene((side, side)) + 10 * threads * (column > 0)
    return np.asarray(scene + random.normal(0, 3, (side, side)))


def _fitted(plane: NDArray[np.float64]) -> Stabiliser:
    fitted = Stabiliser.fit([plane])
    assert fitted.each_place, "else there is nothing to check"
    return fitted


def test_noise_of_tiles_is_confirmed() -> None:
    noisy = _tiles()
    fitted = _fitted(noisy)
    assert differs_from_place_to_place(fitted, [noisy], Control())
    assert check_noise([fitted], [noisy[None]], Control()) == (fitted,)


def test_fine_structure_in_a_part_of_an_image_is_not_its_noise() -> None:
    noisy = _threads()
    fitted = _fitted(noisy)
    assert not differs_from_place_to_place(fitted, [noisy], Control())
    (checked,) = check_noise([fitted], [noisy[None]], Control())
    assert not checked.each_place


def test_where_all_is_missing_nothing_is_confirmed() -> None:
    fitted = _fitted(_tiles())
    assert not differs_from_place_to_place(fitted, [np.full((96, 96), np.nan)], Control())


def test_small_planes_can_be_looked_at() -> None:
    fitted = _fitted(_tiles())
    for shape in ((33, 200), (20, 20)):
        differs_from_place_to_place(fitted, [_tiles()[: shape[0], : shape[1]]], Control())


def test_the_look_can_be_cancelled() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        differs_from_place_to_place(_fitted(_tiles()), [_tiles()], control)
