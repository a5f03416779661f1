"""The training loop of the Noise2Self paper, written afresh: the baseline for time.

    python benchmarks/paper_loop.py NOISY.tif CLEAN.tif [--steps 500] [--crop SIDE]

DnCNN of 8 layers, grid partition of size 4, Adam at 0.01, each step on the full image, hidden
pixels replaced by their neighbours' mean, plain mean squared error (Batson & Royer 2019). Then
our `fast` preset on the same image, and the ratio of the times.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.images import read_image

GRID = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("noisy", type=Path)
    parser.add_argument("clean", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--crop", type=int, help="use only the first rows and columns")
    options = parser.parse_args()
    window = (slice(options.crop),) * 2
    noisy, clean = (read_image(path).data[window] for path in (options.noisy, options.clean))

    started = time.monotonic()
    ours = Denoiser(Settings(preset="fast")).fit(noisy).denoise(noisy)
    our_seconds = time.monotonic() - started
    print(f"ours, fast   {psnr(clean, ours):6.2f} dB  {our_seconds:7.1f} s", flush=True)

    started = time.monotonic()
    for step, image in paper_loop(noisy, options.steps):
        seconds = time.monotonic() - started
        print(f"paper {step:>5}  {psnr(clean, image):6.2f} dB  {seconds:7.1f} s", flush=True)
    print(f"time ratio   {seconds / our_seconds:.0f}")


def paper_loop(noisy: NDArray, steps: int):
    """Train on the full image; yield the J-invariant result five times on the way."""
    torch.manual_seed(0)
    low, span = float(noisy.min()), float(np.ptp(noisy))
    image = torch.from_numpy((noisy.astype(np.float32) - low) / span)[None, None]
    network = dncnn()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for step in range(1, steps + 1):
        network.train()
        hidden = grid_mask(image.shape, step % GRID**2)
        output = network(interpolated(image, hidden))
        loss = functional.mse_loss(output * hidden, image * hidden)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % max(1, steps // 5) == 0:
            yield step, j_invariant(network, image)[0, 0].numpy() * span + low


def dncnn(layers: int = 8, width: int = 64) -> nn.Sequential:
    """Convolution, batch normalisation and ReLU, as in Zhang et al. 2017."""
    blocks: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1, bias=False), nn.ReLU()]
    for _ in range(layers - 2):
        blocks += [nn.Conv2d(width, width, 3, padding=1, bias=False)]
        blocks += [nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*blocks, nn.Conv2d(width, 1, 3, padding=1, bias=False))


def grid_mask(shape: torch.Size, phase: int) -> Tensor:
    mask = torch.zeros(shape)
    mask[..., phase // GRID :: GRID, phase % GRID :: GRID] = 1
    return mask


def interpolated(image: Tensor, hidden: Tensor) -> Tensor:
    kernel = torch.tensor([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]])
    mean = functional.conv2d(image, (kernel / kernel.sum())[None, None], padding=1)
    return mean * hidden + image * (1 - hidden)


@torch.no_grad()
def j_invariant(network: nn.Module, image: Tensor) -> Tensor:
    network.eval()
    result = torch.zeros_like(image)
    for phase in range(GRID**2):
        hidden = grid_mask(image.shape, phase)
        result += network(interpolated(image, hidden)) * hidden
    return result


if __name__ == "__main__":
    main()
