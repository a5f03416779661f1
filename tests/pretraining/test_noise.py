"""Noise as the package's own stabilisation leaves it, correlated as asked for."""

import numpy as np
import pytest
import torch

from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.pretraining import camera as camera_module
from napari_noise2self.pretraining.camera import (
    NO_CORRELATION,
    WHITE_SHAPE,
    Camera,
    NoiseShape,
    expose,
)
from napari_noise2self.pretraining.drawing import white_noise
from napari_noise2self.pretraining.hiding import Hiding

KERNEL = np.exp(-0.5 * (np.arange(-3, 4) / 0.8) ** 2)
SHAPES = {
    "white": (WHITE_SHAPE, 0.0, 0.0),
    "across": (NoiseShape(KERNEL, NO_CORRELATION), 0.68, 0.0),
    "down": (NoiseShape(NO_CORRELATION, KERNEL), 0.0, 0.68),
    "both": (NoiseShape(KERNEL, KERNEL), 0.68, 0.68),
    "crossed": (NoiseShape(KERNEL, KERNEL, crossed=True), 0.34, 0.34),
}


def _correlation(noise: np.ndarray, lag: tuple[int, int]) -> float:
    return float((noise * np.roll(noise, lag, (0, 1))).mean() / noise.var())


@pytest.mark.parametrize("name", SHAPES)
def test_noise_keeps_variance_1_and_has_its_correlation(name: str) -> None:
    shape, across, down = SHAPES[name]
    noise = shape.draw(white_noise(np.random.default_rng(0), (400, 400)))
    assert noise.dtype == np.float32
    assert noise.var() == pytest.approx(1, abs=0.03)
    assert _correlation(noise, (0, 1)) == pytest.approx(across, abs=0.02)
    assert _correlation(noise, (1, 0)) == pytest.approx(down, abs=0.02)
    diagonal = across * down if name == "both" else 0.0
    assert _correlation(noise, (1, 1)) == pytest.approx(diagonal, abs=0.03)


@pytest.mark.parametrize(
    "camera",
    [
        Camera.gaussian(8.0),
        Camera(NoiseModel(1.0, 0.0), 3.0, 40.0),
        Camera(NoiseModel(1.0, 4.0), 10.0, 20.0),
    ],
    ids=["gaussian", "photons", "photons and read noise"],
)
def test_the_clean_image_is_the_expectation_of_the_noisy(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "_MISJUDGED", 0.0)
    random = np.random.default_rng(0)
    scene = np.repeat(np.float32([[0.0], [0.2], [0.5], [1.0]]), 40_000, axis=1)
    stabiliser = camera.stabiliser(random, scene)
    noisy, clean = expose(random, camera, scene, stabiliser)
    assert noisy.dtype == clean.dtype == np.float32
    residual = (noisy - clean) / stabiliser.scale
    assert np.abs(residual.mean(axis=1)).max() < 0.02
    assert np.allclose(residual.var(axis=1), 1, atol=0.06)


def test_the_clean_image_is_what_the_stabiliser_undoes() -> None:
    camera = Camera(NoiseModel(1.0, 2.0), 2.0, 60.0)
    random = np.random.default_rng(0)
    scene = random.random((20, 20), dtype=np.float32)
    stabiliser = camera.stabiliser(random, scene)
    _, clean = expose(random, camera, scene, stabiliser)
    light = stabiliser.inverse(torch.from_numpy(clean))
    assert np.allclose(light, camera.light(scene), atol=0.02)


@pytest.mark.parametrize("amplitude", [5.0, 500.0])
def test_images_have_the_range_that_the_package_gives_them(amplitude: float) -> None:
    random = np.random.default_rng(3)
    scene = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None], 256, axis=0)
    camera = Camera.gaussian(amplitude)
    noisy = camera.shoot(random, camera.light(scene))
    assert camera.stabiliser(random, scene).scale == pytest.approx(
        Stabiliser.fit([noisy]).scale, rel=0.05
    )


def test_noise_reaches_no_farther_than_what_is_hidden() -> None:
    for seed in range(150):
        random = np.random.default_rng(seed)
        hiding = Hiding.draw(random)
        exclusion = hiding.partition.exclusion
        noise = hiding.draw_noise(random).draw(white_noise(random, (200, 200)))
        beyond = exclusion.radius + 1
        limit = 0.3 if exclusion.kind == "none" else 0.1
        across = _correlation(noise, (0, 1 if exclusion.kind == "vertical" else beyond))
        down = _correlation(noise, (1 if exclusion.kind == "horizontal" else beyond, 0))
        assert max(abs(across), abs(down)) < limit
