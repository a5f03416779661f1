"""Whether a trained model suits an image: the noise and intensities of both, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import check_image
from ..noise.coarse import SMALLEST, coarse, is_empty_beyond
from ..noise.line_noise import LineNoise
from ..noise.model import NoiseModel
from ..noise.stabilise import Stabiliser
from ..progress import Control

_PLANES, _TILES, _TILE = 4, 4, 128  # planes; tiles along each axis of these, and their side: 1 s
_NOISE = 1.5  # variances further apart than this factor are told
_SPREAD = 3.0  # and so are intensities that spread so many times as far,
_SHIFT = 3.0  # or whose mean is so many standard deviations away

_UNLIKE = (
    "This image is unlike those that the model was trained on ({}); train on it for a better "
    "result."
)


def mismatch(
    stabilisers: Sequence[Stabiliser],
    image: Any,
    axes: str | None = None,
    control: Control | None = None,
    *,
    takes_line_noise: bool = True,
    coarseness: int = 1,
) -> str:
    """Say in one sentence how an image differs from those a model was trained on.

    Parameters
    ----------
    stabilisers : sequence of Stabiliser
        Of the model, one for each channel.
    image : array
        Any real dtype and array type that slices to NumPy; a few of its planes are read.
    axes : str, optional
        One letter for each axis; the last two are Y and X if None.
    control : Control, optional
        Lets another thread cancel the measurement.
    takes_line_noise : bool
        Whether the model's settings take that away first; see `Settings.takes_line_noise`.
    coarseness : int
        Of the grid on which the model denoises.

    Returns
    -------
    str
        Empty if the image is alike, or has another number of channels, which is an error of
        its own.

    Raises
    ------
    InputError, AxesError
        If the image cannot be denoised or its axes are unclear.
    Cancelled
        If `control` was cancelled.
    """
    layout = check_image(image, axes)
    if layout.n_channels != len(stabilisers):
        return ""
    control = control or Control()
    tiles = []
    for number in range(0, layout.n_planes, math.ceil(layout.n_planes / _PLANES)):
        control.check()
        plane = layout.plane(image, number)
        if _too_fine(plane, coarseness):
            return _UNLIKE.format("it has details as fine as its pixels")
        some = _tiles(plane)
        tiles += [LineNoise.of(t).taken_from(t) for t in some] if takes_line_noise else some
    if not tiles:
        return ""
    difference = ""
    for channel, model in enumerate(stabilisers):
        control.check()
        alike = model.noise.correlation  # as checked by the network, which is not asked here
        measured = [model.alike(tile[channel]) for tile in tiles]
        if coarseness > 1:
            measured = [coarse(tile, coarseness) for tile in measured]
        found = Stabiliser.fit(measured, correlation=alike if coarseness == 1 else None)
        difference = difference or _difference(model, found)
    return difference and _UNLIKE.format(difference)


def _too_fine(plane: NDArray[Any], coarseness: int) -> bool:
    """Tell whether a plane (C, Y, X) has details that a coarse grid would lose."""
    if coarseness == 1 or min(plane.shape[1:]) < coarseness * SMALLEST:
        return False
    return not all(is_empty_beyond(channel, coarseness) for channel in plane)


def _tiles(plane: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut tiles, evenly spread, out of a large plane (C, Y, X); without those that are missing."""
    spans = (_stretches(extent) for extent in plane.shape[1:])
    tiles = [plane[:, rows, columns] for rows, columns in product(*spans)]
    return [tile for tile in tiles if np.isfinite(tile).all(axis=0).any()]


def _stretches(extent: int) -> list[slice]:
    if extent <= _TILES * _TILE:
        return [slice(None)]
    starts = np.linspace(0, extent - _TILE, _TILES).astype(int).tolist()
    return [slice(start, start + _TILE) for start in starts]


def _difference(model: Stabiliser, image: Stabiliser) -> str:
    """Say what is different of one channel; empty if it is alike."""
    unit, usual = abs(image.unit), abs(model.unit)
    if not 1 / _SPREAD < unit / usual < _SPREAD:
        return f"intensities spread over {unit:.3g} grey levels, not {usual:.3g}"
    if abs(image.offset - model.offset) > _SHIFT * usual:
        return f"mean intensity {image.offset:.4g}, not {model.offset:.4g}"
    theirs, own = model.grey_noise, image.grey_noise
    if not (theirs.fitted and own.fitted):  # a stand-in is as strong as is safe, not as the noise
        return ""
    if theirs.correlation.lacks_highest or own.correlation.lacks_highest:  # not all of it is seen
        return ""
    level = np.array(image.offset)
    ratio = float(own.variance(level) / max(float(theirs.variance(level)), np.finfo(float).tiny))
    if 1 / _NOISE < ratio < _NOISE:
        return ""
    return f"noise of {_words(own)}, not {_words(theirs)}"


def _words(noise: NoiseModel) -> str:
    return f"gain {noise.gain:.3g} and read variance {noise.read_variance:.3g}"
