"""Noise is measured on the grid that suits the images, and made white only where it is to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self import Cancelled, Control, Settings
from napari_noise2self.measured_noise import find_whitenings, measure_laws, measure_noise
from napari_noise2self.noise.coarse import fine
from napari_noise2self.noise.correlation import coloured
from simulate import ALIKE, camera, smooth_scene

CAMERA = camera(60 * smooth_scene((128, 128)) + 5, read_noise=2)
SHARED = 100 * smooth_scene((128, 128)) + 5 * coloured(
    np.random.default_rng(0).standard_normal((128, 128)), ALIKE
)
ENLARGED = fine(CAMERA, 2, (256, 256))
BLURRED = ndimage.gaussian_filter(CAMERA, 2)
VERY = ndimage.gaussian_filter(camera(60 * smooth_scene((192, 192)) + 5, read_noise=2), 3)
"""Structure passes for noise on the coarse grid of these, but not where the network predicts it."""


@pytest.mark.parametrize(
    ("image", "changes", "white", "coarseness"),
    [
        (CAMERA, {}, False, 1),
        (SHARED, {}, True, 1),
        (SHARED, {"exclusion": "plus"}, False, 1),
        (SHARED, {"max_steps": 10}, False, 1),
        (SHARED, {"start": "fresh"}, False, 1),
        (ENLARGED, {}, True, 2),
        (ENLARGED, {"exclusion": "none"}, False, 1),
        (ENLARGED, {"max_steps": 10}, False, 1),
        (ENLARGED, {"start": "fresh"}, False, 1),
        (BLURRED, {}, False, 1),
        (VERY, {}, False, 1),
    ],
    ids=lambda value: str(value) if not isinstance(value, np.ndarray) else "",
)
def test_where_noise_is_made_white(
    image: Any, changes: dict[str, Any], white: bool, coarseness: int
) -> None:
    found = measure_noise([image[None]], Settings(**changes), Control())
    assert len(found.stabilisers) == 1
    assert len(found.whitenings) == white
    assert found.coarseness == coarseness


def test_the_law_of_a_coarse_grid_is_told_in_the_same_grey_levels() -> None:
    (small,) = measure_laws([CAMERA[None]], Control())
    (large,) = measure_noise([ENLARGED[None]], Settings(), Control()).stabilisers
    assert large.grey_noise.gain == pytest.approx(small.grey_noise.gain, rel=0.05)
    assert large.noise.correlation.horizontal[0] > 0.5 > small.noise.correlation.horizontal[0]


def test_whitenings_that_nobody_wants_are_not_measured() -> None:
    stabilisers = measure_laws([SHARED[None]], Control())
    chosen = Settings(exclusion="square")
    assert find_whitenings(stabilisers, [SHARED[None]], chosen, Control()) == ()
    assert len(find_whitenings(stabilisers, [SHARED[None]], Settings(), Control())) == 1


@pytest.mark.parametrize("image", [CAMERA, SHARED, ENLARGED], ids=["white", "shared", "enlarged"])
def test_cancel(image: Any) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        measure_noise([image[None]], Settings(), control)
