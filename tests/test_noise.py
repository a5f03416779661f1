"""The noise is read off the image itself, right where it can be, and without a crash elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self.noise import NoiseModel, estimate_noise
from simulate import camera, smooth_scene


def _scene(side: int = 256) -> np.ndarray:
    """Blobs with sharp edges and points in them."""
    scene = smooth_scene((side, side))
    scene[side // 4 : side // 2, side // 4 : side // 2] += 0.5
    scene[::31, ::29] += 1
    return scene


@pytest.mark.parametrize("gain", [0.3, 1.0, 4.0, 40.0])
@pytest.mark.parametrize("seed", range(3))
def test_gain_and_variance_of_a_camera(gain: float, seed: int) -> None:
    read_noise, offset = 2 * gain, 100.0
    photons = 80 * _scene() + 5
    noisy = camera(photons, gain, read_noise, offset, seed)
    model = estimate_noise([noisy])
    assert model.reliable
    assert model.gain == pytest.approx(gain, rel=0.15)
    signal = gain * np.percentile(photons, [5, 50, 90]) + offset
    true = gain * (signal - offset) + read_noise**2
    np.testing.assert_allclose(model.variance(signal), true, rtol=0.15)


@pytest.mark.parametrize("sigma", [0.5, 7.0, 300.0])
@pytest.mark.parametrize("contrast", [0.0, 20.0])
def test_gaussian_noise_has_gain_zero(sigma: float, contrast: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, (256, 256))
    model = estimate_noise([contrast * sigma * smooth_scene((256, 256)) + noise])
    assert model.reliable
    assert model.gain == 0
    assert model.intercept**0.5 == pytest.approx(sigma, rel=0.07)


def test_planes_are_measured_together() -> None:
    planes = [camera(60 * smooth_scene((96, 96), s) + 3, 2, 2, seed=s) for s in range(6)]
    assert estimate_noise(planes).gain == pytest.approx(2, rel=0.15)


def test_pure_poisson_noise() -> None:
    model = estimate_noise([camera(40 * _scene() + 8)])
    assert model.gain == pytest.approx(1, rel=0.15)


def test_missing_saturated_and_hot_pixels_hardly_matter() -> None:
    noisy = camera(80 * _scene() + 5, gain=4, read_noise=6, offset=100)
    random = np.random.default_rng(0)
    noisy[20:40, 30:50] = np.nan
    noisy[random.random(noisy.shape) < 0.0005] = 5000.0
    noisy = np.minimum(noisy, np.nanpercentile(noisy, 99))
    model = estimate_noise([noisy])
    assert model.gain == pytest.approx(4, rel=0.25)


def _noise(shape: tuple[int, int] = (96, 96)) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(
    "plane",
    [
        pytest.param(np.zeros((96, 96)), id="zeros"),
        pytest.param(np.full((96, 96), 0.1), id="constant"),
        pytest.param(np.add.outer(np.arange(96.0), np.arange(96.0)), id="ramp"),
        pytest.param(_noise((1, 1)), id="one-pixel"),
        pytest.param(_noise((1, 500)), id="one-row"),
        pytest.param(_noise((500, 1)), id="one-column"),
        pytest.param(_noise((8, 300)), id="narrow"),
        pytest.param(_noise((9, 300)), id="less-narrow"),
        pytest.param((_noise() > 0).astype(float), id="two-levels"),
        pytest.param(np.rint(_noise()), id="few-levels"),
        pytest.param(np.clip(_noise(), -0.5, 0.5), id="clipped"),
        pytest.param(np.full((96, 96), np.nan), id="all-missing"),
        pytest.param(np.where(_noise() > 0, np.nan, _noise()), id="half-missing"),
        pytest.param(np.where(_noise() > 1, np.inf, _noise()), id="infinite"),
        pytest.param(np.where(_noise() > 4, 1e6, _noise()), id="hot"),
        pytest.param(np.eye(96), id="mostly-black"),
        pytest.param(1e-25 * _noise(), id="tiny"),
        pytest.param(1e25 * _noise(), id="huge"),
        pytest.param(np.random.default_rng(0).poisson(0.05, (96, 96)).astype(float), id="dark"),
        pytest.param(np.kron(np.eye(2), np.ones((48, 48))) + 0.1 * _noise(), id="chessboard"),
        pytest.param(_noise() * np.linspace(2, 0, 96), id="variance-against-place"),
        pytest.param(_noise() * np.linspace(2, 1, 96) + np.arange(96), id="falling-variance"),
    ],
)
def test_any_image_gets_a_model_that_can_be_used(plane: np.ndarray) -> None:
    model = estimate_noise([plane])
    assert np.isfinite([model.gain, model.intercept]).all()
    assert model.gain >= 0
    assert model.gain > 0 or model.intercept > 0
    assert model.note.endswith(".")


@pytest.mark.parametrize("shape", [(1, 500), (30, 30), (500, 5)])
def test_small_image_is_not_trusted(shape: tuple[int, int]) -> None:
    model = estimate_noise([3 * _noise(shape)])
    assert not model.reliable
    assert model.gain == 0
    assert model.intercept == pytest.approx(9, rel=0.2)
    assert "too small" in model.note


def test_variance_is_never_negative() -> None:
    np.testing.assert_array_equal(
        NoiseModel(2.0, -10.0).variance(np.array([0.0, 5.0, 10.0])), [0, 0, 10]
    )


def test_estimate_scales_with_the_image() -> None:
    noisy = camera(80 * _scene() + 5, gain=4, read_noise=6, offset=100)
    model, scaled = estimate_noise([noisy]), estimate_noise([noisy * 1000 - 7e4])
    assert scaled.gain == pytest.approx(1000 * model.gain, rel=1e-3)
    assert scaled.variance(np.array(3e5)) == pytest.approx(
        1e6 * model.variance(np.array(370.0)), rel=1e-3
    )
