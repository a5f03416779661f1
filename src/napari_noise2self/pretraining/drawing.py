"""What all simulated structures are drawn with: random fields, bodies and deposited points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Image = NDArray[np.float32]
Shape = tuple[int, ...]


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def chance(random: np.random.Generator, probability: float) -> bool:
    """Draw True with a probability."""
    return bool(random.random() < probability)


def normalised(image: Image) -> Image:
    """Bring an image to the range 0 to 1; a constant one to 0."""
    low, high = float(image.min()), float(image.max())
    return np.asarray((image - low) / (high - low or 1.0), dtype=np.float32)


@lru_cache(maxsize=4)
def frequencies(shape: Shape) -> tuple[Image, ...]:
    """Return the frequencies, in cycles a pixel, along each axis of a real Fourier transform."""
    axes = [np.fft.fftfreq(extent) for extent in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    return tuple(np.meshgrid(*(axis.astype(np.float32) for axis in axes), indexing="ij"))


def radial_frequency(shape: Shape) -> Image:
    """Return the length of the frequency vector at each place of a real Fourier transform."""
    return np.sqrt(sum(np.square(axis) for axis in frequencies(shape)))


def filtered(image: Image, response: Image) -> Image:
    """Multiply an image's spectrum; the image is taken to repeat itself beyond its borders."""
    return np.asarray(fft.irfftn(fft.rfftn(image) * response, image.shape), dtype=np.float32)


def blurred(image: Image, sigma: float) -> Image:
    """Blur by a Gaussian of this standard deviation in pixels, wrapping round the borders."""
    return filtered(image, np.exp(-2 * (np.pi * sigma * radial_frequency(image.shape)) ** 2))


def white_noise(random: np.random.Generator, shape: Shape) -> Image:
    """Draw independent normal numbers."""
    return random.standard_normal(shape, dtype=np.float32)


def spectral_field(random: np.random.Generator, response: Image, shape: Shape) -> Image:
    """Draw a random field with the spectrum of a response, mean 0 and standard deviation 1."""
    field = filtered(white_noise(random, shape), response)
    field -= field.mean()
    return np.asarray(field / max(float(field.std()), 1e-6), dtype=np.float32)


def smooth_field(random: np.random.Generator, shape: Shape, scale: float) -> Image:
    """Draw a field of soft blobs some `scale` pixels wide, of mean 0 and standard deviation 1."""
    response = np.exp(-2 * (np.pi * scale * radial_frequency(shape)) ** 2)
    return spectral_field(random, response, shape)


def deposited(points: NDArray[np.floating], weights: NDArray[np.floating], shape: Shape) -> Image:
    """Add weights (N,) to the pixels next to points (N, axes); points outside are left out."""
    pixels = np.rint(points).astype(np.int64)
    inside = ((pixels >= 0) & (pixels < shape)).all(axis=1)
    places = np.ravel_multi_index(tuple(pixels[inside].T), shape)
    sums = np.bincount(places, weights[inside], minlength=int(np.prod(shape)))
    return sums.reshape(shape).astype(np.float32)


@dataclass(frozen=True)
class Body:
    """An ellipsoid or box somewhere in an image.

    Parameters
    ----------
    window : tuple of slice
        The part of the image that holds it.
    place : ndarray
        Shape (axes, *window): coordinates along the body's own axes; its surface is at 1.
    depth : ndarray
        Shape of the window: distance below the surface in pixels, negative outside.
    """

    window: tuple[slice, ...]
    place: Image
    depth: Image

    @property
    def coverage(self) -> Image:
        """The share of each pixel that lies inside: an edge one pixel wide."""
        return np.asarray(np.clip(self.depth + np.float32(0.5), 0, 1))


def draw_bodies(
    random: np.random.Generator,
    shape: Shape,
    radii: NDArray[np.floating],
    *,
    stretch: float = 2.0,
    boxes: float = 0.0,
    margin: float = 1.0,
) -> Iterator[Body]:
    """Place bodies anywhere in an image, turned at random.

    Parameters
    ----------
    random : Generator
        Source of everything random.
    shape : tuple of int
        Of the image, any number of axes.
    radii : ndarray
        Shape (N,): mean radius of each body in pixels.
    stretch : float
        Largest ratio of a body's radii to its mean radius.
    boxes : float
        Share of boxes; the others are ellipsoids.
    margin : float
        How far around the surface the windows reach, in pixels.
    """
    count, axes = len(radii), len(shape)
    centres = random.uniform(-0.05, 1.05, (count, axes)) * shape
    turns, _ = np.linalg.qr(random.standard_normal((count, axes, axes)))
    shares = np.exp(random.uniform(-1, 1, (count, axes)) * np.log(stretch))
    are_boxes = random.random(count) < boxes
    for number in range(count):
        own = np.maximum(radii[number] * shares[number], 0.5)
        extent = own.max() * (axes**0.5 if are_boxes[number] else 1.0) + margin
        low = np.maximum(np.floor(centres[number] - extent), 0).astype(int)
        high = np.minimum(np.ceil(centres[number] + extent) + 1, shape).astype(int)
        if (high <= low).any():
            continue
        window = tuple(map(slice, low, high))
        grid = np.indices(high - low, dtype=np.float32).reshape(axes, -1)
        grid += (low - centres[number]).astype(np.float32)[:, None]
        turned = (turns[number] / own[:, None]).astype(np.float32)
        place = (turned @ grid).reshape(axes, *(high - low))
        if are_boxes[number]:
            depth = np.min((1 - np.abs(place)) * _column(own, axes), axis=0)
        else:
            depth = (1 - np.sqrt(np.square(place).sum(axis=0))) * np.float32(own.min())
        yield Body(window, place, depth)


def _column(values: NDArray[np.floating], axes: int) -> Image:
    """Shape values (axes,) to multiply arrays (axes, *window)."""
    return values.astype(np.float32).reshape(-1, *(1,) * axes)
