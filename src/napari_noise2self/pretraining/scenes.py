"""Clean scenes as a microscope shows them: structures, mixed, dimmed, blurred by the optics."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .drawing import Image, Shape, blurred, chance, log_uniform, normalised, smooth_field
from .structures import LEFT_OUT, STRUCTURES

_MIXED = 0.25
_PARTLY_DARK = 0.2
_SHARP = 0.25
_HAZY = 0.2
_WIDEST_BLUR = 3.0


def draw_scene(random: np.random.Generator, shape: Shape, kind: str | None = None) -> Image:
    """Draw a clean scene.

    Parameters
    ----------
    random : Generator
        Source of everything random.
    shape : tuple of int
        Of the image; a volume is as good as a plane.
    kind : str, optional
        One of `STRUCTURES` or `LEFT_OUT`, unmixed; drawn by the shares of `STRUCTURES` if None.

    Returns
    -------
    ndarray
        float32 from 0 to 1; all 0 where there is nothing to see.
    """
    image = _structure(random, shape, kind or _any_kind(random))
    if kind is None and chance(random, _MIXED):
        image = _mixed(random, image, _structure(random, shape, _any_kind(random)))
    if not image.any():
        return image
    if chance(random, _PARTLY_DARK):
        image = image * _light(random, shape)
    return _recorded(random, _through_optics(random, image))


def _any_kind(random: np.random.Generator) -> str:
    shares = np.array([share for _, share in STRUCTURES.values()])
    return list(STRUCTURES)[random.choice(len(shares), p=shares / shares.sum())]


def _structure(random: np.random.Generator, shape: Shape, kind: str) -> Image:
    draw = LEFT_OUT[kind] if kind in LEFT_OUT else STRUCTURES[kind][0]
    return normalised(draw(random, shape))


def _mixed(random: np.random.Generator, first: Image, second: Image) -> Image:
    """Lay one structure over another, into another, or beside it."""
    second = second * np.float32(random.uniform(0.2, 1))
    way = random.integers(3)
    if way == 0:
        return first + second
    if way == 1:
        return np.asarray(first * (0.3 + second), dtype=np.float32)
    share = _light(random, first.shape)
    return first * share + second * (1 - share)


def _light(random: np.random.Generator, shape: Shape) -> Image:
    """Return a mask from 0 to 1 with soft to sharp borders, such as cells in a dark field."""
    field = smooth_field(random, shape, log_uniform(random, 8, 50))
    steepness = np.float32(log_uniform(random, 2, 20))
    level = np.float32(random.normal(0, 0.7))
    return np.asarray(expit(steepness * (field - level)))


def _through_optics(random: np.random.Generator, image: Image) -> Image:
    """Blur by a point-spread function, with a wide halo for some, as out of focus."""
    if chance(random, _SHARP):
        return image
    sigma = log_uniform(random, 0.4, _WIDEST_BLUR)
    sharp = blurred(image, sigma)
    if chance(random, _HAZY):
        share = np.float32(random.uniform(0.1, 0.5))
        sharp += share * (blurred(image, sigma * random.uniform(3, 8)) - sharp)
    return sharp


def _recorded(random: np.random.Generator, image: Image) -> Image:
    """Apply an intensity law: linear, a power, inverted, or saturated at the top."""
    image = normalised(image)
    if chance(random, 0.5):
        image = np.power(np.clip(image, 0, 1), np.float32(log_uniform(random, 0.4, 2.5)))
    if chance(random, 0.15):
        image = 1 - image
    if chance(random, 0.1):
        image = np.minimum(image, np.quantile(image, random.uniform(0.85, 0.99)))
    return normalised(image)
