"""Predict images with fewer details than pixels: on a coarse grid, and back on the fine one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..arrays import FloatArray
from ..noise.coarse import coarse, fine
from ..progress import Control, Report
from ..settings import Prediction
from .white_predictor import WhitePredictor


@dataclass(frozen=True)
class CoarsePredictor:
    """Predicts as `WhitePredictor` does, but on a coarse grid; see `noise.coarse`.

    Parameters
    ----------
    predictor : WhitePredictor
        With partition, noise and whitenings of images on that grid.
    coarseness : int
        Of the grid.
    """

    predictor: WhitePredictor
    coarseness: int

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
        mean, error, noise = self.predictor.predict(
            coarse_planes(image, self.coarseness),
            mode,
            beside=None if beside is None else coarse_planes(beside, self.coarseness),
            origin=(origin[0] // self.coarseness, origin[1] // self.coarseness),
            control=control,
            report=report,
        )
        shape = (image.shape[1], image.shape[2])
        smooth = _each_plane(lambda plane: fine(plane, self.coarseness, shape), mean)
        return smooth, self._repeated(error, shape), self._repeated(noise, shape)

    @property
    def reach(self) -> int:
        """See `Predictor.reach`."""
        return self.coarseness * self.predictor.reach

    def _repeated(self, planes: Tensor, shape: tuple[int, int]) -> Tensor:
        for axis in (1, 2):
            planes = planes.repeat_interleave(self.coarseness, dim=axis)
        return planes[:, : shape[0], : shape[1]]


def coarse_planes(planes: Tensor, coarseness: int) -> Tensor:
    """Return planes (..., H, W) on a coarse grid, float32; NaN where pixels are missing."""
    if coarseness == 1:
        return planes
    return _each_plane(lambda plane: coarse(plane, coarseness), planes)


def _each_plane(change: Callable[[Any], FloatArray], planes: Tensor) -> Tensor:
    """Change planes (..., H, W) one by one."""
    changed = [torch.from_numpy(change(plane.numpy())).float() for plane in planes.flatten(0, -3)]
    return torch.stack(changed).reshape(*planes.shape[:-2], *changed[0].shape)
