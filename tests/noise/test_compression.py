"""Images that were compressed in blocks, and those that only look a little like it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self.noise.compression import in_blocks
from simulate import jpeg, smooth_scene


def _boxes(side: int, seed: int) -> NDArray[np.float64]:
    """Boxes anywhere: their few edges have larger steps than all other pixels."""
    random = np.random.default_rng(seed)
    image = np.zeros((side, side))
    for _ in range(side // 2):
        (top, left), (height, width) = random.integers(0, side - 20, 2), random.integers(5, 60, 2)
        image[top : top + height, left : left + width] = random.integers(0, 250)
    return image


def _noise(side: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((side, side))


def _noisy(side: int, seed: int = 0) -> NDArray[np.float64]:
    return 100 * smooth_scene((side, side), seed) + 10 * _noise(side, seed)


@pytest.mark.parametrize("side", [72, 128, 256])
def test_blocks_are_seen_wherever_they_begin(side: int) -> None:
    image = jpeg(_noisy(side))
    assert in_blocks([image])
    assert in_blocks([image[3:, 5:]])


def test_many_planes_are_looked_at_together() -> None:
    assert in_blocks([jpeg(_noisy(96, seed)) for seed in range(3)])


def test_small_planes_tell_nothing_and_do_not_silence_others() -> None:
    small = jpeg(_noisy(56))
    assert not in_blocks([small])
    assert in_blocks([jpeg(_noisy(96)), small])


def test_missing_pixels_are_passed_over() -> None:
    image = jpeg(_noisy(128))
    image[20:50, 30:90] = np.nan
    image[70:75] = np.inf
    assert in_blocks([image])


@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_boxes_of_the_specimen_are_no_compression(noise: float) -> None:
    """As on chips; of such images, one in two was taken for it, with noise one in ten."""
    for seed in range(20):
        for side in (128, 256):
            image = _boxes(side, seed) + noise * _noise(side, seed)
            assert not in_blocks([image])


def _pattern(kind: str) -> NDArray[np.float64]:
    y, x = np.indices((160, 160))
    cells = np.random.default_rng(0).uniform(0, 1, (40, 40))
    return {
        "checkers of 8": ((y // 8 + x // 8) % 2).astype(float),
        "checkers of 4": ((y // 4 + x // 4) % 2).astype(float),
        "grid": ((y % 8 < 2) | (x % 8 < 2)).astype(float),
        "wells": (np.hypot(y % 8 - 3.5, x % 8 - 3.5) < 3).astype(float),
        "mosaic": cells[y // 8, x // 8],
    }[kind]


@pytest.mark.parametrize("photons", [3, 20, 200])
@pytest.mark.parametrize("kind", ["checkers of 8", "checkers of 4", "grid", "wells", "mosaic"])
def test_regular_patterns_in_camera_noise_are_no_compression(kind: str, photons: float) -> None:
    noisy = np.random.default_rng(1).poisson(photons * (1 + 4 * _pattern(kind))).astype(float)
    assert not in_blocks([noisy])
    assert not in_blocks([noisy / noisy.std() - 1])


def test_a_pattern_that_was_compressed_is_compressed() -> None:
    assert in_blocks([jpeg(_noisy(160) + 50 * _pattern("mosaic"))])


@pytest.mark.parametrize(
    "image",
    [
        _noisy(128),
        np.zeros((128, 128)),
        np.full((128, 128), np.nan),
        jpeg(_noisy(128))[:60],
        np.add.outer(jpeg(_noisy(128))[:, 0], np.zeros(128)),
    ],
    ids=["noise", "flat", "missing", "small", "one way only"],
)
def test_others(image: NDArray[np.float64]) -> None:
    assert not in_blocks([image])
