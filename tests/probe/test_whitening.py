"""Correlated noise is made white, and nothing is lost on the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_noise2self import Cancelled, Control
from napari_noise2self.noise.correlation import Correlation, autocovariance, coloured
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.probe.whitening import Whitening, measure_whitenings
from simulate import ALIKE, smooth_scene, whitening

SQUARE = Partition("grid", 8, 0, Exclusion("square", 2))


def _noise(side: int = 192, like: Correlation = ALIKE, seed: int = 0) -> NDArray[np.float64]:
    return coloured(np.random.default_rng(seed).standard_normal((side, side)), like)


def _measured(image: NDArray[np.float64], partition: Partition = SQUARE) -> tuple[Whitening, ...]:
    stabiliser = Stabiliser.fit([image], correlation=ALIKE)
    return measure_whitenings([stabiliser], [image[None]], partition, Control())


# --- the filter -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 64), (37, 101), (5, 3), (1, 1)])
def test_colouring_undoes_whitening(shape: tuple[int, int]) -> None:
    image = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    white = whitening().whiten(image)
    assert white.shape == image.shape
    assert white.dtype == torch.float32
    back = whitening().colour(white)
    if min(shape) > 32:  # at a border the two see different surroundings
        inside = (slice(16, -16),) * 2
        torch.testing.assert_close(back[inside], image[inside], atol=1e-3, rtol=0)
    assert torch.isfinite(back).all()


def test_whitened_noise_is_white_and_as_strong_as_assumed() -> None:
    noise = torch.from_numpy(2**0.5 * _noise(256)).float()
    variance, *shared = autocovariance(whitening(2.0).whiten(noise).double().numpy())
    assert variance == pytest.approx(1, abs=0.05)
    assert np.abs(shared).max() < 0.04


def test_a_smooth_image_is_brighter_by_the_gain_before() -> None:
    gain = whitening().gain
    white = whitening().whiten(torch.full((64, 64), 3.0))
    torch.testing.assert_close(white, torch.full((64, 64), 3.0 / gain))
    assert gain > 1.5


def test_missing_pixels_stay_missing_and_spoil_nothing_far_away() -> None:
    image = torch.from_numpy(_noise(96)).float()
    holed = image.clone()
    holed[40:43, 40] = torch.nan
    white, expected = whitening().whiten(holed), whitening().whiten(image)
    assert torch.equal(white.isnan(), holed.isnan())
    torch.testing.assert_close(white[60:], expected[60:], atol=0.02, rtol=0)
    nothing = torch.full((8, 8), torch.nan)
    assert whitening().whiten(nothing).isnan().all()


@pytest.mark.parametrize(
    "table",
    [
        ((1.0,),),
        ((0.0,) * 11,) * 11,
        ((float("nan"),) * 11,) * 11,
        ((2.0,) * 11,) * 5 + ((1.0,) * 11,) * 6,
    ],
)
def test_what_is_no_autocovariance_is_refused(table: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match="no autocovariance"):
        Whitening(table)


# --- what is measured -------------------------------------------------------------------------


def test_autocovariance_is_that_of_the_noise_not_of_structure() -> None:
    image = 200 * smooth_scene((224, 224)) + 40 * _noise(224)
    (found,) = _measured(image)
    table = np.array(found.autocovariance) / found.variance
    assert table[5, 6] == pytest.approx(0.45, abs=0.06)
    assert table[6, 5] == pytest.approx(0.45, abs=0.06)
    assert table[6, 6] == pytest.approx(0.2, abs=0.08)
    assert table[5, 7] == pytest.approx(0.07, abs=0.06)


def test_a_part_without_any_noise_says_nothing_of_it() -> None:
    image = 200 * smooth_scene((224, 224)) + 40 * _noise(224)
    (whole,) = _measured(image)
    masked = image.copy()
    masked[:, :100] = 0
    (part,) = measure_whitenings([Stabiliser.fit([image])], [masked[None]], SQUARE, Control())
    assert part.variance == pytest.approx(whole.variance, rel=0.15)
    assert part.gain == pytest.approx(whole.gain, rel=0.15)
    nothing = np.full((1, 64, 64), np.nan)
    assert measure_whitenings([Stabiliser.fit([image])], [nothing], SQUARE, Control()) == ()


def test_what_is_around_a_middle_without_pixels_tells_as_much() -> None:
    image = 200 * smooth_scene((420, 420)) + 40 * _noise(420)
    masked = image.copy()
    masked[100:320, 100:320] = np.nan
    stabiliser = Stabiliser.fit([image], correlation=ALIKE)
    (found,) = measure_whitenings([stabiliser], [masked[None]], SQUARE, Control())
    assert found.autocovariance[5][6] / found.variance == pytest.approx(0.45, abs=0.06)


def test_dense_structure_is_not_taken_for_noise() -> None:
    """Where the network is sure nowhere, its errors would pass for noise."""
    texture = np.random.default_rng(1).standard_normal((224, 224))
    found = Stabiliser.fit([texture])
    weak = replace(found, noise=found.noise.weaker(0.01), scale=3.0)
    assert measure_whitenings([weak], [texture[None]], SQUARE, Control()) == ()


def test_unknown_noise_is_not_whitened() -> None:
    constant = np.full((64, 64), 7.0)
    assert _measured(constant) == ()


def test_noise_of_which_only_a_limit_is_known_is_not_whitened() -> None:
    """Of images that were smoothed, for example: what is left would be blown up."""
    image = 200 * smooth_scene((224, 224)) + 6 * _noise(224)
    assert len(_measured(image)) == 1
    fitted = Stabiliser.fit([image], correlation=ALIKE)
    limited = replace(fitted, noise=replace(fitted.noise, goodness=0.0))
    assert measure_whitenings([limited], [image[None]], SQUARE, Control()) == ()


def test_measuring_can_be_cancelled() -> None:
    control = Control()
    control.cancel()
    image = 200 * smooth_scene((96, 96)) + 6 * _noise(96)
    with pytest.raises(Cancelled):
        measure_whitenings([Stabiliser.fit([image])], [image[None]], SQUARE, control)
