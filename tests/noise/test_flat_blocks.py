"""The noise variance in the flattest places of an image."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from napari_noise2self.noise.flat_blocks import flat_noise, flattest_noise
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from simulate import camera, smooth_scene

NO_EDGES = np.array([])


def _ones(brightness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian noise of variance 1."""
    return np.ones_like(brightness), np.zeros_like(brightness)


def _noise(shape: tuple[int, int] = (256, 256), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_choosing_the_flattest_blocks_does_not_choose_the_least_noise(strength: float) -> None:
    (found,) = flat_noise([strength * _noise()], _ones, NO_EDGES)
    assert found == pytest.approx(strength**2, rel=0.03)


def test_texture_in_a_part_of_the_image_is_not_taken_for_noise() -> None:
    texture = 3 * _noise(seed=1) * (np.arange(256) < 128)
    (found,) = flat_noise([_noise() + texture], _ones, NO_EDGES)
    assert found == pytest.approx(1, rel=0.05)


def test_each_brightness_has_its_own_noise() -> None:
    bright = np.arange(256) >= 128
    image = np.where(bright, 100 + 3 * _noise(), _noise())
    assert flat_noise([image], _ones, np.array([50.0])) == pytest.approx([1, 9], rel=0.1)


def test_noise_is_compared_with_what_was_assumed_at_its_brightness() -> None:
    scene = 50 + 500 * smooth_scene((256, 256))
    photons = np.random.default_rng(0).poisson(scene).astype(float)
    found = flat_noise([photons], lambda mean: (mean, 1 / mean), np.quantile(scene, [0.5]))
    assert found == pytest.approx([1, 1], rel=0.05)


@pytest.mark.parametrize("read_noise", [1.0, 2.5])
@pytest.mark.parametrize("photons", [0.2, 2.0])
def test_noise_that_is_not_gaussian_is_neither_less_in_flat_blocks_nor_in_bright_ones(
    photons: float, read_noise: float
) -> None:
    """Skewed noise is stronger where it is dim by chance; that with large tails, where uneven."""
    noisy = camera(np.full((400, 400), photons), 1.0, read_noise)
    stabiliser = Stabiliser(0.0, 1.0, NoiseModel(1.0, read_noise**2), 0.0, 1.0)
    stable = stabiliser.forward(noisy).double().numpy()
    assumed = partial(StableNoise.of([stabiliser]).assumed_at, 0)
    assert flat_noise([stable], assumed, NO_EDGES) == pytest.approx([1], abs=0.08)
    edges = stable.mean() + np.array([-0.1, 0.0, 0.1])
    assert flat_noise([stable], assumed, edges) == pytest.approx(4 * [1], abs=0.17)


@pytest.mark.parametrize("flat_share", [1.0, 0.3, 0.08])
def test_flattest_parts_show_the_noise_of_an_image_full_of_texture(flat_share: float) -> None:
    texture = ndimage.gaussian_filter(_noise(seed=1), 1)
    image = 20 * texture / texture.std() * (np.arange(256) >= flat_share * 256) + 2 * _noise()
    found = flattest_noise([image])
    assert found.white
    assert found.fine == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("sigma", [(0.6, 0.6), (0.0, 0.8)])
def test_correlated_noise_is_not_white_and_stronger_than_its_fine_part(
    sigma: tuple[float, float],
) -> None:
    noise = ndimage.gaussian_filter(_noise(), sigma)
    found = flattest_noise([noise / noise.std()])
    assert not found.white
    assert 1.5 * found.fine < found.whole == pytest.approx(0.7, abs=0.2)


def test_sharpened_noise_is_not_white() -> None:
    noise = _noise()
    assert not flattest_noise([noise - 0.7 * ndimage.gaussian_filter(noise, 0.7)]).white


def test_what_is_cut_off_has_no_noise_and_tells_nothing() -> None:
    image = _noise()
    image[:, 120:] = 0.0
    assert flattest_noise([image[:, :120], image[:, 120:]]).fine == pytest.approx(1, rel=0.05)
    assert np.isnan(flattest_noise([np.zeros((256, 256))]).fine)
    assert np.isnan(flattest_noise([_noise((7, 900))]).fine)


def test_missing_pixels_are_left_out_and_too_few_blocks_tell_nothing() -> None:
    image = _noise()
    image[::2, :128] = np.nan
    found = flat_noise([image], _ones, np.array([50.0]))
    assert found[0] == pytest.approx(1, rel=0.05)
    assert np.isnan(found[1])
    assert np.isnan(flat_noise([_noise((7, 7))], _ones, NO_EDGES)).all()
