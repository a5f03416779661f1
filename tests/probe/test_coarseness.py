"""The noise of images with fewer details than pixels is measured on a coarse grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Cancelled, Control
from napari_noise2self.noise.coarse import coarse, fine
from napari_noise2self.probe.coarseness import confirmed, measure_on_coarse_grid, on_fine_grid
from napari_noise2self.probe.whitening import Whitening
from simulate import camera, smooth_scene

PHOTONS = 60 * smooth_scene((128, 112)) + 5


def _enlarged(small: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    return fine(small, times, (times * small.shape[0], times * small.shape[1]))


def _boxes() -> NDArray[np.float64]:
    """Boxes without any noise."""
    random, image = np.random.default_rng(0), np.zeros((96, 96))
    for top, left, height, width in random.integers((0, 0, 3, 3), (90, 90, 30, 30), (40, 4)):
        image[top : top + height, left : left + width] = random.uniform(0, 100)
    return image


@pytest.mark.parametrize("times", [2, 3, 4])
def test_enlarged_noise_is_that_of_the_small_image(times: int) -> None:
    image = _enlarged(camera(PHOTONS, gain=3, read_noise=4), times)
    coarseness, (found,), _ = measure_on_coarse_grid([image[None]], Control())
    assert coarseness == times
    expected = 3 * (3 * PHOTONS) + 16
    measured = found.grey_noise.variance(3 * PHOTONS)
    assert measured.mean() == pytest.approx(expected.mean(), rel=0.12)
    assert not found.noise.correlation.reach
    (whole,) = on_fine_grid([found], [image[None]])
    assert whole.noise.correlation.horizontal[0] > 0.5
    assert whole.grey_noise.gain == found.grey_noise.gain


@pytest.mark.parametrize(
    "image",
    [
        camera(60 * smooth_scene((192, 192)) + 5),
        60 * smooth_scene((192, 192)),
        _enlarged(_boxes(), 2),
        ndimage.zoom(_boxes(), 2, order=1),
        np.full((192, 192), 7.0),
        np.full((192, 192), np.nan),
    ],
    ids=["camera", "clean", "boxes", "boxes, linearly", "constant", "missing"],
)
def test_other_images_are_measured_as_they_are(image: NDArray[np.float64]) -> None:
    assert measure_on_coarse_grid([image[None]], Control()) == (1, (), [])


def test_all_channels_must_do_with_it() -> None:
    image = _enlarged(camera(PHOTONS), 2)
    other = camera(np.full(image.shape, 20.0))
    assert measure_on_coarse_grid([np.stack([image, image])], Control())[0] == 2
    assert measure_on_coarse_grid([np.stack([image, other])], Control())[0] == 1


def test_details_that_only_a_fine_grid_holds_are_not_lost() -> None:
    """Single bright pixels drawn over an enlarged image, as marks are."""
    image = _enlarged(camera(PHOTONS), 2)
    image[::40, ::40] += 60
    assert measure_on_coarse_grid([image[None]], Control())[0] == 1


def _whitening(variance: float, neighbours: float) -> Whitening:
    line = np.array([0, 0, 0, 0, neighbours, 1, neighbours, 0, 0, 0, 0])
    return Whitening(tuple(map(tuple, (variance * np.outer(line, line)).tolist())))


@pytest.mark.parametrize(
    ("variance", "neighbours", "expected"),
    [
        (1, 0, True),
        (1.5, 0.25, True),
        (1, -0.25, True),
        (1, 0.4, False),
        (1, -0.4, False),
        (20, 0, False),
        (0.3, 0, False),
    ],
)
def test_residuals_must_show_such_noise(variance: float, neighbours: float, expected: bool) -> None:
    assert _whitening(variance, neighbours).neighbours == pytest.approx(abs(neighbours))
    assert confirmed(_whitening(variance, neighbours)) == expected


def test_cancel() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        measure_on_coarse_grid([_enlarged(camera(PHOTONS), 2)[None]], control)


def test_missing_pixels() -> None:
    image = _enlarged(camera(PHOTONS), 2)
    image[50:60, 70:90] = np.nan
    coarseness, (found,), _ = measure_on_coarse_grid([image[None]], Control())
    assert coarseness == 2
    assert found.grey_noise.gain == pytest.approx(1, rel=0.25)
    assert np.isnan(coarse(image, 2)).sum() == 50
