"""The images to measure on: folders of noisy and clean TIFFs, and how PSNR is taken on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from napari_noise2self.cli.benchmark import Pair, pairs
from napari_noise2self.images import read_image, tiff_paths

SETS = ("confocal", "fmd-widefield", "fmd-twophoton", "natural", "line_noise", "w2s")

NOISES = {"natural": (0.0, 0.0), "correlated": (0.6, 0.0), "lines": (0.0, 1.0)}
"""By how many pixels noise is blurred, and how strong offsets of rows are in units of it."""


def load(root: Path, name: str) -> Iterator[Pair]:
    """Return the pairs of one set below a data folder.

    ``natural-2`` are the natural images with noise of standard deviation 2 instead of 25,
    ``correlated-25`` those with noise that was blurred by 0.6 pixels before, and ``lines-25`` those
    with offsets of rows that are as strong as the noise.
    """
    folder, _, part = name.partition("-")
    if folder in NOISES:
        yield from _with_noise(root / "natural" / "clean", float(part or 25), *NOISES[folder])
        return
    prefix = {"widefield": "WideField", "twophoton": "TwoPhoton", "": ""}[part]
    for pair in pairs(root / folder / "noisy", root / folder / "clean"):
        if pair.name.startswith(prefix):
            yield pair


def _with_noise(folder: Path, sigma: float, blur: float, lines: float) -> Iterator[Pair]:
    """Add Gaussian noise, seed 0, and offsets of rows, to clean images of range 0 to 255."""
    for path in tiff_paths([folder]):
        clean = read_image(path).data
        noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
        if blur:
            noise = ndimage.gaussian_filter(noise, blur, mode="wrap")
            noise *= sigma / noise.std()
        offsets = lines * np.random.default_rng(1).normal(0, sigma, (len(clean), 1))
        yield Pair(path.name, (clean + noise + offsets).astype(np.float32), clean)


def comparable(name: str, other: NDArray, image: NDArray) -> NDArray:
    """Bring an image to the scale of another where the set needs it (w2s: least squares)."""
    if name != "w2s":
        return image
    gain, offset = np.polyfit(image.ravel().astype(float), other.ravel().astype(float), 1)
    return gain * image + offset


def aligned(pair: Pair) -> NDArray[Any]:
    """Move the clean image by fractions of a pixel to where the noisy one lies.

    By phase correlation (Guizar-Sicairos et al. 2008) of both without their noise and background.
    """
    noisy, clean = (_middle_frequencies(image) for image in (pair.noisy, pair.clean))
    shift, *_ = phase_cross_correlation(noisy, clean, upsample_factor=50, normalization=None)
    return np.asarray(ndimage.shift(pair.clean.astype(float), shift, order=3, mode="nearest"))


def _middle_frequencies(image: NDArray[Any]) -> NDArray[np.float64]:
    image = image.astype(float)
    return np.asarray(ndimage.gaussian_filter(image, 1) - ndimage.gaussian_filter(image, 16))
