"""A coarse grid holds all of an image that has fewer details than pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self.noise.coarse import coarse, fine, is_empty_beyond, lost
from simulate import smooth_scene

SHAPES = [(64, 64), (63, 41), (9, 5), (1, 1)]


@pytest.mark.parametrize("coarseness", [2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_there_is_a_way_back_and_forth(shape: tuple[int, int], coarseness: int) -> None:
    rows, columns = (-(-extent // coarseness) for extent in shape)
    image = np.random.default_rng(0).standard_normal((rows, columns))
    whole = fine(image, coarseness, (rows * coarseness, columns * coarseness))
    np.testing.assert_allclose(coarse(whole, coarseness), image, atol=1e-12)
    assert fine(image, coarseness, shape).shape == shape
    assert coarse(np.zeros(shape), coarseness).shape == image.shape
    assert lost(whole, coarseness) < 1e-20


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64])
def test_brightness_and_place_stay(dtype: type) -> None:
    flat = np.full((30, 41), 100, dtype)
    np.testing.assert_allclose(coarse(flat, 3), 100)
    ramp = 100 + 40 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)  # of the grid's own cosines
    means = ramp.reshape(16, 4).mean(axis=1)
    found = coarse(np.tile(ramp, (8, 1)), 4)
    np.testing.assert_allclose(found, np.tile(means, (2, 1)), atol=0.1)


def test_what_a_coarse_grid_loses_is_what_is_beyond_it() -> None:
    white = np.random.default_rng(0).standard_normal((128, 128))
    assert lost(white, 2) == pytest.approx(3 / 4, abs=0.03)
    assert lost(white, 4) == pytest.approx(15 / 16, abs=0.03)
    row = np.arange(128) + 0.5
    for frequency, left in ((0.9, 0), (1.5, 1), (1.9, 1)):  # 1.0 is the highest of the coarse grid
        wave = np.cos(np.pi * frequency * row / 2)[:, None] * np.ones(128)
        assert lost(wave, 2) == pytest.approx(left * 0.5, abs=0.02)


def test_pixels_are_missing_where_any_of_a_block_is_and_spoil_nothing_else() -> None:
    image = smooth_scene((64, 64))
    holed = image.copy()
    holed[20, 31] = np.nan
    found, expected = coarse(holed, 2), coarse(image, 2)
    assert np.argwhere(np.isnan(found)).tolist() == [[10, 15]]
    np.testing.assert_allclose(found[:8], expected[:8], atol=0.05)
    assert np.isfinite(lost(holed, 2))
    assert np.isnan(coarse(np.full((8, 8), np.nan), 2)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize("enlarged", [1, 2, 3, 4])
def test_enlarged_images_need_no_finer_grid_than_before(
    enlarged: int, order: int | None, dtype: type
) -> None:
    random = np.random.default_rng(0)
    noisy = 100 * smooth_scene((96, 80)) + 50 + 8 * random.standard_normal((96, 80))
    if order is None:
        image = fine(noisy, enlarged, (96 * enlarged, 80 * enlarged))
    else:
        image = ndimage.zoom(noisy, enlarged, order=order, grid_mode=True, mode="reflect")
    image = np.rint(image).astype(dtype) if dtype == np.uint8 else image
    coarser = range(enlarged + 1, 5)
    assert enlarged == 1 or is_empty_beyond(image, enlarged)
    assert not any(is_empty_beyond(image, coarseness) for coarseness in coarser)


@pytest.mark.parametrize(
    "image",
    [
        np.full((256, 256), np.nan),
        np.random.default_rng(0).standard_normal((256, 256)),
        100 * smooth_scene((256, 256)) + 5 * np.random.default_rng(0).standard_normal((256, 256)),
        ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((256, 256)), 0.7),
        fine(np.random.default_rng(0).standard_normal((32, 128)), 2, (64, 256)),
    ],
    ids=["missing", "noise", "scene", "slightly blurred", "small"],
)
def test_others_need_all_of_it(image: NDArray[Any]) -> None:
    assert not any(is_empty_beyond(image, coarseness) for coarseness in (2, 3, 4))
