"""The optimiser does what PyTorch's does, and loads no compiler for it."""

from __future__ import annotations

import subprocess
import sys

from descent import assert_steps_are_those_of_adamw
from napari_noise2self.training.optimizer import AdamW


def test_steps_are_those_of_pytorch() -> None:
    assert_steps_are_those_of_adamw(AdamW)


def test_training_loads_no_compiler() -> None:
    """It would take a second, and hold up a dock that waits for it."""
    code = (
        "import sys, numpy; from napari_noise2self import denoise;"
        "denoise(numpy.eye(40), preset='fast', max_steps=2, start='fresh', width=4, device='cpu');"
        "assert 'torch' in sys.modules; assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
