"""The brightness around each pixel, and the part of it that networks do not see."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.noise.local_mean import (
    CELL,
    LOCAL_REACH,
    local_bounds,
    local_contrast,
    local_excess,
    local_mean,
)


@pytest.mark.parametrize("shape", [(1, 1), (5, 70), (64, 64), (61, 130)])
def test_local_mean_of_an_even_image_is_its_brightness(shape: tuple[int, int]) -> None:
    image = torch.full((2, 3, *shape), 7.0)
    torch.testing.assert_close(local_mean(image), image)


def test_local_mean_follows_a_slope_and_not_the_noise_on_it() -> None:
    slope = torch.linspace(0, 100, 256).expand(1, 1, 256, 256)
    noise = torch.randn(slope.shape, generator=torch.Generator().manual_seed(0))
    inside = (..., slice(None), slice(LOCAL_REACH, -LOCAL_REACH))
    deviation = (local_mean(slope + noise) - slope)[inside]
    assert deviation.abs().max() < 0.1


def test_nothing_reaches_farther_than_it_says() -> None:
    image = torch.zeros(1, 1, CELL, 401)
    for place in range(200, 200 + CELL):
        changed = image.clone()
        changed[..., place] = 1.0
        there = local_mean(changed)[0, 0].any(dim=0).nonzero()
        assert (there - place).abs().max() <= LOCAL_REACH


def test_usual_brightness_is_left_to_the_network() -> None:
    """So that the noise of the local mean is not added to the result of a flat image."""
    image = 0.2 * torch.randn((1, 1, 64, 64), generator=torch.Generator().manual_seed(0))
    for level in (-0.8, 0, 0.8):
        assert not local_excess(image + level).any()


@pytest.mark.parametrize("level", [-50.0, 3.0, 1000.0])
def test_networks_see_the_brightest_parts_as_little_bright(level: float) -> None:
    image = torch.full((1, 1, 64, 64), level)
    seen = image - local_excess(image)
    torch.testing.assert_close(seen, torch.full_like(image, 1.0 if level > 0 else -1.0))


def test_no_step_in_what_is_seen_where_the_image_has_none() -> None:
    slope = torch.linspace(-20, 20, 512).expand(1, 1, 8, 512)
    steps = (slope - local_excess(slope)).diff(dim=-1)
    assert steps.abs().max() < 2 * 40 / 511


def test_bounds_are_three_times_the_range_nearby() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image[..., 20, 20] = 2.0
    low, high = local_bounds(image)
    assert (low[0, 0, 20, 20], high[0, 0, 20, 20]) == (-2, 4)
    assert not low[..., 32:, 32:].any()
    assert not high[..., 32:, 32:].any()


def test_contrast_is_about_the_surroundings_and_without_missing_pixels() -> None:
    image = torch.randn((128, 128), generator=torch.Generator().manual_seed(0))
    image[:, 64:] += 100  # but for the edge
    image[:, 40:90] = torch.nan
    assert local_contrast(torch.full((8, 8), torch.nan)) == 0
    assert 0.9 < local_contrast(image[:, :40]) < 1.1
    assert local_contrast(image) < 30
