"""Fixtures that many tests share."""

import os
import signal

import numpy as np
import pytest

from napari_noise2self import Settings
from napari_noise2self.samples import simulate_cells

os.environ.setdefault("NAPARI_STRICT_QT", "1")  # a widget left behind fails its test
os.environ["NAPARI_CONFIG"] = ""  # the user's own settings are neither read nor written
# a shell makes its background jobs, and all that they start, ignore interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def noisy():
    """A small noisy image: uint16, 64 × 64."""
    return simulate_cells(64).noisy


@pytest.fixture
def stack():
    """Three noisy planes, none square: uint16, 3 × 48 × 64."""
    return np.stack([simulate_cells(64, seed=seed).noisy[:48] for seed in range(3)])


@pytest.fixture
def tiny():
    """Settings for a training that takes a fraction of a second."""
    return Settings(
        preset="fast",
        partition_size=2,
        width=4,
        depth=1,
        patch_size=16,
        batch_size=2,
        max_steps=5,
        device="cpu",
        mixed_precision=False,
    )
