"""The simulated samples have the noise that they claim."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.samples import (
    film_sample,
    hard_sample,
    simple_sample,
    simulate_cells,
    simulate_film,
)


def test_sample_is_a_noisy_and_a_clean_image() -> None:
    sample = simulate_cells(80)
    assert sample.noisy.shape == sample.clean.shape == (80, 80)
    assert sample.noisy.dtype == np.uint16
    assert sample.clean.dtype == np.float32
    assert np.isfinite(sample.clean).all()
    assert sample.clean.std() > 0


def test_seed_decides_the_sample() -> None:
    one, same, other = (simulate_cells(64, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.noisy, same.noisy)
    assert not np.array_equal(one.noisy, other.noisy)
    assert not np.array_equal(one.clean, other.clean)


@pytest.mark.parametrize(("gain", "read_noise"), [(4.0, 6.0), (1.0, 3.0), (10.0, 40.0)])
def test_noise_is_that_of_the_camera(gain: float, read_noise: float) -> None:
    sample = simulate_cells(128, gain=gain, read_noise=read_noise, offset=1000.0)
    error = sample.noisy - sample.clean.astype(float)
    variance = gain * (sample.clean - 1000) + read_noise**2
    assert abs(error.mean()) < 0.05 * error.std()
    assert np.mean(error**2 / variance) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("photons", [4.0, 20.0])
def test_more_photons_give_a_better_image(photons: float) -> None:
    def signal_to_noise(sample_photons: float) -> float:
        sample = simulate_cells(96, photons=sample_photons)
        return float(sample.clean.std() / (sample.noisy - sample.clean).std())

    assert signal_to_noise(4 * photons) > 1.5 * signal_to_noise(photons)


def test_film_is_of_something_that_moves() -> None:
    film = simulate_film(6, 64, speed=1.0)
    assert film.noisy.shape == film.clean.shape == (6, 64, 64)
    changes = [np.mean((film.clean[0] - frame) ** 2) for frame in film.clean]
    assert changes == sorted(changes)
    still = simulate_film(6, 64, speed=0.0)
    assert (still.clean == still.clean[0]).all()
    assert not np.array_equal(still.noisy[0], still.noisy[1])


@pytest.mark.parametrize(
    ("make", "shape"),
    [(simple_sample, (512, 512)), (hard_sample, (512, 512)), (film_sample, (12, 256, 256))],
)
def test_samples_for_napari(make: Any, shape: tuple[int, ...]) -> None:
    ((image, options, kind),) = make()
    assert kind == "image"
    assert image.shape == shape
    assert image.dtype == np.uint16
    assert options["name"]
    assert options["axis_labels"] == tuple("TYX")[-len(shape) :]


def test_noise_of_a_sample_can_be_measured() -> None:
    model = estimate_noise([simulate_cells(256).noisy.astype(float)])
    assert model.gain == pytest.approx(4, rel=0.2)
