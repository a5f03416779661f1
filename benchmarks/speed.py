"""Speed: whole commands, imports, and how much of a training step is our own overhead.

python benchmarks/speed.py IMAGE.tif
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from napari_noise2self import Control, Settings
from napari_noise2self.devices import describe_device, fastest_precision, resolve_device
from napari_noise2self.images import read_image
from napari_noise2self.networks import create_network
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from napari_noise2self.partition import Partition
from napari_noise2self.training.trainer import Trainer

STEPS = 150


def main() -> None:
    path = Path(sys.argv[1])
    print(f"torch {torch.__version__}, {describe_device(resolve_device())}")
    print(f"import napari_noise2self   {_imports():6.3f} s")
    print(f"napari-noise2self --help   {_command('--help'):6.3f} s")
    for preset in ("fast", "balanced"):
        with tempfile.TemporaryDirectory() as folder:
            seconds = _command("denoise", str(path), "--output", folder, "--preset", preset)
        print(f"denoise --preset {preset:<9} {seconds:6.1f} s")
    bare, whole = _steps_per_second(path)
    print(f"bare steps                 {bare:6.1f} /s")
    print(f"training steps             {whole:6.1f} /s  ({whole / bare:.0%} of bare)")


def _imports() -> float:
    """Return what the import adds to the start of the interpreter, best of five."""

    def start(code: str) -> float:
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.monotonic() - started

    bare = min(start("pass") for _ in range(5))
    return min(start("import napari_noise2self") for _ in range(5)) - bare


def _command(*arguments: str) -> float:
    """Return the seconds of a whole command, from its start to its end."""
    code = "from napari_noise2self.cli import main; main()"
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    return time.monotonic() - started


def _steps_per_second(path: Path) -> tuple[float, float]:
    """Return optimiser steps per second: bare, and in our loop with its evaluations."""
    settings = Settings(max_steps=STEPS, max_seconds=3600)
    bare = _bare_steps(settings)
    noisy = read_image(path).data
    stabiliser = Stabiliser.fit([noisy])
    for _ in range(2):  # the first stretch pays for what PyTorch loads and compiles once
        trainer = Trainer(
            create_network(settings).to(resolve_device()),
            [stabiliser.forward(noisy)[None]],
            StableNoise.of([stabiliser]),
            Partition.from_settings(settings),
            settings,
        )
        whole = [progress.seconds for progress in trainer.run(Control())]
    return max(bare, _bare_steps(settings)), trainer.record.steps / whole[-1]


def _bare_steps(settings: Settings) -> float:
    """Forward, backward and optimiser step on data already in place, best of three stretches."""
    device = resolve_device()
    precision = fastest_precision(device)
    network = create_network(settings).to(device)
    precision.arrange(network)
    optimizer = torch.optim.AdamW(network.parameters(), settings.budget.learning_rate, foreach=True)
    shape = (settings.batch_size, 1, settings.patch_size, settings.patch_size)
    image = torch.randn(shape, device=device).to(memory_format=precision.memory_format)

    def step() -> None:
        with precision.autocast(device):
            mean, raw = network(image)
        loss = ((mean - image).square() + raw.square()).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    speeds = []
    for _ in range(4):
        started = time.monotonic()
        for _ in range(STEPS // 4):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        speeds.append(STEPS // 4 / (time.monotonic() - started))
    return max(speeds[1:])


if __name__ == "__main__":
    main()
