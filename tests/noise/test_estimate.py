"""The noise is read off the image itself, right where it can be, and without a crash elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage, spatial

from napari_noise2self.noise.estimate import estimate_noise
from simulate import camera, jpeg, smooth_scene

Scene = Callable[[int, np.random.Generator], np.ndarray]


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


def _blobs(side: int, random: np.random.Generator) -> np.ndarray:
    return np.maximum(smooth_scene((side, side), int(random.integers(1 << 30))) - 0.15, 0)


def _filaments(side: int, random: np.random.Generator) -> np.ndarray:
    """Level lines of a random landscape."""
    height = ndimage.gaussian_filter(random.standard_normal((side, side)), random.uniform(8, 14))
    return ndimage.gaussian_filter(np.exp(-((height / height.std() / 0.07) ** 2)), 1.3)


def _nuclei(side: int, random: np.random.Generator) -> np.ndarray:
    """Mottled islands on black."""
    height, mottle = (
        ndimage.gaussian_filter(random.standard_normal((side, side)), width) for width in (9, 2.5)
    )
    inside = height > 0.8 * height.std()
    return ndimage.gaussian_filter(inside * (1 + 0.3 * mottle / mottle.std()), 1.3).clip(0)


def _tiles(side: int, random: np.random.Generator) -> np.ndarray:
    """Sharp-edged cells of any brightness, a fifth of them black, a fifth of them with stripes."""
    seeds = random.uniform(0, side, (side // 4, 2))
    y, x = np.mgrid[:side, :side]
    cell = spatial.KDTree(seeds).query(np.stack([y, x], axis=-1))[1]
    level = random.uniform(0.1, 1, len(seeds)) * (random.random(len(seeds)) > 0.2)
    stripes = 0.4 * (random.random(len(seeds)) < 0.2)[cell] * np.sin(x * 0.6 + y * 0.4)
    return ndimage.gaussian_filter(level[cell] * (1 + stripes), 0.7)


@dataclass
class _Draw:
    """An image of a camera that is drawn at random, within what is physically sensible.

    Read noise from half a photon (the best sCMOS) to 5 photons, but no more than the shot noise
    at the peak: beyond, the image does not show the gain. At least half a grey level, as a camera
    is set up, since the levels are whole numbers. Part of each scene is dark.
    """

    kind: str
    gain: float
    offset: float
    read_noise: float
    clean: np.ndarray
    noisy: np.ndarray

    @classmethod
    def of(cls, seed: int, side: int = 512) -> _Draw:
        random = np.random.default_rng(seed)
        kind, scene = list(SCENES.items())[seed % len(SCENES)]
        gain, peak = np.exp(random.uniform(np.log([0.2, 10]), np.log([20, 500])))
        offset = random.uniform(0, 500)
        sigma = np.exp(random.uniform(np.log(0.5), np.log(min(5, peak**0.5)))) * gain
        sigma = max(float(sigma), 0.5)
        light = scene(side, random)
        photons = light / np.quantile(light, 0.995) * peak
        noisy = np.rint(camera(photons, gain, sigma, offset, seed))
        read_noise = np.hypot(sigma, 12**-0.5)  # rounding is noise too
        return cls(kind, gain, offset, read_noise, gain * photons + offset, noisy)


SCENES = {"blobs": _blobs, "filaments": _filaments, "nuclei": _nuclei, "tiles": _tiles}


def test_gain_and_read_noise_are_right_for_19_of_20_cameras() -> None:
    """Within 10 % and 15 %."""
    right = {"gain": 0, "read noise": 0, "offset": 0}
    for seed in range(20):
        draw = _Draw.of(seed)
        model = estimate_noise([draw.noisy])
        assert model.reliable
        assert model.goodness > 0.7
        right["gain"] += abs(model.gain / draw.gain - 1) <= 0.10
        right["read noise"] += abs(model.read_variance**0.5 / draw.read_noise - 1) <= 0.15
        right["offset"] += abs(model.offset - draw.offset) <= 0.3 * max(draw.read_noise, draw.gain)
    assert min(right.values()) >= 19, right


@pytest.mark.parametrize("seed", range(4))
def test_saturation_and_clipping_do_not_bias(seed: int) -> None:
    """The brightest 2 % saturated, and the dark cut off at the camera's offset."""
    draw = _Draw.of(seed + 40)
    saturated = np.minimum(draw.noisy, np.quantile(draw.noisy, 0.98))
    model = estimate_noise([saturated])
    assert model.gain == pytest.approx(draw.gain, rel=0.15)
    assert model.read_variance**0.5 == pytest.approx(draw.read_noise, rel=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_a_dark_level_cut_off_leaves_the_variance_of_the_bright_parts(seed: int) -> None:
    photons = 30 * smooth_scene((512, 512), seed) + 6 * (np.indices((512, 512))[1] > 256)
    clipped = np.maximum(camera(photons, gain=3, read_noise=6, offset=0, seed=seed), 0)
    model = estimate_noise([clipped])
    assert model.gain == pytest.approx(3, rel=0.2)
    assert model.variance(np.array(60.0)) == pytest.approx(3 * 60 + 36, rel=0.15)


def _discs(share: float, radius: float = 15, side: int = 512, seed: int = 0) -> np.ndarray:
    """Round cells, from 0.4 to 1, which cover a share of an empty field."""
    random = np.random.default_rng(seed)
    y, x = np.indices((side, side))
    scene = np.zeros((side, side))
    for _ in range(max(1, round(share * side**2 / (np.pi * radius**2)))):
        centre = random.uniform(radius, side - radius, 2)
        inside = np.hypot(y - centre[0], x - centre[1]) < radius
        scene = np.maximum(scene, inside * random.uniform(0.4, 1))
    return ndimage.gaussian_filter(scene, 1.2)


@pytest.mark.parametrize("share", [0.003, 0.01, 0.03, 0.3])
@pytest.mark.parametrize("peak", [100, 1000])
def test_a_few_bright_cells_in_the_dark_show_the_gain(share: float, peak: float) -> None:
    """Nearly all of the image says that its noise is the same everywhere."""
    noisy = camera(5 + peak * _discs(share), gain=2, read_noise=3, offset=100, seed=0)
    model = estimate_noise([noisy])
    assert model.gain == pytest.approx(2, rel=0.2)
    assert model.read_variance == pytest.approx(9 + 2 * 2 * 5, rel=0.1)


def test_bright_cells_that_are_a_little_saturated_show_the_gain() -> None:
    """Each window in them has lost a pixel or two to the limit."""
    scene = np.minimum(2 * _discs(0.2, radius=40), 0.8)
    noisy = np.rint(camera(6 + 50 * scene, gain=4, read_noise=4, offset=20, seed=0))
    saturated = np.minimum(noisy, 255)
    assert 0.01 < np.mean(saturated[scene > 0.7] == 255) < 0.05
    model = estimate_noise([saturated])
    assert model.gain == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize("peak", [2, 20, 200])
@pytest.mark.parametrize("scene", [_blobs, _nuclei])
def test_photon_counts_with_many_zeros(peak: float, scene: Scene) -> None:
    """They pile up at the lowest value, but are not cut off there."""
    light = scene(256, np.random.default_rng(1))
    counts = np.random.default_rng(2).poisson(peak * light / np.quantile(light, 0.995))
    model = estimate_noise([counts.astype(float)])
    assert model.gain == pytest.approx(1, rel=0.1)
    assert model.offset == pytest.approx(0, abs=0.1)
    assert model.read_variance < 0.1


@pytest.mark.parametrize("side", [192, 512])
def test_no_noise_at_all(side: int) -> None:
    model = estimate_noise([100 * _blobs(side, np.random.default_rng(0))])
    assert not model.reliable or model.variance(np.array(20.0)) < 0.5**2  # of 100 grey levels
    assert model.goodness == 0 or model.reliable


@pytest.mark.parametrize("kernel", [[[1, 1]], [[1], [1]], [[1, 1], [1, 1]], [[1, 2, 1]]])
@pytest.mark.parametrize("gain", [0.0, 2.0])
def test_variance_of_correlated_noise(kernel: list[list[int]], gain: float) -> None:
    """As line scanning and camera interpolation make it."""
    taps = np.array(kernel) / np.sqrt(np.sum(np.square(kernel)))
    photons = 150 * _blobs(384, np.random.default_rng(0)) + 4
    variance = gain * photons + 25
    white = np.random.default_rng(1).standard_normal(photons.shape)
    noisy = photons + np.sqrt(variance) * ndimage.convolve(white, taps, mode="wrap")
    model = estimate_noise([noisy])
    for level in np.quantile(photons, [0.1, 0.9]):
        assert model.variance(level) == pytest.approx(gain * level + 25, rel=0.2)


def test_padded_border_is_not_measured() -> None:
    draw = _Draw.of(2)
    draw.noisy[:100], draw.noisy[:, 450:] = 0, 0
    model = estimate_noise([draw.noisy])
    assert model.gain == pytest.approx(draw.gain, rel=0.1)
    assert model.offset == pytest.approx(draw.offset, abs=0.3 * draw.read_noise)


def test_without_a_dark_background_the_read_variance_is_an_upper_bound() -> None:
    photons = 80 * smooth_scene((256, 256)) + 30
    model = estimate_noise([camera(photons, gain=2, read_noise=3, offset=100)])
    assert model.gain == pytest.approx(2, rel=0.1)
    assert model.offset == pytest.approx(2 * np.quantile(photons, 0.02) + 100, abs=2)
    assert model.read_variance > 9


def test_goodness_falls_where_the_variance_follows_no_line() -> None:
    scene = 100 * smooth_scene((256, 256))
    noise = _noise((256, 256))
    linear = estimate_noise([scene + np.sqrt(scene + 4) * noise])
    humped = estimate_noise([scene + (0.3 + 8 * np.exp(-(((scene - 25) / 4) ** 2))) * noise])
    constant = estimate_noise([scene + 3 * noise])
    assert min(linear.goodness, constant.goodness) > 0.9
    assert humped.goodness < 0.6


@pytest.mark.parametrize(("step", "photons", "seed"), [(15, 30, 3), (20, 15, 0), (30, 15, 0)])
def test_no_line_ends_above_dark_parts_that_jpeg_left_without_noise(
    step: float, photons: float, seed: int
) -> None:
    """All that is darker would be lifted to where the line ends."""
    scene = 0.5 + photons * smooth_scene((192, 192), seed) ** 1.5
    grey = (camera(scene, read_noise=2, seed=seed) * 150 / photons).clip(0, 255)
    image = jpeg(grey, step)
    model = estimate_noise([image])
    lifted = model.unstabilise(np.zeros(1)) - image if model.gain else np.zeros(1)
    assert (np.maximum(lifted, 0) ** 2).mean() < 0.03 * model.variance(image).mean()


@pytest.mark.parametrize("gain", [0.3, 4.0, 40.0])
@pytest.mark.parametrize("seed", range(3))
def test_points_lie_on_the_line_of_the_camera(gain: float, seed: int) -> None:
    """Each within 10 %, but for the brightest, which are of fewer pixels."""
    photons = 80 * smooth_scene((512, 512), seed) + 1
    model = estimate_noise([camera(photons, gain, read_noise=2 * gain, offset=100, seed=seed)])
    signal, variance, weight = np.transpose(model.points)
    assert len(signal) == 28
    assert (np.diff(signal) > 0).all()
    true = gain * (signal - 100) + 4 * gain**2
    np.testing.assert_allclose(variance[:24], true[:24], rtol=0.10)
    np.testing.assert_allclose(variance[24:], true[24:], rtol=0.20)
    assert weight.min() > 0.9, "there is hardly any structure to leave out"
    assert weight.max() <= 1


def test_points_of_gaussian_noise_have_its_variance() -> None:
    model = estimate_noise([100 * smooth_scene((512, 512)) + 5 * _noise((512, 512))])
    np.testing.assert_allclose([point.variance for point in model.points], 25, rtol=0.10)


def test_points_weigh_less_where_structure_was_left_out() -> None:
    """A chessboard of single pixels, in some rows of the bright half."""
    row, column = np.indices((256, 256))
    bright = column >= 128
    chessboard = 4 * (-1.0) ** (row + column) * bright * (row % 64 < 24)
    points = estimate_noise([50 * bright + chessboard + _noise((256, 256))]).points
    assert min(point.weight for point in points if point.signal < 25) > 0.9
    assert max(point.weight for point in points if point.signal > 25) < 0.8
    np.testing.assert_allclose([point.variance for point in points], 1, rtol=0.15)


def test_points_of_a_fit_that_was_given_up_are_kept() -> None:
    smoothed = ndimage.gaussian_filter(100 * _scene() + 5 * _noise((256, 256)), 2)
    model = estimate_noise([smoothed])
    assert not model.fitted
    assert "denoised" in model.note
    assert 0 < model.intercept < 0.01
    assert model.points
    assert estimate_noise([_noise((20, 20))]).points == ()


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


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_pixels_that_are_missing_one_by_one_hardly_matter(share: float) -> None:
    noisy = camera(80 * _scene() + 5, gain=4, read_noise=6, offset=100)
    noisy[np.random.default_rng(0).random(noisy.shape) < share] = np.nan
    model = estimate_noise([noisy])
    assert model.reliable
    assert model.gain == pytest.approx(4, rel=0.25)
    assert not model.correlation.reach


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
    assert not model.fitted
    assert model.gain == 0
    assert model.intercept == pytest.approx(9, rel=0.2)
    assert "too small" in model.note


def test_estimate_scales_with_the_image() -> None:
    noisy = camera(80 * _scene() + 5, gain=4, read_noise=6, offset=100)
    model, scaled = estimate_noise([noisy]), estimate_noise([noisy * 1000 - 7e4])
    assert scaled.gain == pytest.approx(1000 * model.gain, rel=1e-3)
    assert scaled.variance(np.array(3e5)) == pytest.approx(
        1e6 * model.variance(np.array(370.0)), rel=1e-3
    )
