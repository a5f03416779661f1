"""Where residuals are larger than noise and predicted variance can explain, doubt is raised."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_noise2self.inference.local_doubt import local_doubt
from napari_noise2self.noise.correlation import WHITE, Correlation

SHAPE = (96, 96)


def _normal(seed: int = 0, shape: tuple[int, int] = SHAPE) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _doubt(
    residual: Tensor,
    variance: float,
    noise: float = 1.0,
    like: Correlation = WHITE,
    tails: tuple[float, ...] = (),
) -> Tensor:
    flat = torch.ones_like(residual)
    return local_doubt(residual, variance * flat, noise * flat, like, tails)


@pytest.mark.parametrize("variance", [0.01, 0.1, 1.0, 10.0])
def test_residuals_as_expected_raise_nothing_much(variance: float) -> None:
    found = _doubt((1 + variance) ** 0.5 * _normal(), variance)
    assert found.min() == 1
    assert found.mean() < 1.1


@pytest.mark.parametrize("noise", [1e-6, 0.1, 1.0])
def test_errors_that_the_network_does_not_know_of_are_seen_where_they_are(noise: float) -> None:
    errors = 3 * _normal(1) * (torch.arange(SHAPE[1]) >= 48)
    found = _doubt(errors + noise**0.5 * _normal(), 0.5, noise)
    assert found[:, :40].mean() < 1.1
    assert float(0.5 * found[:, 56:].mean()) == pytest.approx(9, rel=0.35)


def test_noise_somewhat_stronger_than_measured_is_no_structure() -> None:
    found = _doubt(1.08**0.5 * _normal(), 0.02)
    assert found.mean() < 1.2


def test_fewer_independent_pixels_tell_less() -> None:
    like = Correlation((0.6, 0.2, 0.0), (0.6, 0.2, 0.0), 0.36)
    residual = 1.5 * _normal()
    assert 1 < _doubt(residual, 0.5, like=like).mean() < _doubt(residual, 0.5).mean()


def test_hot_pixels_count_little() -> None:
    residual = 1.05**0.5 * _normal()
    before = _doubt(residual, 0.05)
    residual[48, 48] = 1000.0
    assert (_doubt(residual, 0.05) - before).max() < 1


def test_noise_with_tails_is_no_structure() -> None:
    random = torch.Generator().manual_seed(1)
    stronger = torch.rand(SHAPE, generator=random) < 0.05
    residual = torch.where(stronger, 8, 1) * _normal()
    assert float(_doubt(residual, 0.05).mean()) > 1.3
    assert float(_doubt(residual, 0.05, tails=(0.0, 0.05, 0.0)).mean()) < 1.02


def test_missing_pixels_are_left_out() -> None:
    residual = 4 * _normal()
    residual[:, 48:] = torch.nan
    found = _doubt(residual, 0.5)
    assert torch.isfinite(found).all()
    assert (found[:, 64:] == 1).all()
    assert found[:, :40].mean() > 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (5, 3), (9, 9)])
def test_any_size(shape: tuple[int, int]) -> None:
    found = _doubt(5 * _normal(shape=shape), 1.0)
    assert found.shape == shape
    assert (found >= 1).all()


def test_known_exactly_without_noise() -> None:
    """Nothing but errors: the window's mean square is the variance."""
    found = _doubt(2 * _normal(), 1.0, 0.0)
    assert float(found.mean()) == pytest.approx(4, rel=0.25)
