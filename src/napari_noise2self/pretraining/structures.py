"""The kinds of clean structures: each a function of a random generator and a shape.

All draw float32 images of any number of axes, in arbitrary units; sizes are in pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .drawing import (
    Body,
    Image,
    Shape,
    blurred,
    chance,
    deposited,
    draw_bodies,
    frequencies,
    log_uniform,
    normalised,
    radial_frequency,
    smooth_field,
    spectral_field,
)

Structure = Callable[[np.random.Generator, Shape], Image]


def leaves(random: np.random.Generator, shape: Shape) -> Image:
    """Bodies of all sizes before each other, some textured or bent: the edges of natural images.

    The dead-leaves model (Lee, Mumford & Huang 2001): radii follow a power law.
    """
    image: Image = 0.5 + 0.2 * smooth_field(random, shape, log_uniform(random, 10, 60))
    count = round(random.uniform(60, 300) * _area(shape) / 160**2)
    radii = np.minimum(2 / random.random(count) ** random.uniform(0.5, 0.9), _side(shape) / 2)
    textured = random.random(count) < random.choice([0.0, 0.3, 0.8])
    materials = [_field(random, shape) for _ in range(random.integers(1, 4))]
    for body, texture in zip(
        draw_bodies(random, shape, radii, boxes=random.random()), textured, strict=False
    ):
        part = image[body.window]
        content = _inner_texture(random, body, materials) if texture else np.zeros_like(part)
        part += body.coverage * (content + np.float32(random.random()) - part)
    return _bent(random, image) if chance(random, 0.4) else image


def _inner_texture(random: np.random.Generator, body: Body, materials: list[Image]) -> Image:
    """Return a slope or stripes across a body, or a piece of one of the materials."""
    if chance(random, 0.5):
        material = materials[random.integers(len(materials))]
        return np.asarray(log_uniform(random, 0.02, 0.25) * material[body.window], np.float32)
    place = body.place
    across = np.tensordot(random.standard_normal(len(place)).astype(np.float32), place, axes=1)
    if chance(random, 0.3):
        return np.asarray(random.uniform(0.05, 0.3) * across, dtype=np.float32)
    waves = np.sin(across * log_uniform(random, 2, 20) + random.uniform(0, 6.3))
    return np.asarray(random.uniform(0.05, 0.3) * waves, dtype=np.float32)


def filaments(random: np.random.Generator, shape: Shape) -> Image:
    """Curved threads in one to three populations of thickness, over soft blobs."""
    image = random.uniform(0, 0.3) * normalised(smooth_field(random, shape, 15))
    for _ in range(random.integers(1, 4)):
        image += random.uniform(0.3, 1) * _threads(random, shape)
    return image


def _threads(random: np.random.Generator, shape: Shape) -> Image:
    """Draw random walks whose direction turns slowly, straight to curly; some from few centres."""
    side, axes = _side(shape), len(shape)
    count, steps = round(log_uniform(random, 4, 60)), round(random.uniform(0.5, 2) * side)
    turns = log_uniform(random, 0.005, 0.3) * random.standard_normal((steps, count, axes))
    direction = random.standard_normal((1, count, axes)) + np.cumsum(turns, axis=0)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    starts = random.uniform(0, 1, (count, axes)) * shape
    if chance(random, 0.3):
        starts = starts[random.integers(0, max(1, count // 10), count)]
    paths = starts + np.cumsum(0.7 * direction, axis=0)
    shown = np.arange(steps)[:, None] < random.uniform(0.2, 1, count) * steps
    weights = random.lognormal(0, 0.4, count) * shown
    image = deposited(paths.reshape(-1, axes), weights.ravel(), shape)
    image = blurred(image, log_uniform(random, 0.6, 3.0))
    if chance(random, 0.3):  # even strokes with sharp edges
        return np.asarray(np.clip(8 * image / max(float(image.max()), 1e-6) - 1, 0, 1))
    if chance(random, 0.4):  # crossings hardly brighter than the rest
        bright = max(float(np.quantile(image, 0.98)), 1e-6)  # next to nothing in a sparse volume
        return np.asarray(-np.expm1(-np.maximum(image / bright, -1)))
    return normalised(image)


def membranes(random: np.random.Generator, shape: Shape) -> Image:
    """Walls of crumpled cells, as bright as their places, and interiors of different levels."""
    axes, size = len(shape), log_uniform(random, 7, 60)
    count = max(4, round(1.5 * float(np.prod(shape)) / size**axes))
    seeds = random.uniform(-0.1, 1.1, (count, axes)) * shape
    grid = np.indices(shape, dtype=np.float32)
    bend = random.uniform(0, 0.2) * size
    grid += np.stack([bend * smooth_field(random, shape, size / 3) for _ in shape])
    distances, nearest = cKDTree(seeds).query(grid.reshape(axes, -1).T, k=2)
    wall = ((distances[:, 1] - distances[:, 0]) / 2).reshape(shape).astype(np.float32)
    lines = np.exp(-0.5 * (wall / log_uniform(random, 0.4, 2.0)) ** 2)
    lines *= 1 + random.uniform(0, 0.5) * np.clip(smooth_field(random, shape, size / 2), -1.5, 1.5)
    interior = random.random(count).astype(np.float32)[nearest[:, 0]].reshape(shape)
    return np.asarray(lines + random.choice([0.0, 0.2, 1.0]) * interior, dtype=np.float32)


def nuclei(random: np.random.Generator, shape: Shape) -> Image:
    """Soft-edged ellipsoids with a mottled inside and a few darker or brighter bodies in it."""
    size = log_uniform(random, 5, 40)
    mottle = 1 + random.uniform(0, 0.4) * smooth_field(random, shape, log_uniform(random, 1, 8))
    image = np.zeros(shape, np.float32)
    radii = size * np.exp(random.normal(0, 0.2, _count(random, shape, size)))
    softness = np.float32(log_uniform(random, 0.5, 3))
    for body in draw_bodies(random, shape, radii, stretch=1.5, margin=3 * float(softness)):
        inside = 1 / (1 + np.exp(-np.clip(body.depth / softness, -30, 30)))
        part = image[body.window]
        np.maximum(part, random.uniform(0.3, 1) * inside * mottle[body.window], out=part)
    spots = radii[random.integers(0, len(radii), 2 * len(radii))] * random.uniform(0.1, 0.3)
    for body in draw_bodies(random, shape, spots, stretch=1.3):
        image[body.window] *= 1 + random.uniform(-0.7, 1) * body.coverage
    return image


def shells(random: np.random.Generator, shape: Shape) -> Image:
    """Hollow vesicles: bright surfaces around a dim inside."""
    size, width = log_uniform(random, 3, 25), np.float32(log_uniform(random, 0.5, 2))
    radii = size * np.exp(random.normal(0, 0.4, _count(random, shape, size)))
    image = np.zeros(shape, np.float32)
    for body in draw_bodies(random, shape, radii, stretch=1.3, margin=4 * float(width)):
        surface = np.exp(-0.5 * (body.depth / width) ** 2)
        dim = random.uniform(0, 0.4) * body.coverage
        image[body.window] += random.uniform(0.3, 1) * np.maximum(surface, dim)
    return image


def puncta(random: np.random.Generator, shape: Shape) -> Image:
    """Spots of very different brightness, half of them in clusters, over a faint haze."""
    count = round(log_uniform(random, 20, 1500) * _area(shape) / 160**2) + 1
    points = random.uniform(0, 1, (count, len(shape))) * shape
    if chance(random, 0.5):
        centres = points[random.integers(0, max(1, count // 15), count)]
        points = centres + random.normal(0, log_uniform(random, 2, 15), points.shape)
    image = deposited(points, random.lognormal(0, random.uniform(0, 1.2), count), shape)
    image = normalised(blurred(image, log_uniform(random, 0.6, 3)))
    return image + random.uniform(0, 0.3) * normalised(smooth_field(random, shape, 12))


def textures(random: np.random.Generator, shape: Shape) -> Image:
    """Random fields: power laws, single scales, stripes; half cut into patterns of two levels."""
    if chance(random, 1 / 3):
        return _stripes(random, shape)
    image = _field(random, shape)
    if chance(random, 0.4):
        with np.errstate(over="ignore"):  # infinity is right: it becomes 0
            image = 1 / (1 + np.exp(-log_uniform(random, 1, 20) * (image - random.normal(0, 0.5))))
    return image


def _field(random: np.random.Generator, shape: Shape) -> Image:
    """Return a random field with a power law or of a single scale, drawn out, ridged or bent."""
    radius = _drawn_out(random, shape) if chance(random, 0.4) else radial_frequency(shape)
    if chance(random, 0.5):
        response = np.maximum(radius, 1 / _side(shape)) ** np.float32(-random.uniform(0.5, 2.2))
    else:
        peak = log_uniform(random, 0.02, 0.3)
        response = np.exp(-0.5 * ((radius - peak) / (random.uniform(0.05, 0.4) * peak)) ** 2)
    field = spectral_field(random, response.astype(np.float32), shape)
    if chance(random, 0.3):  # veins, wrinkles: sharp lines along which a field is zero
        ridges = -(np.abs(field) ** np.float32(random.uniform(0.5, 1)))
        field = (ridges - ridges.mean()) / max(float(ridges.std()), 1e-6)
    return _bent(random, field) if chance(random, 0.3) else field


def _drawn_out(random: np.random.Generator, shape: Shape) -> Image:
    """Return the radial frequency of fibres: grown along a direction, structure is longer there."""
    direction = random.standard_normal(len(shape)).astype(np.float32)
    direction /= np.linalg.norm(direction)
    along = sum(part * axis for part, axis in zip(direction, frequencies(shape), strict=True))
    longer = log_uniform(random, 1.5, 10)
    return np.asarray(np.hypot(radial_frequency(shape), np.sqrt(longer**2 - 1) * along), np.float32)


def _bent(random: np.random.Generator, field: Image) -> Image:
    """Move the pixels of a field by a smooth field of displacements, to be like a swirl."""
    scale = log_uniform(random, 8, 50)
    reach = random.uniform(0.1, 0.7) * scale
    places = np.indices(field.shape, dtype=np.float32)
    places += np.stack([reach * smooth_field(random, field.shape, scale) for _ in field.shape])
    return np.asarray(ndimage.map_coordinates(field, places, order=1, mode="grid-wrap"), np.float32)


def _stripes(random: np.random.Generator, shape: Shape) -> Image:
    """Return one or two gratings of any direction, bent a little and fading in and out."""
    image = np.zeros(shape, np.float32)
    for _ in range(random.integers(1, 3)):
        direction = random.standard_normal(len(shape))
        direction *= 2 * np.pi * log_uniform(random, 0.02, 0.3) / np.linalg.norm(direction)
        phase = np.tensordot(direction, np.indices(shape, dtype=np.float32), axes=1)
        phase += random.uniform(0, 4) * smooth_field(random, shape, log_uniform(random, 15, 50))
        fade = 1 + random.uniform(0, 1) * smooth_field(random, shape, log_uniform(random, 10, 40))
        image += fade * np.sin(phase)
    limit = random.choice([0.3, 9.0])  # bars, or soft stripes
    return np.clip(image, -limit, limit).astype(np.float32)


def gradients(random: np.random.Generator, shape: Shape) -> Image:
    """Slopes, bowls and soft blobs: light without detail."""
    image = np.zeros(shape, np.float32)
    for axis, extent in zip(np.indices(shape, dtype=np.float32), shape, strict=True):
        place = axis / extent - random.random()
        image += random.normal() * place + random.normal() * place**2
    if chance(random, 0.5):
        image += random.uniform(0, 0.5) * smooth_field(random, shape, log_uniform(random, 15, 60))
    return image


def flat(random: np.random.Generator, shape: Shape) -> Image:
    """Nothing at all: what is seen is noise, and nothing may be made of it."""
    return np.zeros(shape, np.float32)


STRUCTURES: dict[str, tuple[Structure, float]] = {
    "leaves": (leaves, 0.3),
    "filaments": (filaments, 0.16),
    "membranes": (membranes, 0.11),
    "nuclei": (nuclei, 0.11),
    "puncta": (puncta, 0.08),
    "textures": (textures, 0.09),
    "gradients": (gradients, 0.03),
    "flat": (flat, 0.12),
}
"""The kinds that are trained on, and how large a share each is."""

LEFT_OUT: dict[str, Structure] = {"shells": shells}
"""The kinds that are never trained on, to see what becomes of the unknown."""


def _side(shape: Shape) -> float:
    """Return the mean extent of an image."""
    return float(np.prod(shape) ** (1 / len(shape)))


def _area(shape: Shape) -> float:
    """Return the area of a plane of an image."""
    return _side(shape) ** 2


def _count(random: np.random.Generator, shape: Shape, size: float) -> int:
    """Return how many bodies of a size cover 10 to 80 % of an image."""
    return max(2, round(random.uniform(0.1, 0.8) * _area(shape) / (3 * size**2)))
