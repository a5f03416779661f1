"""Pixels that are missing one by one get the noise of others; larger holes stay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self.noise.gaps import without_gaps


def _with_gaps(share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return white noise, and where pixels are missing from it."""
    random = np.random.default_rng(0)
    image, missing = random.standard_normal((300, 300)), random.random((300, 300)) < share
    image[missing] = random.choice([np.nan, np.inf, -np.inf], missing.sum())
    return image, missing


def test_an_image_without_any_is_the_same() -> None:
    image, _ = _with_gaps(0)
    assert without_gaps(image) is image


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1])
def test_noise_is_as_strong_and_as_white_as_elsewhere(share: float) -> None:
    image, missing = _with_gaps(share)
    before = image.copy()
    filled = without_gaps(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(filled[~missing], image[~missing])
    there = np.isfinite(filled)
    assert there.mean() > 0.999
    assert filled[missing & there].std() == pytest.approx(1, abs=0.15)
    curved = ndimage.laplace(np.where(there, filled, 0))
    assert curved.std() == pytest.approx(20**0.5, rel=0.03)  # of white noise


def test_holes_stay() -> None:
    image, _ = _with_gaps(0)
    image[100:120, 50:90] = np.nan
    filled = without_gaps(image)
    assert np.isnan(filled[104:116, 54:86]).all()


def test_nothing_is_made_of_nothing() -> None:
    assert np.isnan(without_gaps(np.full((20, 20), np.nan))).all()
    assert np.isnan(without_gaps(np.full((1, 1), np.nan))).all()
