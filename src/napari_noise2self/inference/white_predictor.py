"""Predict images whose noise is correlated as if it were white: whiten, predict, colour again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..axes import fullest
from ..noise.stable_noise import StableNoise
from ..probe.whitening import WHITENING_REACH, Whitening
from ..progress import Control, Report
from ..settings import Prediction
from .predictor import Predictor

_SIDE = 224  # pixels, of the part of an image that is rehearsed
_LARGEST_DOUBT = 100.0
"""A rehearsal that is off by so much has failed."""


@dataclass(frozen=True)
class WhitePredictor:
    """Predicts as `Predictor` does, but whitens images first.

    Parameters
    ----------
    predictor : Predictor
        With partition and noise of the whitened images.
    whitenings : sequence of Whitening
        One for each channel.
    """

    predictor: Predictor
    whitenings: Sequence[Whitening]

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
        """Denoise one stabilised image; see `Predictor.predict`."""
        variance, doubt = (
            image.new_tensor([getattr(each, name) for each in self.whitenings]).reshape(-1, 1, 1)
            for name in ("variance", "doubt")
        )
        white = self._whitened(image[:, None])[:, 0]
        seen = None if beside is None else self._whitened(beside)
        mean, error, noise = self.predictor.predict(
            white, mode, beside=seen, origin=origin, control=control, report=report
        )
        return self._coloured(mean), doubt * variance * error, variance * noise

    @property
    def reach(self) -> int:
        """See `Predictor.reach`; there is a filter before, and one after."""
        return self.predictor.reach + 2 * WHITENING_REACH

    def rehearsed(
        self, image: Tensor, assumed: StableNoise, seed: int, control: Control
    ) -> tuple[Whitening, ...]:
        """Return the whitenings with their doubt: how large errors are over what is said of them.

        A part of an image is denoised, noise like its own added to the result, and that is
        denoised, too: this time the truth is known (a parametric bootstrap, Efron 1979). Errors of
        neighbours are alike, which colouring makes them pay for.

        Parameters
        ----------
        image : Tensor
            Stabilised, float32 of shape (C, H, W).
        assumed : StableNoise
            Of the same.
        seed : int
            Of the noise.
        control : Control
            To cancel.

        Returns
        -------
        tuple of Whitening
            One for each channel; none if the rehearsal failed in any.

        Raises
        ------
        Cancelled
            If `control` was cancelled.
        """
        rows, columns = fullest(image.isfinite().all(dim=0).numpy(), _SIDE)
        clean, *_ = self.predict(image[:, rows, columns], control=control)
        generator = torch.Generator().manual_seed(seed)
        fresh = self._coloured(torch.randn(clean.shape, generator=generator))
        noisy = clean + fresh * assumed.assumed_variance(clean[None])[0].sqrt()
        again, error, _ = self.predict(noisy, control=control)
        ratio = (again - clean).square().mean(dim=(1, 2)) / error.mean(dim=(1, 2))
        doubts = ratio.clamp(min=1 / _LARGEST_DOUBT).tolist()
        if not all(doubt < _LARGEST_DOUBT for doubt in doubts):
            return ()
        pairs = zip(self.whitenings, doubts, strict=True)
        return tuple(replace(whitening, doubt=doubt) for whitening, doubt in pairs)

    def _whitened(self, planes: Tensor) -> Tensor:
        """Whiten planes (C, places, H, W)."""
        pairs = zip(self.whitenings, planes, strict=True)
        return torch.stack([torch.stack([*map(each.whiten, some)]) for each, some in pairs])

    def _coloured(self, image: Tensor) -> Tensor:
        """Undo that for an image (C, H, W)."""
        pairs = zip(self.whitenings, image, strict=True)
        return torch.stack([each.colour(channel) for each, channel in pairs])
