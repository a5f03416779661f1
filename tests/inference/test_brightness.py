"""Results are as bright as the noisy image, at each brightness."""

import numpy as np
import pytest
import torch

from napari_noise2self.inference.brightness import as_bright_as
from simulate import smooth_scene

ONE = torch.ones(256, 256)


@pytest.fixture
def clean() -> torch.Tensor:
    """A stabilised image: expectations from 0 to 20, where the noise is 1."""
    return torch.from_numpy(20 * smooth_scene((256, 256))).float()


@pytest.fixture
def noisy(clean: torch.Tensor) -> torch.Tensor:
    return clean + torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def test_prediction_that_is_too_bright(clean: torch.Tensor, noisy: torch.Tensor) -> None:
    corrected = as_bright_as(noisy, clean + 0.1, ONE)
    assert float((corrected - clean).square().mean()) < 0.1 * 0.1**2


def test_error_that_differs_with_the_brightness(clean: torch.Tensor, noisy: torch.Tensor) -> None:
    wrong = clean + 0.1 * (clean / 5).sin()
    before, after = ((each - clean).square().mean() for each in (wrong, _corrected(noisy, wrong)))
    assert after < 0.35 * before


def test_prediction_that_is_right_stays(clean: torch.Tensor, noisy: torch.Tensor) -> None:
    assert float((_corrected(noisy, clean) - clean).square().mean()) < 0.015**2


def test_noise_that_leaks_into_the_prediction_is_not_taken_for_brightness() -> None:
    noise = torch.randn(ONE.shape, generator=torch.Generator().manual_seed(0))
    leaking = 5 + 0.1 * noise  # the more of its own noise a pixel has, the brighter it is
    corrected = _corrected(5 + noise, leaking)
    assert float(corrected.std()) < 1.6 * float(leaking.std())


def test_few_pixels_say_little() -> None:
    noisy, mean = torch.full((4, 4), 5.0), torch.full((4, 4), 4.0)
    assert (_corrected(noisy, mean, torch.ones(4, 4)) - mean).max() < 0.02


def test_hot_pixels_count_for_little(clean: torch.Tensor, noisy: torch.Tensor) -> None:
    noisy[::16, ::16] += 100
    assert float((_corrected(noisy, clean) - clean).abs().mean()) < 0.04


def test_missing_pixels_and_unknown_noise(clean: torch.Tensor, noisy: torch.Tensor) -> None:
    noisy[:100] = torch.nan
    corrected = _corrected(noisy, clean + 0.1)
    assert torch.isfinite(corrected).all()
    assert float((corrected - clean).square().mean()) < 0.2 * 0.1**2
    assert _corrected(noisy, clean, 0 * ONE) is clean


@pytest.mark.parametrize("largest", [1e6, 1e30])
def test_enormous_ranges(largest: float) -> None:
    mean = torch.linspace(0, largest, 256 * 256).reshape(256, 256)
    corrected = _corrected(mean + 0.5, mean)
    assert torch.isfinite(corrected).all()
    np.testing.assert_allclose(corrected, mean, rtol=1e-6, atol=1)


def _corrected(noisy: torch.Tensor, mean: torch.Tensor, noise: torch.Tensor = ONE) -> torch.Tensor:
    return as_bright_as(noisy, mean, noise)
