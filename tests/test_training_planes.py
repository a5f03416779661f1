"""Which planes are trained on, what lies beside them, and what a network sees of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_noise2self.measured_noise import measure_laws
from napari_noise2self.noise.stabilise import NOISE_STD
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.training_planes import to_learn_from, training_planes


def _numbered(*extents: int) -> np.ndarray:
    """An image (..., 4, 4) each of whose planes is full of its number."""
    numbers = np.arange(np.prod(extents)).reshape(extents)
    return np.broadcast_to(numbers[..., None, None], (*extents, 4, 4)).astype(np.float32)


def _ids(planes: list[np.ndarray]) -> list[int]:
    return [int(plane.flat[0]) for plane in planes]


def test_all_planes_of_all_images() -> None:
    training = training_planes([_numbered(3), _numbered(2)], "TYX", Control())
    assert _ids(training.planes) == [0, 1, 2, 0, 1]
    assert training.stack_axes == "T"
    assert training.beside("TT") == [
        (None, None, 1, 2),
        (None, 0, 2, None),
        (0, 1, None, None),
        (None, None, 4, None),
        (None, 3, None, None),
    ]


@pytest.mark.parametrize(("axis", "beside"), [("T", (None, 1, 7, None)), ("Z", (None, 3, 5, None))])
def test_what_is_beside_a_plane_depends_on_the_axis(
    axis: str, beside: tuple[int | None, ...]
) -> None:
    training = training_planes(_numbered(3, 3), "TZYX", Control())
    assert training.stack_axes == "TZ"
    assert training.beside(axis)[4] == training.along[axis][4] == beside


def test_each_image_has_an_axis_of_its_own_or_none() -> None:
    stack, plane = np.zeros((3, 9, 9)), np.zeros((1, 9, 9))
    training = training_planes([plane, stack], "ZYX", Control())
    alone = (None,) * 4
    assert training.beside(["", "Z"]) == [
        alone,
        (None, None, 2, 3),
        (None, 1, 3, None),
        (1, 2, None, None),
    ]
    assert training.beside(["", ""]) == [alone] * 4


def test_a_plane_without_pixels_is_beside_none() -> None:
    stack = _numbered(4)
    stack[1] = np.nan
    training = training_planes(stack, "TYX", Control())
    assert _ids(training.planes) == [0, 2, 3]
    assert training.beside("T")[1] == (0, None, 2, None)


def test_an_axis_of_one_plane_is_no_stack() -> None:
    assert training_planes(_numbered(1, 3), "TZYX", Control()).stack_axes == "Z"
    assert training_planes(_numbered(1), "TYX", Control()).stack_axes == ""


@pytest.mark.parametrize("extents", [(100,), (10, 10)])
def test_of_too_many_some_come_with_those_beside_them(
    extents: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_noise2self.training_planes._LARGEST_TRAINING_SET", 40 * 16)
    training = training_planes(_numbered(*extents), "ZTYX"[-2 - len(extents) :], Control())
    ids = _ids(training.planes)
    assert 20 <= len(ids) <= 40
    assert ids == sorted(set(ids))
    assert max(np.diff(ids)) < 50, "not evenly spread"
    whole = [sum(n is not None for n in there) == 4 for there in training.beside("T")]
    assert sum(whole) >= 3


def test_line_noise_is_taken_away_if_asked_for() -> None:
    random = np.random.default_rng(0)
    noisy = random.normal(100, 1, (2, 64, 64)) + random.normal(0, 5, (2, 64, 1))
    as_it_is, even = (
        training_planes(noisy, "TYX", Control(), takes).planes for takes in (False, True)
    )
    assert np.array_equal(np.concatenate(as_it_is), noisy)
    for before, after in zip(as_it_is, even, strict=True):
        rough, smooth = (np.diff(plane.mean(axis=2)).std() for plane in (before, after))
        assert smooth < 0.2 * rough


def test_a_network_learns_from_stable_planes_without_hot_pixels() -> None:
    noisy = np.random.default_rng(0).normal(100, 3, (2, 64, 64)).astype(np.float32)
    noisy[0, 20, 30], noisy[1, 5, 6] = 1000, np.nan
    planes = training_planes(noisy, "TYX", Control()).planes
    stable = to_learn_from(planes, measure_laws(planes, Control()))
    assert [plane.shape for plane in stable] == [(1, 64, 64)] * 2
    assert stable[0].isnan().nonzero().tolist() == [[0, 20, 30]]
    assert stable[1].isnan().nonzero().tolist() == [[0, 5, 6]]
    assert float(stable[0].nan_to_num().std()) == pytest.approx(NOISE_STD, rel=0.1)


@pytest.mark.parametrize("work", [training_planes, measure_laws], ids=lambda f: f.__name__)
def test_cancelled(work: Callable[..., object]) -> None:
    control = Control()
    control.cancel()
    given = (_numbered(3), "TYX") if work is training_planes else ([_numbered(3)],)
    with pytest.raises(Cancelled):
        work(*given, control)
