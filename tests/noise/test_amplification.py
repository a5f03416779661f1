"""Planes that were amplified differently are told by their noise, and brought together."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self.noise.amplification import amplification, usual_law
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.model import NoiseModel
from simulate import camera, smooth_scene

BLEACHED = np.geomspace(60, 6, 5)
"""Photons at the brightest place."""


def _laws(factors: np.ndarray, side: int = 128) -> list[NoiseModel]:
    """Of planes whose light fades, times some factors."""
    return [
        estimate_noise([factor * camera(peak * smooth_scene((side, side), n), 1, 1, 50, n)])
        for n, (peak, factor) in enumerate(zip(BLEACHED, factors, strict=True))
    ]


@pytest.mark.parametrize(("factor", "offset"), [(1.0, 0.0), (7.0, -300.0), (0.2, 90.0)])
@pytest.mark.parametrize(("gain", "intercept"), [(2.0, 5.0), (0.3, -10.0)])
def test_the_law_tells_factor_and_offset(
    factor: float, offset: float, gain: float, intercept: float
) -> None:
    reference = NoiseModel(gain, intercept)
    # of factor * x + offset: the gain grows as the factor, the variance as its square
    law = NoiseModel(gain * factor, factor**2 * intercept - factor * gain * offset)
    assert amplification(law, reference) == pytest.approx((factor, offset))


def test_gaussian_noise_and_the_darkest_parts_tell_them_too() -> None:
    law, reference = NoiseModel(0.0, 36.0, offset=130.0), NoiseModel(0.0, 4.0, offset=10.0)
    assert amplification(law, reference) == pytest.approx((3, 100))


def test_where_the_dark_has_no_noise_nothing_is_told() -> None:
    assert amplification(NoiseModel(0.0, 4.0), NoiseModel(1.0, 0.0)) == (1, 0)


def test_planes_that_fade_follow_one_law() -> None:
    assert usual_law(_laws(np.ones(5)), 128) is None


def test_planes_whose_fading_was_corrected_do_not() -> None:
    assert usual_law(_laws(BLEACHED[0] / BLEACHED), 128) is not None


def test_small_planes_are_too_uncertain() -> None:
    assert usual_law(_laws(BLEACHED[0] / BLEACHED), 64) is None


def test_planes_without_a_law_say_nothing() -> None:
    assert usual_law([NoiseModel(0.0, 1.0, reliable=False)] * 5, 128) is None
