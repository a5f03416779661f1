"""How much noise the stabilised image has where photons are few."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from simulate import camera, gaussian_noise


def _camera_stabiliser(gain: float = 2.0, read_noise: float = 0.0) -> Stabiliser:
    """Of a camera without offset, in units of 10 grey levels around 20."""
    model = NoiseModel(gain / 10, (read_noise**2 + gain * 20) / 100, offset=-2.0)
    return Stabiliser(20.0, 10.0, model, centre=2.0, scale=0.2)


@pytest.mark.parametrize("photons", [0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 200.0])
@pytest.mark.parametrize("read_noise", [0.0, 0.5, 1.0, 4.0])
def test_variance_is_that_of_the_stabilised_camera(photons: float, read_noise: float) -> None:
    stabiliser = _camera_stabiliser(read_noise=read_noise)
    noisy = camera(np.full((500, 500), photons), 2.0, read_noise)
    stable = stabiliser.forward(noisy).double()
    mean = stable.mean().float().reshape(1, 1, 1, 1)
    believed, true = float(StableNoise.of([stabiliser]).variance(mean)), float(stable.var())
    assert believed == pytest.approx(true, rel=0.1, abs=0.002)


@pytest.mark.parametrize("photons", [0.5, 2.0, 5.0, 20.0])
@pytest.mark.parametrize("read_noise", [1.0, 4.0])
def test_kurtosis_is_that_of_the_stabilised_camera(photons: float, read_noise: float) -> None:
    stabiliser = _camera_stabiliser(read_noise=read_noise)
    noisy = camera(np.full((700, 700), photons), 2.0, read_noise)
    stable = stabiliser.forward(noisy).double().numpy()
    _, believed = StableNoise.of([stabiliser]).assumed_at(0, np.array([stable.mean()]))
    deviations = (stable - stable.mean()) ** 2
    true = (deviations**2).mean() / deviations.mean() ** 2 - 3
    assert believed == pytest.approx(true, rel=0.1, abs=0.07)


def test_taking_it_for_one_everywhere_would_be_wrong() -> None:
    """The negative control of the test above."""
    stable = _camera_stabiliser().forward(camera(np.full((300, 300), 0.3), 2.0))
    assert float(stable.var()) < 0.6 * _camera_stabiliser().noise_variance


def test_gaussian_noise_is_the_same_everywhere() -> None:
    mean = torch.linspace(-9, 9, 50).reshape(1, 1, 5, 10)
    assert torch.allclose(gaussian_noise(0.04).variance(mean), torch.tensor(0.04))


def test_unknown_noise_is_zero_but_has_a_unit() -> None:
    noise = gaussian_noise(0.0, 0.25)
    assert noise.variance(torch.zeros(2, 2, 3, 3))[:, 0].eq(0).all()
    assert noise.variance(torch.zeros(2, 2, 3, 3))[:, 1].eq(0.25).all()
    assert (noise.unit > 0).all()


def test_each_channel_has_its_own_table() -> None:
    mean = torch.full((1, 2, 1, 1), -0.15)
    both = StableNoise.of([_camera_stabiliser(), Stabiliser(0.0, 1.0, NoiseModel(0.0, 1.0))])
    dim, flat = both.variance(mean).flatten().tolist()
    assert flat == 1.0
    assert dim == pytest.approx(float(StableNoise.of([_camera_stabiliser()]).variance(mean[:, :1])))


def test_variance_is_positive_and_finite_for_any_prediction() -> None:
    mean = torch.tensor([-1e30, -50.0, 0.0, 50.0, 1e30]).reshape(1, 1, 1, 5)
    variance = StableNoise.of([_camera_stabiliser()]).variance(mean)
    assert variance.isfinite().all()
    assert (variance > 0).all()
    assert variance[..., -1] == pytest.approx(0.04)


@pytest.mark.parametrize("photons", [0.05, 0.5, 2.0, 3.0, 6.0])
def test_chance_makes_no_pixel_of_few_photons_an_outlier(photons: float) -> None:
    """Least of all one that has seen none among others that have: it is not dead."""
    stabiliser = _camera_stabiliser()
    stable = stabiliser.forward(camera(np.full((512, 512), photons), 2.0))[None]
    assert int(StableNoise.of([stabiliser]).without_outliers(stable).isnan().sum()) <= 2


def test_a_dead_pixel_among_many_photons_is_one() -> None:
    stabiliser = _camera_stabiliser()
    noisy = camera(np.full((64, 64), 60.0), 2.0)
    noisy[20, 30] = 0
    cleaned = StableNoise.of([stabiliser]).without_outliers(stabiliser.forward(noisy)[None])
    assert cleaned.isnan().nonzero().tolist() == [[0, 20, 30]]
