"""Make correlated noise white, for a network that needs to hide one pixel at a time only.

Hiding all neighbours whose noise is like a pixel's own (see `exclusion`) keeps a prediction
independent, but costs it what was to be seen next to the pixel. Where the spectrum of the noise is
known, there is another way: divide it out. The noise of such a whitened image is independent from
pixel to pixel, as the theory asks (Batson & Royer 2019), so every pixel may be predicted from its
very neighbours, and mixed with the prediction. At the end the spectrum is multiplied in again. Both
filters are linear: what is expected of each pixel stays as it is.

The spectrum is that of residuals: a prediction that saw no neighbour whose noise is alike, taken
off, leaves the noise, where the network is sure of all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft, ndimage
from torch import Tensor

from ..arrays import FloatArray
from ..axes import fullest
from ..noise.local_mean import filled
from ..noise.stabilise import Stabiliser, measured_planes
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control
from .pretrained import Probe

_REACH = 5
"""Pixels over which noise may be alike."""
_KNOWN_REACH = 2
"""Pixels beyond which the correlation that was measured counts less and less."""
_WEAKEST = 0.05
"""Of the noise's mean power: at frequencies with less, no more is known than that it is little."""
WHITENING_REACH = 32
"""Beyond so many pixels, the filters reach next to nothing."""
_PLANES, _SIDE = 2, 224
"""Of so many planes at most, parts of this side in pixels are predicted."""
_SUREST = 0.25
"""Share of the pixels: elsewhere the network's errors are alike, too."""
_SURE = 0.2
"""Of the noise variance: larger errors of the network could pass for noise."""


@dataclass(frozen=True)
class Whitening:
    """The filter that makes the noise of one stabilised channel white, and its inverse.

    Parameters
    ----------
    autocovariance : tuple of tuple of float
        Of the noise, in units of the variance that was assumed for it: at -5 to 5 pixels down
        (outer) and across (inner).
    doubt : float
        Errors of a coloured prediction over what the network says of them.

    Raises
    ------
    ValueError
        If it is not the autocovariance of anything.
    """

    autocovariance: tuple[tuple[float, ...], ...]
    doubt: float = 1.0

    def __post_init__(self) -> None:
        """See the class."""
        table = self._table
        side = 2 * _REACH + 1
        whole = table.shape == (side, side) and bool(np.isfinite(table).all())
        if not (whole and self.variance > 0 and np.abs(table).max() <= self.variance):
            raise ValueError("no autocovariance of noise")
        if not 0 < self.doubt < np.inf:
            raise ValueError("no doubt")

    @property
    def variance(self) -> float:
        """Variance of the noise before whitening, in the same units; after it, it is 1."""
        return self.autocovariance[_REACH][_REACH]

    @property
    def neighbours(self) -> float:
        """The largest correlation of the noise with that of the pixel below or beside."""
        here, next_to = _REACH, _REACH + 1
        table = self.autocovariance
        return max(abs(table[here][next_to]), abs(table[next_to][here])) / self.variance

    @property
    def gain(self) -> float:
        """Factor by which a smooth image is brighter before whitening than after it."""
        return float(self._response((2 * _REACH + 1,) * 2)[0, 0])

    def whiten(self, image: Tensor) -> Tensor:
        """Give an image, float32 of shape (H, W), white noise; NaN, where missing, stays."""
        present = torch.isfinite(image)
        if not present.any():
            return image
        return torch.where(present, self._filtered(filled(image), inverse=True), torch.nan)

    def colour(self, image: Tensor) -> Tensor:
        """Undo `whiten` for a finite image, float32 of shape (H, W)."""
        return self._filtered(image, inverse=False)

    @property
    def _table(self) -> FloatArray:
        return np.array(self.autocovariance, np.float64)

    def _response(self, shape: tuple[int, ...]) -> FloatArray:
        """Return the square root of the noise's power at the frequencies of `scipy.fft.rfft2`."""
        lags = np.arange(-_REACH, _REACH + 1)
        covariance = np.zeros(shape)
        covariance[np.ix_(lags, lags)] = self._table
        power = fft.rfft2(covariance).real
        return np.asarray(np.sqrt(np.maximum(power, _WEAKEST * self.variance)))

    def _filtered(self, image: Tensor, *, inverse: bool) -> Tensor:
        padded = np.pad(image.numpy(), WHITENING_REACH, mode="symmetric")
        shape = tuple(fft.next_fast_len(extent, real=True) for extent in padded.shape)
        response = self._response(shape).astype(np.float32)
        spectrum = fft.rfft2(padded, shape)
        filtered = fft.irfft2(spectrum / response if inverse else spectrum * response, shape)
        rows, columns = (slice(WHITENING_REACH, WHITENING_REACH + side) for side in image.shape)
        return torch.from_numpy(np.ascontiguousarray(filtered[rows, columns], np.float32))


def measure_whitenings(
    stabilisers: Sequence[Stabiliser],
    planes: Sequence[NDArray[Any]],
    partition: Partition,
    control: Control,
) -> tuple[Whitening, ...]:
    """Measure the autocovariance of noise on residuals of the pretrained network.

    Parameters
    ----------
    stabilisers : sequence of Stabiliser
        One for each channel.
    planes : sequence of ndarray
        Shape (C, H, W), any real dtype.
    partition : Partition
        With the exclusion that the noise asks for.
    control : Control
        To cancel.

    Returns
    -------
    tuple of Whitening
        One for each channel; none where the noise of any is not known, or its structure is so
        dense that errors would pass for noise.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    found = []
    for channel, stabiliser in enumerate(stabilisers):
        images = [stabiliser.alike(plane[channel]) for plane in measured_planes(planes)]
        whitening = _measure(stabiliser, images, partition, control)
        if whitening is None:
            return ()
        found.append(whitening)
    return tuple(found)


def _measure(
    stabiliser: Stabiliser, planes: Sequence[NDArray[Any]], partition: Partition, control: Control
) -> Whitening | None:
    """Measure the autocovariance of noise in one channel, from planes (H, W)."""
    if not stabiliser.noise.fitted:
        return None
    noise = StableNoise.of([stabiliser])
    probe = Probe(1, 0, noise, partition)
    residuals, doubts = [], []
    for plane in planes[:: -(-len(planes) // _PLANES)]:
        stable = stabiliser.in_places(plane).forward(plane)
        image = stable[fullest(stable.isfinite().numpy(), _SIDE)][None, None]
        residual, variance = probe.all_residuals(image, control)
        assumed = noise.assumed_variance((image - residual).nan_to_num())
        doubt = (variance / assumed)[0, 0].double().numpy()
        doubt[~_varied(image[0, 0].numpy())] = np.nan
        if not np.isfinite(doubt).any():
            continue
        sure = doubt <= np.nanquantile(doubt, _SUREST)
        doubts.append(float(doubt[sure].mean()))
        relative = (residual / assumed.sqrt())[0, 0].double().numpy()
        residuals.append(np.where(sure, relative, np.nan))
    if not residuals:
        return None
    lags = np.abs(np.arange(-_REACH, _REACH + 1))
    trust = np.minimum(1, (_REACH + 1 - lags) / (_REACH + 1 - _KNOWN_REACH))
    covariance = _autocovariance(residuals) * np.outer(trust, trust)
    if not max(doubts) < _SURE * covariance[_REACH, _REACH]:
        return None
    try:
        return Whitening(tuple(tuple(map(float, line)) for line in covariance))
    except ValueError:
        return None


def _varied(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell where an image has more than one value nearby: other parts are masked, and noiseless."""
    values = np.nan_to_num(image)
    side = 2 * _KNOWN_REACH + 1
    highest, lowest = (
        each(values, side) for each in (ndimage.maximum_filter, ndimage.minimum_filter)
    )
    return np.asarray(highest > lowest)


def _autocovariance(images: Sequence[FloatArray]) -> FloatArray:
    """Return the autocovariance of images at up to `_REACH` pixels, NaN where not known."""
    lags = np.arange(-_REACH, _REACH + 1)
    sums, counts = np.zeros((2, lags.size, lags.size))
    for image in images:
        known = np.isfinite(image)
        values = np.where(known, image - image[known].mean(), 0) if known.any() else image * 0
        shape = tuple(fft.next_fast_len(extent + _REACH, real=True) for extent in image.shape)
        for total, part in ((sums, values), (counts, known.astype(np.float64))):
            power = np.abs(fft.rfft2(part, shape)) ** 2
            total += fft.irfft2(power, shape)[np.ix_(lags, lags)]
    return np.asarray(sums / np.maximum(counts, 1))
