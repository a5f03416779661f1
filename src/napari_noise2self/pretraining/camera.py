"""Noisy images as the network gets them: in stabilised space, by the package's own transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from ..noise.local_mean import local_contrast
from ..noise.model import NoiseModel
from ..noise.stabilise import LARGEST_CONTRAST, NOISE_STD, Stabiliser
from .drawing import Image, chance, log_uniform

_COUNTED = 0.3
_AMPLITUDES = 1.5, 80.0
_PHOTONS = 1.0, 300.0
_MISJUDGED = 0.08
_OFF_CENTRE = 0.3


@dataclass(frozen=True)
class NoiseShape:
    """How the noise of neighbouring pixels is alike.

    Parameters
    ----------
    across, down : ndarray
        Kernels (odd length) that white noise is filtered with along rows and along columns.
    crossed : bool
        Whether rows and columns are correlated by two noises that are added, so that there is
        no correlation across diagonals, instead of by one.
    """

    across: NDArray[np.float64]
    down: NDArray[np.float64]
    crossed: bool = False

    def draw(self, noise: Image) -> Image:
        """Correlate white noise; its variance stays, as the kernels are normalised here."""
        across, down = (kernel / np.linalg.norm(kernel) for kernel in (self.across, self.down))
        if self.crossed:
            other = np.roll(noise, noise.shape[-1] // 2, -1)
            mixed = _along(noise, across, -1) + _along(other, down, -2)
            return np.asarray(mixed / np.sqrt(2), dtype=np.float32)
        return _along(_along(noise, across, -1), down, -2)


def _along(noise: Image, kernel: NDArray[np.float64], axis: int) -> Image:
    if kernel.size == 1:
        return noise
    return np.asarray(ndimage.correlate1d(noise, kernel, axis, mode="wrap"))


NO_CORRELATION = np.ones(1)
WHITE_SHAPE = NoiseShape(NO_CORRELATION, NO_CORRELATION)
"""Noise without correlation."""


@dataclass(frozen=True)
class Camera:
    """One setting of a simulated microscope, for one scene.

    Parameters
    ----------
    noise : NoiseModel
        Of one photon a grey level, or Gaussian of variance 1.
    background, amplitude : float
        Light, in grey levels, where the scene is 0, and how much more there is where it is 1.
    """

    noise: NoiseModel
    background: float
    amplitude: float

    @classmethod
    def draw(cls, random: np.random.Generator) -> Camera:
        """Draw a camera: Gaussian noise, or counted photons with some read noise."""
        if not chance(random, _COUNTED):
            return cls.gaussian(log_uniform(random, *_AMPLITUDES))
        peak = log_uniform(random, *_PHOTONS)
        background = random.choice([0.01, 0.3]) * peak * random.random()
        read_variance = random.choice([0.0, random.uniform(0, 1), random.uniform(0, 20)])
        return cls(NoiseModel(1.0, float(read_variance)), float(background), peak)

    @classmethod
    def gaussian(cls, amplitude: float) -> Camera:
        """Return a camera with Gaussian noise, in units of its standard deviation."""
        return cls(NoiseModel(0.0, 1.0), 0.0, amplitude)

    def light(self, scene: Image) -> NDArray[np.float64]:
        """Return the expected grey levels of a scene."""
        return self.background + self.amplitude * scene.astype(np.float64)

    def expectation(self, light: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the stabilised pixels are on average: what their exact inverse undoes."""
        if self.noise.gain == 0:
            return light
        largest = 2 * np.sqrt(light.max() + 2 + self.noise.intercept)
        stable = np.linspace(2 * np.sqrt(0.375), largest, 1000)
        return np.interp(light, self.noise.unstabilise(stable), stable)

    def shoot(self, random: np.random.Generator, light: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return noisy grey levels, independent from pixel to pixel."""
        if self.noise.gain == 0:
            return light + random.standard_normal(light.shape)
        read_noise = np.sqrt(self.noise.intercept) * random.standard_normal(light.shape)
        return np.asarray(random.poisson(light) + read_noise)

    def stabiliser(self, random: np.random.Generator, scene: Image) -> Stabiliser:
        """Return what the package would measure on the image of a scene (or planes of it), almost.

        The centre is a little off, as a scene is only a part of an image.
        """
        stable = self.expectation(self.light(scene))
        planes = torch.from_numpy(stable.reshape(-1, *stable.shape[-2:]))
        contrast = float(np.sqrt(1 + np.mean([local_contrast(plane) ** 2 for plane in planes])))
        centre = float(stable.mean() + _OFF_CENTRE * random.normal() * stable.std())
        scale = min(NOISE_STD, LARGEST_CONTRAST / contrast)
        return Stabiliser(0.0, 1.0, self.noise, centre, scale)


def expose(
    random: np.random.Generator,
    camera: Camera,
    scene: Image,
    stabiliser: Stabiliser,
    shape: NoiseShape = WHITE_SHAPE,
) -> tuple[Image, Image]:
    """Take a picture, in the network's range.

    Correlation is given to the noise after stabilisation: its variance is then the same at all
    intensities, whatever the correlation. The noise is a little stronger or weaker than the
    stabiliser believes, as the blind estimate would have it.

    Parameters
    ----------
    random : Generator
        Source of everything random.
    camera : Camera
        The microscope.
    scene : ndarray
        float32 of shape (H, W), from 0 to 1.
    stabiliser : Stabiliser
        Of the whole image that the scene is a part of.
    shape : NoiseShape
        The correlation of the noise.

    Returns
    -------
    noisy, clean : ndarray
        float32 of shape (H, W).
    """
    light = camera.light(scene)
    clean = camera.expectation(light)
    noise = camera.noise.stabilise(camera.shoot(random, light)) - clean
    noise = shape.draw(noise.astype(np.float32)) * np.exp(_MISJUDGED * random.normal())
    clean = (clean - stabiliser.centre) * stabiliser.scale
    return (clean + noise * stabiliser.scale).astype(np.float32), clean.astype(np.float32)
