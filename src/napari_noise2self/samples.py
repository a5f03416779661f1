"""Simulated sample images: fluorescent cells with a known clean image and known noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Sample:
    """A noisy image with the clean image behind it, both in grey levels.

    `noisy` is uint16 of shape (H, W), or (T, H, W) for a film; `clean` is float32.
    """

    noisy: NDArray[np.uint16]
    clean: NDArray[np.float32]


def simulate_cells(
    side: int = 512,
    *,
    photons: float = 20.0,
    gain: float = 4.0,
    read_noise: float = 6.0,
    offset: float = 100.0,
    seed: int = 0,
) -> Sample:
    """Simulate nuclei, filaments and vesicles seen by a camera.

    Parameters
    ----------
    side : int
        Height and width in pixels.
    photons : float
        Detected photons of a typical bright structure.
    gain : float
        Grey levels per photon.
    read_noise : float
        Standard deviation of the read noise in grey levels.
    offset : float
        Grey level without light.
    seed : int
        Another seed gives another image.
    """
    random = np.random.default_rng(seed)
    light = ndimage.gaussian_filter(_light(side, random), 1.2)
    return _recorded(random, photons * light, gain, read_noise, offset)


def simulate_film(
    frames: int = 12, side: int = 256, *, speed: float = 0.4, seed: int = 0
) -> Sample:
    """Simulate cells that drift slowly, in little light.

    Parameters
    ----------
    frames : int
        How many.
    side : int
        Height and width in pixels.
    speed : float
        How far the cells move from frame to frame, in pixels.
    seed : int
        Another seed gives another film.
    """
    random = np.random.default_rng(seed)
    light = ndimage.gaussian_filter(_light(side, random), 1.2, mode="wrap")
    moves = speed * np.arange(frames)
    signal = [ndimage.shift(light, (0.6 * m, 0.8 * m), mode="grid-wrap") for m in moves]
    return _recorded(random, 5 * np.clip(signal, 0, None), gain=4.0, read_noise=6.0, offset=100.0)


def _light(side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw what shines, before the optics: 1 is a typical bright structure."""
    return 0.04 + _nuclei(side, random) + _filaments(side, random) + _vesicles(side, random)


def _recorded(
    random: np.random.Generator,
    signal: NDArray[np.float64],
    gain: float,
    read_noise: float,
    offset: float,
) -> Sample:
    """Record light, given as expected photons, by a camera."""
    noisy = (
        gain * random.poisson(signal) + offset + read_noise * random.standard_normal(signal.shape)
    )
    clean = gain * signal + offset
    return Sample(np.clip(np.rint(noisy), 0, 65535).astype(np.uint16), clean.astype(np.float32))


def _nuclei(side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Soft ellipses with a mottled inside."""
    y, x = np.mgrid[:side, :side]
    mottle = ndimage.gaussian_filter(random.standard_normal((side, side)), 3)
    mottle = 1 + 0.25 * mottle / mottle.std()
    image = np.zeros((side, side))
    for _ in range(max(2, side * side // 18000)):
        centre, radii = random.uniform(0, side, 2), random.uniform(14, 26, 2)
        angle = random.uniform(0, np.pi)
        dy, dx = y - centre[0], x - centre[1]
        u = np.cos(angle) * dx + np.sin(angle) * dy
        v = np.cos(angle) * dy - np.sin(angle) * dx
        outside = np.minimum(np.hypot(u / radii[0], v / radii[1]) - 1, 50)  # e^600 is a number
        inside = 1 / (1 + np.exp(12 * outside))
        image = np.maximum(image, 0.5 * random.uniform(0.6, 1.2) * inside * mottle)
    return image


def _filaments(side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Random walks of slowly turning direction."""
    image = np.zeros((side, side))
    for _ in range(max(4, side // 8)):
        steps = int(random.uniform(0.3, 1.2) * side)
        direction = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.06, steps))
        start = random.uniform(0, side, (2, 1))
        path = start + np.cumsum([np.sin(direction), np.cos(direction)], axis=1)
        rows, columns = np.rint(path).astype(int)
        inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
        image[rows[inside], columns[inside]] = random.uniform(0.8, 2.0)
    return np.asarray(ndimage.gaussian_filter(image, 0.7))


def _vesicles(side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Points of very different brightness."""
    image = np.zeros((side, side))
    count = side * side // 1500
    rows, columns = random.integers(0, side, (2, count))
    image[rows, columns] = random.lognormal(1.2, 0.6, count)
    return np.asarray(ndimage.gaussian_filter(image, 0.8))


def _layer(sample: Sample, name: str) -> list[tuple[Any, dict[str, Any], str]]:
    """Return the noisy image as napari layer data."""
    axes = ("T", "Y", "X")[-sample.noisy.ndim :]
    return [(sample.noisy, {"name": name, "colormap": "gray", "axis_labels": axes}, "image")]


def simple_sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the simple sample for napari's *File > Open Sample*."""
    return _layer(simulate_cells(), "Noisy cells (simple)")


def hard_sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the hard sample: few photons, strong read noise."""
    return _layer(simulate_cells(photons=4, read_noise=10.0, seed=1), "Noisy cells (hard)")


def film_sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the film: cells that drift slowly, in little light."""
    return _layer(simulate_film(), "Noisy cells (film)")
