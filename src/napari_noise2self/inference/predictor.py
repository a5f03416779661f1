"""Predict whole images: J-invariantly, in a single pass, or as the posterior mean."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..allocator import kept_memory
from ..devices import fastest_precision, reproducible
from ..errors import lacks_memory
from ..networks import Check, Network
from ..noise.outliers import limited
from ..noise.stabilise import NOISE_STD
from ..noise.stable_noise import StableNoise, signal_variance
from ..noise.tails import moments, noise_given
from ..partition import Partition
from ..progress import Control, Progress, Report
from ..settings import Fill, Prediction
from .brightness import as_bright_as
from .local_doubt import DOUBT_REACH, local_doubt
from .tiles import Tile, cut

DEFAULT_TILE = 1024
SMALLEST_TILE = 64
_SMALLEST_SHARE = 0.01
"""Of what varies of a noisy pixel: the error of a prediction is taken for no less than that."""
_NONE = -1
"""In place of a subset: nothing is hidden, and all is predicted."""
_AT_ONCE = 2**16
"""Pixels of a pass over small tiles: with less, calls take longer than the computing itself."""


@dataclass(frozen=True)
class Predictor:
    """A trained network with all that decides its predictions.

    Parameters
    ----------
    network : Network
        On the device where it is to run, in eval mode.
    partition : Partition
        Its subsets are hidden one after another.
    noise : StableNoise
        Of the stabilised images.
    fill : {"interpolate", "zero"}
        What stands in place of hidden pixels.
    flips : int
        Over how many of the eight orientations of the image to average.
    tile : int
        Side of the windows that are predicted at once, in pixels; halved where memory is short.
    mixed_precision : bool
        Compute in bfloat16 where the device is faster at it.
    """

    network: Network
    partition: Partition
    noise: StableNoise
    fill: Fill = "interpolate"
    flips: int = 1
    tile: int = DEFAULT_TILE
    mixed_precision: bool = False

    def predict(
        self,
        image: Tensor,
        mode: Prediction = "posterior",
        *,
        beside: Tensor | None = None,
        origin: tuple[int, int] = (0, 0),
        control: Control | None = None,
        report: Report | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Denoise one stabilised image.

        Parameters
        ----------
        image : Tensor
            float32 of shape (C, H, W); non-finite values mark missing pixels, which are
            predicted from their surroundings.
        mode : {"posterior", "j-invariant", "single-pass"}
            See `Settings.prediction`.
        beside : Tensor, optional
            Adjacent planes, float32 of shape (C, places in `BESIDE`, H, W), 0 where missing.
        origin : tuple of int
            Row and column of the first pixel, if this is a part of an image.
        control, report
            To cancel, and to follow, the work.

        Returns
        -------
        mean, error, noise : Tensor
            The denoised image, the variance of its error as the network sees it, and the
            variance of the noise; float32 of shape (C, H, W) on the CPU, finite everywhere.

        Raises
        ------
        Cancelled
            If `control` was cancelled.
        """
        control, predictor = control or Control(), self
        while True:
            try:
                return predictor._predict(image, beside, origin, mode, control, report)
            except (RuntimeError, MemoryError) as error:
                if predictor.tile <= SMALLEST_TILE or not lacks_memory(error):
                    raise
                predictor = replace(predictor, tile=predictor.tile // 2)

    @property
    def reach(self) -> int:
        """How far from a pixel its result sees; only `as_bright_as` looks everywhere."""
        return self._network_reach + DOUBT_REACH

    @property
    def _network_reach(self) -> int:
        return self.network.reach + self.partition.fill_radius + self.partition.exclusion.radius

    def _predict(
        self,
        image: Tensor,
        beside: Tensor | None,
        origin: tuple[int, int],
        mode: Prediction,
        control: Control,
        report: Report | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Denoise one stabilised image in tiles of the given size."""
        reach, stride = self._network_reach, self.network.stride
        tiles = list(cut(image.shape[-2:], self.tile, reach, stride))
        subsets = [_NONE] if mode == "single-pass" else [*range(self.partition.n_subsets)]
        total, done, started = len(tiles) * len(subsets) * self._flips, 0, time.monotonic()
        result = torch.empty((2, *image.shape), dtype=torch.float32)
        with torch.inference_mode(), reproducible(), kept_memory():
            for tile in tiles:
                passes = self._predict_tile(
                    image, beside, origin, tile, subsets, result, control.check
                )
                for subsets_done in passes:
                    done += subsets_done
                    if report:
                        report(Progress.at_pace("predicting", done, total, started))
                    control.check()
            return self._judge(image, result[0], result[1], mode)

    def _predict_tile(
        self,
        image: Tensor,
        beside: Tensor | None,
        origin: tuple[int, int],
        tile: Tile,
        subsets: Sequence[int],
        result: Tensor,
        check: Check,
    ) -> Iterator[int]:
        """Write the network's mean and variance of one tile, small ones for many subsets at once.

        Yields after each pass how many subsets it was for.
        """
        window, inner, target = tile.window, tile.inner, tile.target
        pixels = image[:, window[0], window[1]].to(self._device)
        present = torch.isfinite(pixels).all(dim=0)
        pixels = torch.where(present, pixels, 0)
        seen = None if beside is None else beside[None, ..., window[0], window[1]].to(self._device)
        place = [span.start + first for span, first in zip(window, origin, strict=True)]
        origins = torch.tensor([place], device=self._device)
        labels = self.partition.labels((pixels.shape[1], pixels.shape[2]), origins)[0]
        found = torch.zeros((2, *pixels.shape), device=self._device)
        at_once = max(1, _AT_ONCE // labels.numel())
        for first in range(0, len(subsets), at_once):
            some = torch.tensor(subsets[first : first + at_once], device=self._device)
            some = some.reshape(-1, 1, 1, 1)
            targets = labels == some
            here = targets | (some == _NONE)
            hidden = self.partition.hide(targets) | ~present
            filled = self.partition.fill(pixels.expand(len(some), -1, -1, -1), hidden, self.fill)
            for flip in range(self._flips):
                both = torch.stack(self._run(filled, seen, flip, check)) / self._flips
                found += torch.where(here, both, 0).sum(dim=1)
                yield len(some)
        result[:, :, target[0], target[1]] = found[:, :, inner[0], inner[1]].cpu()

    def _judge(
        self, image: Tensor, mean: Tensor, variance: Tensor, mode: Prediction
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, error and noise of a whole image, given what the network says of it.

        What the network predicts as variance is that of the signal where the noise was measured
        before training; else that of the noisy pixel.
        """
        noise = self.noise.to(torch.device("cpu"))
        assumed, known = (at(mean[None])[0] for at in (noise.assumed_variance, noise.variance))
        least = torch.maximum(noise.leak[0] * known, _SMALLEST_SHARE * (variance + assumed))
        rest = torch.maximum(variance - known, least)
        expected = torch.where(assumed > 0, noise.doubt[0] * variance, rest)
        variance = torch.where(assumed > 0, noise.sureness[0] * variance, rest)
        share = torch.zeros_like(mean)
        if mode == "posterior":
            channels = zip(image, mean, known, strict=True)
            mean = torch.stack([as_bright_as(*channel) for channel in channels])
            residual = image - mean
            looks = zip(residual, variance, known, noise.correlation, noise.tails, strict=True)
            variance = variance * torch.stack([local_doubt(*look) for look in looks])
            expected = torch.maximum(expected, variance)
            given = zip(residual, variance, known, noise.tails, strict=True)
            known = torch.stack([noise_given(*channel) for channel in given])
            share = _noisy_share(image, variance, known)
            mean = torch.lerp(mean, torch.where(share > 0, image, 0), share)
        else:  # for the figures alone
            pairs = zip(known, noise.tails, strict=True)
            known = torch.stack([moments(tails)[0] * usual for usual, tails in pairs])
        return mean, (1 - share).square() * expected + share.square() * known, known

    def _run(
        self, filled: Tensor, beside: Tensor | None, flip: int, check: Check
    ) -> tuple[Tensor, Tensor]:
        """Run the network on one of the eight orientations of the image."""
        noise = self.noise.to(self._device)
        height, width = filled.shape[-2:]
        precision = fastest_precision(self._device, self.mixed_precision)
        oriented = self._oriented(filled, flip).contiguous(memory_format=precision.memory_format)
        seen = None
        if beside is not None:
            seen = self._oriented(beside.flatten(1, 2), flip).expand(len(filled), -1, -1, -1)
        with precision.autocast(self._device):
            mean, raw = self.network(oriented, seen, check)
        mean, variance = (_restore(part, flip) for part in (mean, signal_variance(raw, noise)))
        return mean[..., :height, :width], variance[..., :height, :width]

    def _oriented(self, image: Tensor, flip: int) -> Tensor:
        """Orient an image; it is padded first, as a flip must not move the pooling grid.

        And limited before that, as a copy of what stands out would be a neighbour that is alike.
        """
        below, right = (-extent % self.network.stride for extent in image.shape[-2:])
        if below or right:
            image = torch.where(image == 0, 0, limited(image, NOISE_STD))  # 0 beside: nothing
            image = functional.pad(image, (0, right, 0, below), mode="replicate")
        return _orient(image, flip)

    @property
    def _flips(self) -> int:
        """Number of orientations to average: without transposes where training had none."""
        return self.flips if self.partition.exclusion.turns else min(self.flips, 4)

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device


def _noisy_share(pixels: Tensor, variance: Tensor, noise: Tensor) -> Tensor:
    """Return the weight of the noisy pixels by the variances (Laine et al. 2019, eq. 6).

    0 where the noise variance is unknown or the pixel is missing.
    """
    present = torch.isfinite(pixels).all(dim=0)
    return torch.where(present & (noise > 0), variance / (variance + noise), 0)


def _orient(image: Tensor, flip: int) -> Tensor:
    """Return one of the eight orientations of an image: bits for rows, columns, transpose."""
    dims = [dim for bit, dim in ((1, -2), (2, -1)) if flip & bit]
    image = image.flip(dims) if dims else image
    return image.transpose(-2, -1) if flip & 4 else image


def _restore(image: Tensor, flip: int) -> Tensor:
    """Undo `_orient`."""
    image = image.transpose(-2, -1) if flip & 4 else image
    dims = [dim for bit, dim in ((1, -2), (2, -1)) if flip & bit]
    return image.flip(dims) if dims else image
