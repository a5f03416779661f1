"""A denoised image, and what is believed of it without a clean one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arrays import FloatArray
from ..noise.line_noise import NO_LINE_NOISE, LineNoise
from ..noise.stabilise import Stabiliser, unstabilise_plane
from ..noise.stable_noise import StableNoise
from .accuracy import ErrorEstimate, PlanePrediction
from .residual import ResidualCheck
from .words import hot_pixels_note, line_noise_note


@dataclass(frozen=True, eq=False)
class Result:
    """A denoised image, and what is believed of it without a clean one.

    Parameters
    ----------
    image : ndarray
        The denoised image.
    figures : dict
        The training's figures, and these of the image:

        - `estimated_psnr`: what PSNR in dB it has by the network's own error estimate, times its
          doubt, and `estimated_psnr_before`: what the noisy one had by the noise model; None where
          the noise follows none. Their range is 255 for 8-bit images, else the range of the
          denoised image. `estimated_psnr_uncertainty`, of the training: two of three are right
          within it; None where there is no estimate.
        - `residual`: a `ResidualReport` as a dictionary.
        - `line_noise`: standard deviation in grey levels of the offsets that were taken away from
          rows and from columns.
        - `hot_pixels`: how many pixels stood out from all around them, as no light does.
    """

    image: NDArray[Any]
    figures: dict[str, Any]


class ResultFigures:
    """Gathers the figures of a result, plane by plane.

    Parameters
    ----------
    stabilisers : sequence of Stabiliser
        One for each channel.
    dtype : numpy.dtype
        Of the noisy image.
    """

    def __init__(self, stabilisers: Sequence[Stabiliser], dtype: np.dtype[Any]) -> None:
        self._stabilisers = stabilisers
        self._assumed = StableNoise.of(stabilisers)
        self._errors = ErrorEstimate(dtype)
        self._residual = ResidualCheck([each.noise.correlation for each in stabilisers])
        self._hot_pixels = 0
        self._lines: list[tuple[float, float]] = []  # deviations of rows and columns

    def add(
        self,
        noisy: Tensor,
        missing: Tensor,
        denoised: Tensor,
        error: Tensor,
        noise: Tensor,
        line_noise: LineNoise = NO_LINE_NOISE,
        stabilisers: Sequence[Stabiliser] = (),
    ) -> FloatArray:
        """Add a stabilised plane and what `Predictor.predict` made of it.

        Parameters
        ----------
        noisy : Tensor
            float32 of shape (C, Y, X); NaN where pixels are missing or tell nothing.
        missing : Tensor
            bool, of the same shape.
        denoised, error, noise : Tensor
            float32 of the same shape.
        line_noise : LineNoise, optional
            That was taken away first.
        stabilisers : sequence of Stabiliser, optional
            Those of this plane, if it has its own.

        Returns
        -------
        ndarray
            The denoised plane in grey levels.
        """
        own = stabilisers or self._stabilisers
        present = noisy.isfinite().numpy()
        self._residual.add(noisy.numpy(), denoised.numpy())
        self._hot_pixels += int((noisy.isnan() & ~missing).sum())
        grey = unstabilise_plane(own, denoised)
        assumed = self._assumed.assumed_variance(denoised[None])[0]
        relative = torch.where(assumed > 0, noise / assumed, 0).double().numpy()
        places = np.stack([np.broadcast_to(s.variance_there, grey.shape[1:]) for s in own])
        units = np.reshape([stabiliser.scale**2 for stabiliser in own], (-1, 1, 1))
        error_there = error.double().numpy() / units * places
        self._lines.append((line_noise.row_std, line_noise.column_std))
        lines = line_noise.taken, line_noise.left
        plane = PlanePrediction(grey, error_there, relative * places, present, *lines)
        self._errors.add(plane, [stabiliser.grey_noise for stabiliser in own])
        return grey

    def figures(self, training: dict[str, Any]) -> dict[str, Any]:
        """Return the figures of the training with those of all planes, ready for JSON."""
        report = self._residual.report()
        notes = [*training["notes"], *([report.note] if report.structured else [])]
        lines = self._line_noise_figures()
        if any(lines.values()):
            notes.append(line_noise_note(**lines))
        if self._hot_pixels:
            notes.append(hot_pixels_note(self._hot_pixels))
        errors = self._errors.figures()
        doubt = training["estimated_psnr_uncertainty"]
        return {
            **training,
            **errors,
            "estimated_psnr_uncertainty": None if errors["estimated_psnr"] is None else doubt,
            "residual": asdict(report),
            "line_noise": lines,
            "hot_pixels": self._hot_pixels,
            "notes": notes,
        }

    def _line_noise_figures(self) -> dict[str, float]:
        """Return the standard deviations of offsets of rows and columns, over all planes."""
        rows, columns = np.sqrt(np.mean(np.square(self._lines), axis=0)).tolist()
        return {"rows": rows, "columns": columns}
