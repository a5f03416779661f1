"""The noise found once more in what a network could not predict."""

from __future__ import annotations

import numpy as np
import pytest

from napari_noise2self.refinement import refine_noise


def test_noise_twice_as_strong_as_assumed_is_found() -> None:
    random = np.random.default_rng(0)
    mean = random.uniform(-1, 1, 4000)
    residual = random.normal(0, np.sqrt(2.0), 4000)
    corrections = refine_noise(mean, random.uniform(size=4000), residual, np.ones(4000))
    assert [factor for _, factor in corrections] == pytest.approx([2.0] * 2, rel=0.15)


def test_noise_that_differs_with_the_signal_is_found_at_each_signal() -> None:
    random = np.random.default_rng(0)
    mean = np.sort(random.uniform(0, 1, 12000))
    residual = random.normal(size=12000) * np.sqrt(0.5 + mean)
    corrections = refine_noise(mean, random.uniform(size=12000), residual, np.ones(12000))
    assert len(corrections) == 8
    for place, factor in corrections:
        assert factor == pytest.approx(0.5 + place, rel=0.3)


def test_errors_where_the_network_is_unsure_do_not_count_as_noise() -> None:
    random = np.random.default_rng(0)
    variance = np.where(np.arange(4000) % 2, 5.0, 0.01)
    residual = random.normal(size=4000) * np.sqrt(1 + variance)
    corrections = refine_noise(random.uniform(size=4000), variance, residual, np.ones(4000))
    assert all(factor < 1.3 for _, factor in corrections)


def test_too_few_pixels_tell_nothing() -> None:
    few = np.ones(50)
    assert refine_noise(few, few, few, few) == ()


def test_an_outlier_does_not_decide() -> None:
    residual = np.random.default_rng(0).normal(size=2000)
    residual[:3] = 1e6
    flat = np.ones(2000)
    ((_, factor),) = refine_noise(flat, flat, residual, flat)
    assert factor == pytest.approx(1.0, rel=0.5)
