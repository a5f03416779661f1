"""The law of the noise: variances, what no noise makes, and the way there and back."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.model import NoiseModel
from simulate import camera, smooth_scene


@pytest.mark.parametrize("read_noise", [0.0, 0.5, 1, 2, 10, 100])
def test_no_noise_is_darker_than_the_darkest(read_noise: float) -> None:
    """Whatever the read noise, which can't be known where nothing is dark."""
    model = NoiseModel(gain=2, intercept=(2 * read_noise) ** 2 - 2 * 100)
    assert 100 - 5.99 * 2 * read_noise > model.darkest
    assert model.darkest < 100 - 2 * 5
    assert NoiseModel(gain=0, intercept=3).darkest == -np.inf


def test_plain_values_through_json() -> None:
    model = estimate_noise(
        [camera(80 * smooth_scene((256, 256)) + 5, gain=4, read_noise=6, offset=100)]
    )
    text = json.dumps(asdict(model))
    assert NoiseModel.from_dict(json.loads(text)) == model
    assert len(text) < 2000


def test_models_of_older_versions_have_no_points() -> None:
    model = NoiseModel(2.0, 5.0)
    older = asdict(model)
    del older["points"]
    assert NoiseModel.from_dict(older) == model


def test_variance_is_never_negative() -> None:
    np.testing.assert_array_equal(
        NoiseModel(2.0, -10.0).variance(np.array([0.0, 5.0, 10.0])), [0, 0, 10]
    )


@pytest.mark.parametrize("gain", [0.0, 2.0])
def test_stretch_is_the_squared_slope_of_the_way_back(gain: float) -> None:
    model, signal = NoiseModel(gain, 5.0), np.linspace(100, 1000, 50)
    step = 1e-3
    stable = model.stabilise(signal)
    slope = (model.unstabilise(stable + step) - model.unstabilise(stable - step)) / (2 * step)
    assert slope**2 == pytest.approx(model.stretch(signal), rel=0.01)


def test_stronger_noise_reaches_farther_into_the_dark() -> None:
    model = NoiseModel(2.0, 10.0)
    there = np.array([1.0, 4.0])
    np.testing.assert_allclose(model.darkest_at(there), [-5 - 18, -5 - 72])
    assert model.darkest_at(there)[0] == model.darkest


@pytest.mark.parametrize("factor", [0.25, 1.0, 6.0])
def test_noise_so_many_times_as_strong_is_brought_to_that_variance_and_back(factor: float) -> None:
    """The law times a factor is a law, too: that of so many grey levels for each photon."""
    model, photons = NoiseModel(2.0, 0.0), 8.0
    noisy = 2 * factor * np.random.default_rng(0).poisson(photons, 100_000)
    stable = model.stabilise(noisy.astype(float), factor)
    assert stable.var() == pytest.approx(factor, rel=0.1)
    expected = model.unstabilise(np.array(stable.mean()), factor)
    assert expected == pytest.approx(2 * factor * photons, rel=0.01)
