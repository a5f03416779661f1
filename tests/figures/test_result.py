"""The figures of a result, gathered plane by plane."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_noise2self.figures.result import ResultFigures
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import NOISE_STD, Stabiliser


@pytest.mark.parametrize("error", [0.0, 0.01])
def test_no_estimate_has_no_uncertainty(error: float) -> None:
    stabiliser = Stabiliser(100, 10, NoiseModel(0, 1), scale=NOISE_STD)
    gathered = ResultFigures([stabiliser], np.dtype(np.uint16))
    noisy = torch.randn((1, 64, 64), generator=torch.Generator().manual_seed(0))
    noise = torch.full_like(noisy, NOISE_STD**2)
    gathered.add(noisy, noisy.isnan(), 0.9 * noisy, error * noise, noise)
    figures = gathered.figures({"notes": [], "estimated_psnr_uncertainty": 0.4})
    assert (figures["estimated_psnr"] is None) == (error == 0)
    assert figures["estimated_psnr_uncertainty"] == (0.4 if error else None)
