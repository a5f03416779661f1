"""What is drawn of a partition is what the training hides, and what the network sees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.partition.view import HIDDEN, NEIGHBOUR, VISIBLE, draw, filled

SIZES = {"grid": (2, 10), "random": (2, 400)}
KINDS = ["horizontal", "vertical", "plus", "square"]
EXCLUSIONS = st.just(Exclusion()) | st.builds(Exclusion, st.sampled_from(KINDS), st.integers(1, 4))
SEEDS = st.integers(0, 2**31 - 1)
SHAPES = st.tuples(st.integers(1, 150), st.integers(1, 40))


@st.composite
def partitions(choose: Callable[..., Any]) -> Partition:
    """Any partition, also those that the settings would enlarge."""
    kind = choose(st.sampled_from(["grid", "random"]))
    size = choose(st.integers(*SIZES[kind]))
    return Partition(kind, size, choose(SEEDS), choose(EXCLUSIONS))


@settings(deadline=None)
@given(partitions(), SHAPES, st.data())
def test_drawing_is_what_the_training_hides(
    partition: Partition, shape: tuple[int, int], data: st.DataObject
) -> None:
    subset = data.draw(st.integers(0, partition.n_subsets - 1))
    targets = partition.labels(shape)[0] == subset
    hidden = partition.hide(targets[None, None])[0, 0]
    expected = torch.where(targets, HIDDEN, torch.where(hidden, NEIGHBOUR, VISIBLE))
    np.testing.assert_array_equal(draw(partition, shape, subset), expected.numpy())


@pytest.mark.parametrize("method", ["interpolate", "zero"])
@pytest.mark.parametrize("exclusion", [Exclusion(), Exclusion("plus", 2)])
def test_filled_plane_is_the_cores_fill(exclusion: Exclusion, method: str) -> None:
    image = np.random.default_rng(0).poisson(50, (3, 31, 29)).astype(np.uint16)
    partition = Partition("grid", 5, 3, exclusion)
    hidden = torch.from_numpy(draw(partition, (31, 29), 4) > VISIBLE)[None, None]
    mean = image.mean(axis=(1, 2))[:, None, None]
    centred = torch.from_numpy(image - mean)[None]
    expected = partition.fill(centred, hidden, method)[0].numpy() + mean
    np.testing.assert_allclose(filled(image, partition, 4, method), expected, rtol=1e-5)


def test_visible_pixels_stay_as_they_are() -> None:
    image = np.random.default_rng(0).normal(1e4, 30, (1, 40, 40)).astype(np.float32)
    partition = Partition("grid", 4)
    visible = draw(partition, (40, 40), 5) == VISIBLE
    seen = filled(image, partition, 5, "interpolate")[0]
    np.testing.assert_allclose(seen[visible], image[0][visible], rtol=1e-6)
    assert (seen != image[0])[~visible].all()


def test_hidden_pixels_are_not_read() -> None:
    """But for the mean of the whole plane, which no single pixel moves."""
    image = np.zeros((1, 40, 40), np.float32)
    partition = Partition("grid", 4)
    image[0][draw(partition, (40, 40), 5) == HIDDEN] = 900
    np.testing.assert_allclose(filled(image, partition, 5, "interpolate"), 0, atol=1e-3)


def test_pixels_without_a_value_are_filled_too() -> None:
    image = np.full((2, 20, 20), 7.0)
    image[0, 3, 3], image[1, 9, 9] = np.nan, np.inf
    np.testing.assert_allclose(filled(image, Partition(), 0, "interpolate"), 7, rtol=1e-6)
    nothing = np.full((1, 8, 8), np.nan)
    assert np.isfinite(filled(nothing, Partition(), 0, "interpolate")).all()


def test_drawing_does_not_load_torch() -> None:
    code = (
        "import sys\n"
        "from napari_noise2self.partition import Partition\n"
        "from napari_noise2self.partition.view import draw\n"
        "from napari_noise2self.settings import Settings\n"
        "draw(Partition.from_settings(Settings(exclusion='plus')), (50, 50), 3)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
