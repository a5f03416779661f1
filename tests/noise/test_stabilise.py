"""Grey levels go to noise of one variance and come back without loss and without bias."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from napari_noise2self.noise.estimate import estimate_noise
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser, fit_stabilisers
from napari_noise2self.progress import Control
from simulate import camera, smooth_scene

GAUSSIAN = Stabiliser(50.0, 8.0, NoiseModel(0.0, 0.25), centre=0.3, scale=0.2)
MODELS = [(0.05, 0.02), (0.5, 0.6), (2.0, 3.0)]


def _poisson_gaussian(gain: float = 0.5, intercept: float = 0.6) -> Stabiliser:
    return Stabiliser(50.0, 8.0, NoiseModel(gain, intercept), centre=3.0, scale=0.2)


def _levels(shape: tuple[int, ...] = (64, 64)) -> np.ndarray:
    return camera(60 * smooth_scene(shape) + 2, gain=3, read_noise=4, offset=100)


def test_gaussian_round_trip() -> None:
    levels = np.linspace(-300, 400, 1000).reshape(20, 50)
    back = GAUSSIAN.inverse(GAUSSIAN.forward(levels))
    np.testing.assert_allclose(back, levels, atol=1e-3)


@pytest.mark.parametrize(("gain", "intercept"), MODELS)
def test_poisson_round_trip_but_for_the_bias_that_the_inverse_adds(
    gain: float, intercept: float
) -> None:
    """An expectation lies above the value whose square root it is, by a quarter of the variance."""
    stabiliser = _poisson_gaussian(gain, intercept)
    levels = np.linspace(200, 4000, 500).reshape(20, 25)
    back = stabiliser.inverse(stabiliser.forward(levels))
    np.testing.assert_allclose(back - levels, gain * 8.0 / 4, atol=0.12 * gain * 8 / 4 + 2e-3)


@pytest.mark.parametrize(("gain", "intercept"), MODELS)
def test_inverse_grows_with_the_prediction(gain: float, intercept: float) -> None:
    stable = torch.linspace(-5, 20, 400).reshape(1, 400)
    levels = _poisson_gaussian(gain, intercept).inverse(stable)
    assert np.isfinite(levels).all()
    assert (np.diff(levels) >= 0).all()


@pytest.mark.parametrize("photons", [2.0, 5.0, 30.0, 500.0])
@pytest.mark.parametrize("read_noise", [1.0, 4.0])
def test_noise_has_the_same_variance_everywhere_and_the_inverse_no_bias(
    photons: float, read_noise: float
) -> None:
    gain, offset = 2.0, 100.0
    stabiliser = Stabiliser(
        offset=120.0,
        unit=10.0,
        noise=NoiseModel(gain / 10, (read_noise**2 + gain * (120 - offset)) / 100),
        centre=1.5,
        scale=0.2,
    )
    noisy = camera(np.full((600, 600), photons), gain, read_noise, offset)
    stable = stabiliser.forward(noisy).double()
    assert float(stable.var()) == pytest.approx(stabiliser.noise_variance, rel=0.12)
    mean = stable.mean().float().reshape(1, 1)
    true = gain * photons + offset
    standard_error = noisy.std() / 600
    assert stabiliser.inverse(mean)[0, 0] == pytest.approx(true, abs=4 * standard_error + 0.06)


def test_algebraic_inverse_would_be_biased() -> None:
    """The negative control of the test above."""
    noisy = camera(np.full((400, 400), 5.0), 2.0, 1.0, 100.0)
    roots = np.sqrt(np.maximum(2 * noisy + 0.375 * 4 + 1 - 200, 0))
    algebraic = (roots.mean() ** 2 - 0.375 * 4 - 1 + 200) / 2
    assert algebraic < 2 * 5 + 100 - 0.3


def test_gaussian_noise_gets_its_variance() -> None:
    noisy = 50 + 8 * np.random.default_rng(0).normal(0, 0.5, (400, 400))
    stable = GAUSSIAN.forward(noisy)
    assert float(stable.var()) == pytest.approx(GAUSSIAN.noise_variance, rel=0.02)
    assert GAUSSIAN.inverse(stable.mean().reshape(1, 1))[0, 0] == pytest.approx(50, abs=0.05)


def test_fitted_stabiliser_knows_the_noise_after_it() -> None:
    clean = 200 * smooth_scene((256, 256)) + 5
    stabiliser = Stabiliser.fit([camera(clean, gain=3, read_noise=4, offset=100)])
    repeats = [
        stabiliser.forward(camera(clean, gain=3, read_noise=4, offset=100, seed=seed))
        for seed in range(1, 9)
    ]
    variances = torch.stack(repeats).var(dim=0)
    assert float(variances.mean()) == pytest.approx(stabiliser.noise_variance, rel=0.15)
    dim, bright = (variances[torch.from_numpy(part)] for part in (clean < 20, clean > 80))
    assert float(dim.mean()) == pytest.approx(float(bright.mean()), rel=0.2)


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(_levels(), id="counts"),
        pytest.param(1e9 + 3 * np.random.default_rng(0).standard_normal((64, 64)), id="1e9±3"),
        pytest.param(1e-12 * _levels(), id="tiny"),
        pytest.param(1e30 * _levels(), id="huge"),
        pytest.param(-_levels(), id="negative"),
        pytest.param(_levels().astype(np.float16), id="float16"),
        pytest.param(_levels().astype(np.float32), id="float32"),
        pytest.param(_levels().astype(">u2"), id="big-endian"),
        pytest.param((_levels() + 4e9).astype(np.uint32), id="uint32"),
        pytest.param((_levels() - 2.0**50).astype(np.int64), id="int64"),
        pytest.param((_levels() + 2.0**60).astype(np.uint64), id="uint64"),
        pytest.param((_levels() / 4).astype(np.uint8), id="uint8"),
        pytest.param((_levels() > 150).astype(np.uint8), id="two-levels"),
        pytest.param(_levels((96, 96)) ** 3, id="large-image"),
    ],
)
def test_images_of_any_scale_come_to_the_network_s_range_and_back(levels: np.ndarray) -> None:
    stabiliser = Stabiliser.fit([levels])
    stable = stabiliser.forward(levels)
    assert stable.dtype == torch.float32
    assert torch.isfinite(stable).all()
    assert abs(float(stable.mean())) < 0.01
    assert 0.05 < float(stable.std()) < 3.1
    exact = levels.astype(np.float64)
    back = stabiliser.inverse(stable)
    assert np.abs(back - exact).max() < 0.3 * exact.std()
    assert np.corrcoef(back.ravel(), exact.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("value", [0, 7, 100])
def test_constant_image_maps_to_zero_and_back(value: int, dtype: type) -> None:
    image = np.full((20, 20), value, dtype)
    stabiliser = Stabiliser.fit([image])
    assert (stabiliser.forward(image) == 0).all()
    assert stabiliser.noise_variance == 0
    assert (stabiliser.inverse(torch.zeros(20, 20)) == value).all()


def test_missing_pixels_become_nan_and_are_not_measured() -> None:
    levels = _levels((96, 96))
    holes = levels.copy()
    holes[10:20, 10:20] = np.nan
    holes[30, 30], holes[31, 31] = np.inf, -np.inf
    stabiliser = Stabiliser.fit([holes])
    assert torch.equal(stabiliser.forward(holes).isnan(), torch.from_numpy(~np.isfinite(holes)))
    assert stabiliser.offset == pytest.approx(levels.mean(), rel=0.02)


def test_unknown_noise_has_variance_zero() -> None:
    assert Stabiliser.fit([_levels((9, 9))]).noise_variance == 0
    assert GAUSSIAN.noise_variance == pytest.approx(0.04)


def test_noise_in_grey_levels() -> None:
    grey = _poisson_gaussian(0.5, 0.6).grey_noise
    levels = np.array([50.0, 90.0])
    np.testing.assert_allclose(
        grey.variance(levels), 64 * NoiseModel(0.5, 0.6).variance((levels - 50) / 8)
    )


def test_offset_and_read_noise_in_grey_levels() -> None:
    """Of a camera with gain 2, offset 100 and read noise 3, on a scale of (grey - 120) / 10."""
    stable = NoiseModel(0.2, (9 + 2 * 20) / 100, offset=(100 - 120) / 10, goodness=0.9)
    grey = Stabiliser(120.0, 10.0, stable).grey_noise
    assert grey.offset == pytest.approx(100)
    assert stable.read_variance == pytest.approx(0.09)
    assert grey.read_variance == pytest.approx(9)
    assert (grey.gain, grey.goodness) == (pytest.approx(2), 0.9)


def test_camera_is_found_again_in_grey_levels() -> None:
    photons = np.maximum(120 * smooth_scene((256, 256)) - 15, 0)
    levels = camera(photons, gain=3, read_noise=7, offset=400)
    grey = Stabiliser.fit([levels]).grey_noise
    for signal, variance, _ in grey.points:
        assert levels.min() < signal < levels.max()
        assert variance == pytest.approx(3 * (signal - 400) + 49, rel=0.2)
    assert grey.gain == pytest.approx(3, rel=0.1)
    assert grey.offset == pytest.approx(400, abs=2)
    assert grey.read_variance**0.5 == pytest.approx(7, rel=0.15)


def test_noise_that_falls_with_the_signal_is_made_even_upside_down() -> None:
    photons = 20 + 200 * smooth_scene((192, 192), seed=1)
    image = 1000 - camera(photons, 2.0, 3.0)
    stabiliser = Stabiliser.fit([image])
    noise = stabiliser.grey_noise
    assert noise.gain == pytest.approx(-2, rel=0.1)
    assert noise.variance(np.array([900.0])) == pytest.approx(2 * 100 + 9, rel=0.15)
    assert "falls" in noise.note
    stable = stabiliser.forward(image).double()
    noisy = stable - stabiliser.forward(1000 - 2 * photons).double()
    assert noisy.var() == pytest.approx(stabiliser.noise_variance, rel=0.1)
    mean = torch.full((2,), float(stabiliser.forward(np.array([[600.0]]))[0, 0]))
    assert stabiliser.inverse(mean) == pytest.approx(600, abs=2)
    assert Stabiliser.from_dict(json.loads(json.dumps(stabiliser.to_dict()))) == stabiliser


@pytest.mark.parametrize("faint", [0.0, 1e-300, 1e-60, 1e-40, 1e-25, 1e-10])
@pytest.mark.parametrize("seed", range(3))
def test_faint_noise_beside_strong_signal_does_not_break_the_scale(faint: float, seed: int) -> None:
    """As a deconvolution leaves it: an almost perfectly black background."""
    levels = faint * np.random.default_rng(seed).standard_normal((96, 96))
    levels[40:52, 40:52], levels[60:72, 60:72] = 1.0, -1.0
    stabiliser = Stabiliser.fit([levels])
    back = stabiliser.inverse(stabiliser.forward(levels))
    np.testing.assert_allclose(back, levels, atol=1e-3)
    assert stabiliser.scale**2 > 1e-30, "float32 would hold a noise variance of zero"


def test_plain_values_and_back() -> None:
    for stabiliser in (GAUSSIAN, _poisson_gaussian(), Stabiliser.fit([_levels()])):
        assert Stabiliser.from_dict(json.loads(json.dumps(stabiliser.to_dict()))) == stabiliser


def _corrected(side: int = 128) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Planes whose light fades and whose brightness was made the same again, and clean ones."""
    scene, peaks = smooth_scene((side, side)), np.geomspace(60, 6, 5)
    noisy = [camera(peak * scene, 1, 1, 0, n) * 60 / peak + 100 for n, peak in enumerate(peaks)]
    return noisy, [60 * scene + 100] * 5


def _fitted(planes: list[np.ndarray]) -> Stabiliser:
    (fitted,) = fit_stabilisers([plane[None] for plane in planes], Control())
    return fitted


def test_each_plane_that_was_amplified_differently_has_even_noise() -> None:
    noisy, clean = _corrected()
    fitted = _fitted(noisy)
    assert fitted.each_plane
    for plane, without in zip(noisy, clean, strict=True):
        own = fitted.of_plane(plane)
        noise = own.forward(plane) - own.forward(without)
        assert float(noise.var()) == pytest.approx(fitted.noise_variance, rel=0.2)


def test_one_stabiliser_for_all_of_them_would_be_wrong() -> None:
    """The negative control of the test above."""
    noisy, clean = _corrected()
    pairs = zip(noisy, clean, strict=True)
    fitted = _fitted(noisy)
    noise = [float((fitted.forward(a) - fitted.forward(b)).var()) for a, b in pairs]
    assert max(noise) > 3 * min(noise)


def test_planes_are_told_as_if_amplified_alike() -> None:
    noisy, _ = _corrected()
    fitted = _fitted(noisy)
    laws = [estimate_noise([fitted.alike(plane)]) for plane in noisy]
    np.testing.assert_allclose([law.gain for law in laws], fitted.grey_noise.gain, rtol=0.01)


def test_planes_amplified_alike_share_a_stabiliser() -> None:
    planes = [camera(peak * smooth_scene((128, 128)), 2, 1, 100) for peak in (60.0, 20.0, 6.0)]
    fitted = _fitted(planes)
    assert not fitted.each_plane
    assert fitted.of_plane(planes[2]) is fitted
    assert fitted.alike(planes[2]) is planes[2]


def test_a_plane_whose_noise_is_not_known_is_taken_for_a_usual_one() -> None:
    noisy, _ = _corrected()
    fitted = _fitted(noisy)
    assert fitted.of_plane(np.full((128, 128), 3.0)) is fitted


def _tiles(side: int = 192) -> tuple[np.ndarray, np.ndarray]:
    """Four tiles of different exposure, made equally bright; noisy and clean."""
    photons = 30 * smooth_scene((side, side)) + 4
    exposed = np.kron([[0.5, 4.0], [16.0, 64.0]], np.ones((side // 2, side // 2)))
    return camera(photons * exposed) / exposed, photons


def test_noise_that_differs_from_place_to_place_becomes_even() -> None:
    noisy, clean = _tiles()
    own = Stabiliser.fit([noisy]).in_places(noisy)
    noise = (own.forward(noisy) - own.forward(clean)).numpy() / own.scale
    inner = [noise[16:80, 16:80], noise[16:80, 112:176], noise[112:176, 16:80], noise[112:, 112:]]
    np.testing.assert_allclose([part.std() for part in inner], 1, rtol=0.15)


def test_the_way_back_from_places_has_no_bias() -> None:
    """Each photon is four grey levels here, and one elsewhere."""
    strength = np.full((200, 200), 2.0)
    own = Stabiliser(0.0, 1.0, NoiseModel(1.0, 0.0), strength=strength)
    noisy = 4 * np.random.default_rng(0).poisson(5.0, strength.shape)
    expected = torch.full(strength.shape, float(own.forward(noisy).mean()))
    assert own.inverse(expected).mean() == pytest.approx(20, rel=0.02)


def test_a_part_of_a_plane_has_the_noise_of_its_places() -> None:
    noisy, _ = _tiles()
    own = Stabiliser.fit([noisy]).in_places(noisy)
    rows, columns = slice(10, 50), slice(90, 130)
    part = own.part(rows, columns).forward(noisy[rows, columns])
    assert torch.equal(part, own.forward(noisy)[rows, columns])
    assert own.part(rows, columns).variance_there.shape == (40, 40)


def test_places_are_measured_anew_on_each_plane() -> None:
    """What is kept says only that noise differs."""
    noisy, _ = _tiles()
    fitted = Stabiliser.fit([noisy])
    assert fitted.each_place
    assert fitted.strength is None
    assert "strength" not in fitted.to_dict()
    turned = noisy[::-1, ::-1].copy()
    strength = fitted.in_places(turned).strength
    assert strength is not None
    assert strength[20, 20] < strength[-20, -20]


def test_without_places_a_stabiliser_is_that_of_any_plane() -> None:
    noisy = camera(30 * smooth_scene((96, 96)) + 4)
    fitted = Stabiliser.fit([noisy])
    assert fitted.in_places(noisy) is fitted
    assert fitted.part(slice(3), slice(5)) is fitted
