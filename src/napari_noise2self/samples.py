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

    `noisy` is uint16 of shape (H, W), `clean` is float32.
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
    light = 0.04 + _nuclei(side, random) + _filaments(side, random) + _vesicles(side, random)
    signal = photons * ndimage.gaussian_filter(light, 1.2)
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
        inside = 1 / (1 + np.exp(12 * (np.hypot(u / radii[0], v / radii[1]) - 1)))
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
    return [(sample.noisy, {"name": name, "colormap": "gray"}, "image")]


def simple_sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the simple sample for napari's *File > Open Sample*."""
    return _layer(simulate_cells(), "Noisy cells (simple)")


def hard_sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the hard sample: few photons, strong read noise."""
    return _layer(simulate_cells(photons=4, read_noise=10.0, seed=1), "Noisy cells (hard)")
