"""Whether pretrained weights invent anything: pure noise, and structure they never saw.

    python benchmarks/head_start.py

*Flat*: what is left of pure noise, as a share of its standard deviation, for white and for
correlated noise (with the exclusion that *auto* chooses). *Left out*: simulated images of a kind
that was in no pre-training, PSNR from pretrained weights and from a fresh start.
"""

from __future__ import annotations

import argparse
import time
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.pretraining.structures import LEFT_OUT

NOISES = {
    "white": (0.0, 0.0),
    "across 0.68": (0.0, 0.8),
    "both 0.47": (0.58, 0.58),
    "both 0.68": (0.8, 0.8),
}
"""Blur in pixels along each axis; the numbers are the correlation of next neighbours."""
RUNS: list[dict[str, object]] = [
    {"preset": "fast", "max_steps": 0},
    {"preset": "fast"},
    {"preset": "balanced"},
    {"preset": "balanced", "start": "fresh"},
]
SIDE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4, help="images of each kind left out")
    options = parser.parse_args()
    for name, blur in NOISES.items():
        noise = correlated_noise(blur)
        for run in RUNS:
            image, note = denoised(100 + 10 * noise, run)
            print(f"flat {name:<12} {note}: {image.std() / 10:.1%} of the noise", flush=True)
    for kind in LEFT_OUT:
        scenes = [left_out(kind, seed) for seed in range(options.images)]
        for run in RUNS:
            scores = []
            for clean, noisy in scenes:
                image, note = denoised(noisy, run)
                scores.append(psnr(clean, image))
            print(f"{kind:<12} {note}: {fmean(scores):.2f} dB", flush=True)


def denoised(image: NDArray[np.float64], run: dict[str, object]) -> tuple[NDArray[np.float32], str]:
    """Denoise, and say how that was done."""
    started = time.monotonic()
    denoiser = Denoiser(Settings(**run, max_seconds=1000)).fit(image)
    result = denoiser.denoise(image)
    note = (
        f"{run['preset']} {denoiser.figures['start']:<10} best step {denoiser.record.best_step:>4} "
        f"of {denoiser.record.steps:<4} {denoiser.partition.exclusion.name:<34} "
        f"{time.monotonic() - started:5.1f} s"
    )
    return result, note


def correlated_noise(blur: tuple[float, float]) -> NDArray[np.float64]:
    noise = np.random.default_rng(1).standard_normal((SIDE, SIDE))
    noise = ndimage.gaussian_filter(noise, blur, mode="wrap")
    return noise / noise.std()


def left_out(kind: str, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a clean scene of amplitude 15, and it with noise of standard deviation 1."""
    random = np.random.default_rng((77, seed))
    clean = 15.0 * draw_scene(random, (SIDE, SIDE), kind)
    return clean, clean + random.standard_normal(clean.shape)


if __name__ == "__main__":
    main()
