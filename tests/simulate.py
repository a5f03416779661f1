"""Images and networks that the tests make for themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft, ndimage
from torch import Tensor, nn

from napari_noise2self.networks import DnCNN, Network, UNet
from napari_noise2self.noise.correlation import Correlation
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from napari_noise2self.probe.whitening import Whitening

torch.set_num_threads(1)  # threads that wait for each other make tiny networks slow

TINY: dict[str, Any] = {
    "preset": "fast",
    "start": "fresh",
    "width": 4,
    "depth": 1,
    "patch_size": 16,
    "batch_size": 2,
    "device": "cpu",
}
"""Settings of the smallest training there is."""


def smooth_scene(shape: tuple[int, ...] = (64, 64), seed: int = 0) -> NDArray[np.float64]:
    """Soft blobs between 0 and 1, many dim and few bright."""
    random = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(random.standard_normal(shape), 5, mode="wrap")
    scene -= scene.min()
    return (scene / max(scene.max(), 1e-9)) ** 2


def stable_plane(noise: float, seed: int = 0, side: int = 48) -> Tensor:
    """A smooth scene (1, side, side) of standard deviation 1 with known noise: easy to denoise."""
    scene = torch.from_numpy(smooth_scene((side, side), seed)).float()
    scene = (scene - scene.mean()) / scene.std()
    fresh = torch.randn(scene.shape, generator=torch.Generator().manual_seed(seed))
    return (scene + noise * fresh)[None]


def camera(
    photons: NDArray[np.float64],
    gain: float = 1.0,
    read_noise: float = 0.0,
    offset: float = 0.0,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Grey levels that a camera shows for an expected number of photons at each pixel."""
    random = np.random.default_rng(seed)
    noise = read_noise * random.standard_normal(photons.shape)
    return gain * random.poisson(photons) + offset + noise


def awake(network: Network, seed: int = 0) -> Network:
    """Give the last layer random weights: it starts at zero, and would ignore every input."""
    random = torch.Generator().manual_seed(seed)
    head = network.head
    assert isinstance(head, nn.Conv2d)
    with torch.no_grad():
        head.weight.normal_(0, head.in_channels**-0.5, generator=random)
    return network.eval()


def awake_network(
    kind: str = "unet", channels: int = 1, depth: int = 1, seed: int = 0, adjacent: int = 0
) -> Network:
    """A tiny network with random weights, whose output depends on its input."""
    make = {"unet": UNet, "dncnn": DnCNN}[kind]
    torch.manual_seed(seed)
    return awake(make(channels, 4, depth, adjacent), seed)


def gaussian_noise(*variances: float) -> StableNoise:
    """The noise of stabilised channels of these variances; 0 where it is not known."""
    return StableNoise.of(
        [
            Stabiliser(0.0, 1.0, NoiseModel(0.0, 1.0, variance > 0), scale=variance**0.5 or 0.2)
            for variance in variances
        ]
    )


def psnr(image: NDArray[Any], clean: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio in decibels."""
    error = np.mean((image.astype(np.float64) - clean) ** 2)
    return float(10 * np.log10(np.ptp(clean) ** 2 / error))


def levels(shape: tuple[int, ...] = (24, 24), seed: int = 0) -> NDArray[np.float64]:
    """Noisy grey levels between 0 and 127, which fit into every dtype."""
    noisy = camera(60 * smooth_scene(shape, seed) + 3, read_noise=1, offset=10, seed=seed)
    return np.clip(np.rint(noisy), 0, 127)


def behind_round_aperture(widest: float, side: int = 192, seed: int = 1) -> NDArray[np.float64]:
    """Noise of variance 1 with no frequency above `widest`, in units of half a cycle a pixel."""
    frequencies = fft.fftfreq(side) * 2
    passed = np.hypot(frequencies[:, None], frequencies) < widest
    white = np.random.default_rng(seed).standard_normal((side, side))
    noise = fft.ifft2(fft.fft2(white) * passed).real
    return np.asarray(noise / noise.std())


ALIKE = Correlation((0.45, 0.07, 0.0), (0.45, 0.07, 0.0), 0.2)
"""Of noise that was blurred a little."""


def whitening(variance: float = 1.0) -> Whitening:
    """That of noise like `ALIKE`."""
    line = np.array([0, 0, 0, 0.07, 0.45, 1, 0.45, 0.07, 0, 0, 0])
    table = variance * np.outer(line, line)
    return Whitening(tuple(tuple(map(float, row)) for row in table))


def jpeg(image: NDArray[Any], step: float = 50.0) -> NDArray[np.float64]:
    """What the compression of JPEG leaves: each 8×8 block's cosines in coarse steps."""
    blocks = image.reshape(image.shape[0] // 8, 8, image.shape[1] // 8, 8)
    steps = step * (1 + np.add.outer(np.arange(8), np.arange(8)) / 4)[None, :, None, :]
    cosines = np.rint(fft.dctn(blocks, axes=(1, 3), norm="ortho") / steps) * steps
    decoded = fft.idctn(cosines, axes=(1, 3), norm="ortho").reshape(image.shape)
    return np.asarray(np.rint(decoded).clip(0, 255))
