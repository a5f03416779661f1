"""Salt and pepper is found, alone and touching; structure, noise and single photons are not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self import Denoiser, Settings
from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.impulses import find_impulses, without_impulses
from simulate import psnr, smooth_scene

SHAPE, NOISE = (256, 256), 10.0


def _noisy(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, NOISE, SHAPE)
    return 80 + 100 * smooth_scene(SHAPE) + noise


def _salted(image: np.ndarray, share: float, low: float = 0, high: float = 255) -> np.ndarray:
    """Return an image with as many dark as bright impulses."""
    chance = np.random.default_rng(1).random(image.shape)
    return np.select([chance < share / 2, chance < share], [low, high], image)


def _std(image: np.ndarray) -> np.ndarray:
    return np.full(image.shape, NOISE)


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
def test_salt_and_pepper_is_found_with_and_without_its_noise_known(share: float) -> None:
    image = _noisy()
    salted = _salted(image, share)
    hit = salted != image
    assert (hit & _touching(hit)).any()
    for found in (find_impulses(salted, _std(image)), np.isnan(without_impulses(salted))):
        far = np.abs(salted - image) > 8 * NOISE
        assert (found & far).sum() > 0.95 * far.sum()
        assert (found & ~hit).sum() < 1e-4 * hit.size


def test_they_are_found_where_the_middle_is_missing() -> None:
    salted = _salted(np.tile(_noisy(), (2, 2)), 0.02)
    salted[100:412, 100:412] = np.nan
    assert np.isnan(without_impulses(salted))[:60].mean() > 0.01


def test_random_values_are_found_where_the_noise_is_known() -> None:
    image = _noisy()
    hit = np.random.default_rng(1).random(SHAPE) < 0.02
    spoiled = np.where(hit, np.random.default_rng(2).uniform(500, 5000, SHAPE), image)
    assert find_impulses(spoiled, _std(image))[hit].mean() > 0.98


def test_photons_are_none() -> None:
    """An EMCCD makes of each a bright pixel, as far from the dark ones as salt is."""
    random = np.random.default_rng(0)
    for mean in (0.005, 0.02, 0.1):
        photons = random.poisson(mean, SHAPE)
        image = np.where(photons > 0, random.gamma(np.maximum(photons, 1), 300), 0)
        image = image + random.normal(0, NOISE, SHAPE)
        assert without_impulses(image) is image


@pytest.mark.parametrize("mean", [0.01, 0.1, 1, 10])
def test_neither_are_counts(mean: float) -> None:
    counts = np.random.default_rng(0).poisson(mean, SHAPE).astype(float)
    assert without_impulses(counts) is counts


def test_neither_is_noise() -> None:
    for seed in range(5):
        assert not find_impulses(_noisy(seed), _std(_noisy())).any()
        assert not np.isnan(without_impulses(_noisy(seed))).any()


def test_pairs_that_chance_does_not_make_are_structure() -> None:
    image = _noisy()
    random = np.random.default_rng(0)
    places = 6 * np.stack([random.permutation(40) for _ in range(2)], axis=1) + 6
    single = [(row, column) for row, column in places]
    for row, column in single:
        image[row, column] = 1000
        image[row + 3, column : column + 2] = 1000
    found = find_impulses(image, _std(image))
    assert all(found[place] for place in single)
    assert found.sum() == len(single)


def test_few_are_left_to_their_neighbours() -> None:
    image = _noisy()
    image[100, 100:102] = 1000
    image[50, 50] = 1000
    assert not find_impulses(image, _std(image)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 5), (3, 300)])
def test_small_and_empty_images(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape)
    assert not find_impulses(image, np.ones(shape)).any()
    assert without_impulses(image) is image
    nothing = np.full(shape, np.nan)
    assert without_impulses(nothing) is nothing
    assert not find_impulses(nothing, np.ones(shape)).any()


def test_missing_pixels_are_no_impulses() -> None:
    image = _salted(_noisy(), 0.02)
    image[:40] = np.nan
    image[100:150, 100:150] = np.nan
    assert not find_impulses(image, _std(image))[~np.isfinite(image)].any()


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_noise_is_measured_as_without_them(share: float) -> None:
    model = estimate_noise([_salted(_noisy(), share)])
    assert model.reliable
    assert model.gain == 0
    assert model.intercept**0.5 == pytest.approx(NOISE, rel=0.1)


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_the_result_is_nearly_as_good(share: float) -> None:
    clean = 80 + 100 * smooth_scene(SHAPE)
    salted = _salted(_noisy(), share).clip(0, 255).round().astype(np.uint8)
    denoiser = Denoiser(Settings(preset="fast", max_steps=0))
    plain, found = (denoiser.fit(image).result(image) for image in (_noisy(), salted))
    assert psnr(found.image, clean) > psnr(plain.image, clean) - 2.5
    assert found.figures["hot_pixels"] == pytest.approx(share * salted.size, rel=0.1)


def _touching(hit: np.ndarray) -> np.ndarray:
    """Return which pixels have a hit one beside them."""
    padded = np.pad(hit, 1)
    rows, columns = hit.shape
    shifted = [
        padded[down : down + rows, right : right + columns]
        for down in range(3)
        for right in range(3)
        if (down, right) != (1, 1)
    ]
    return np.any(shifted, axis=0)
