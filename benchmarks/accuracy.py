"""Estimated against true PSNR: on real images, natural ones with noise, and simulated ones.

    python benchmarks/accuracy.py DATA [--sets confocal,simulated] [--preset fast] [--steps 0]

Prints a line for each image, then how many estimates of each set are within 1 dB. Variances are in
units of the noise variance that was measured blindly:

- *noise*: the true one, of noisy minus clean, after stabilisation;
- *error*: the mean squared error of the result there; and *doubt*, by which the network's own is
  multiplied.

PSNR is over the range of the clean image. What is called clean in the FMD data is the mean of 50
frames, the noisy one among them, of a sample that drifts meanwhile. So the clean image is moved to
its place (see `quality.py`), and *true* is without the 50th part of the noise variance that such a
mean has itself, and without the difference of the mean brightness of both; *as it is* is with both.
The clean images of w2s were scaled by themselves: they are brought to the scale of the noisy ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

import data
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.metrics import data_range
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.pretraining.structures import LEFT_OUT, STRUCTURES

_FRAMES, _FRAMES_OF_W2S = 50, 400  # whose mean is called clean; the first in the FMD data
_SIDE = 320  # of simulated images
_SIGMAS = (10, 25, 50)


@dataclass(frozen=True)
class Case:
    """A noisy image, the clean one at the same place, and of how many frames that is the mean."""

    name: str
    noisy: NDArray[Any]
    clean: NDArray[np.float64]
    span: float
    frames: float = np.inf


@dataclass(frozen=True)
class Line:
    """What was found of one image; PSNRs in dB."""

    noise: float
    error: float
    doubt: float
    loss: float
    estimated: float
    true: float
    as_it_is: float

    def __str__(self) -> str:
        return (
            f"noise {self.noise:.3f}  loss {self.loss:.3f}  error {self.error:.4f}  doubt "
            f"{self.doubt:.2f}  estimated {self.estimated:.2f}  true {self.true:.2f}  as it is "
            f"{self.as_it_is:.2f}  flatters by {self.estimated - self.true:+.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--sets", default="confocal,fmd-twophoton,fmd-widefield,w2s,natural,simulated"
    )
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--count", type=int, default=40, help="simulated images")
    parser.add_argument("--first", type=int, default=1000, help="seed of the first of them")
    options = parser.parse_args()
    settings = Settings(preset=options.preset, max_steps=options.steps)
    for name in options.sets.split(","):
        lines: dict[str, list[Line]] = {}
        cases = (
            _simulated(options.first, options.count)
            if name == "simulated"
            else _load(options.data, name)
        )
        for group, case in cases:
            line = _measure(case, settings)
            print(f"{group:<22} {case.name:<24}", line or "no estimate", flush=True)
            if line:
                lines.setdefault(group, []).append(line)
        for group, found in [*lines.items(), (name, [*chain(*lines.values())])]:
            excess = [line.estimated - line.true for line in found]
            near = sum(abs(each) <= 1 for each in excess)
            print(f"{group:<22} mean {fmean(excess):+.2f} dB  within 1 dB: {near} of {len(found)}")


def _load(root: Path, name: str) -> Iterator[tuple[str, Case]]:
    """Return real images, or natural ones with Gaussian noise."""
    if name == "natural":
        for sigma in _SIGMAS:
            for pair in data._with_noise(root / "natural" / "clean", sigma, 0, 0):
                clean = pair.clean.astype(float)
                yield f"natural, sigma {sigma}", Case(pair.name, pair.noisy, clean, np.ptp(clean))
        return
    for pair in data.load(root, name):
        clean = data.comparable(name, pair.noisy, data.aligned(pair))
        frames = _FRAMES_OF_W2S if name == "w2s" else _FRAMES
        yield name, Case(pair.name, pair.noisy, clean, data_range(pair.clean), frames)


def _simulated(first: int, count: int) -> Iterator[tuple[str, Case]]:
    """Draw scenes of all kinds, with all kinds of noise: white, and every third correlated."""
    kinds = [*STRUCTURES, *LEFT_OUT]
    for number in range(count):
        random = np.random.default_rng(first + number)
        kind = kinds[number // 2 % len(kinds)] if number % 2 else None
        scene = draw_scene(random, (_SIDE, _SIDE), kind).astype(float)
        if not scene.any():
            continue
        gain, peak, read = (np.exp(random.uniform(*np.log(ends))) for ends in _CAMERAS)
        light = peak * (scene + random.choice([0.01, 0.1]))
        read = {"gaussian": peak / np.exp(random.uniform(np.log(3), np.log(60)))}.get(
            law := ("gaussian", "poisson", "both")[number % 3], read * (number % 3 == 2)
        )
        counts = light if law == "gaussian" else random.poisson(light)
        noise = counts - light + read * random.standard_normal(light.shape)
        share = (0.0, 0.0, 0.06)[number // 3 % 3]
        taps = np.array([share, 1, share]) / np.hypot(1, np.sqrt(2) * share)
        for axis in (0, 1):
            noise = ndimage.correlate1d(noise, taps, axis, mode="wrap")
        clean = 100 + gain * light
        noisy = (clean + gain * noise).astype(np.float32)
        group = f"{law}{', correlated' if share else ''}"
        yield group, Case(f"{number} {kind or 'mixed'}", noisy, clean, np.ptp(clean))


_CAMERAS = (0.5, 8), (8, 300), (0.3, 3)
"""Limits of gain, peak and read noise; the last two in photons."""


def _measure(case: Case, settings: Settings) -> Line | None:
    denoiser = Denoiser(settings).fit(case.noisy)
    result = denoiser.result(case.noisy)
    stabiliser, (found,) = denoiser.stabilisers[0], denoiser.record.noise_refinements
    estimated = result.figures["estimated_psnr"]
    if estimated is None or found is None:
        return None
    assumed = stabiliser.scale**2
    noisy, denoised = (stabiliser.forward(each).numpy() for each in (case.noisy, result.image))
    clean = _expectation(stabiliser, case.clean)
    residual = case.noisy - result.image
    error = np.mean((result.image - case.clean) ** 2)
    # a mean of frames, this one among them, errs by their share of the noise; what of that is in
    # the result too is not seen
    own = 0.0
    if np.isfinite(case.frames):
        noise = case.noisy - case.clean
        kept = 1 - np.sum(residual * noise) / np.sum(noise**2)
        own = noise.var() / case.frames * (1 - 2 * kept) + noise.mean() ** 2
    return Line(
        noise=float(np.mean((noisy - clean) ** 2) / assumed),
        error=float(np.mean((denoised - clean) ** 2) / assumed),
        doubt=found.doubt,
        loss=denoiser.record.held_out_loss,
        estimated=estimated,
        true=10 * np.log10(case.span**2 / (error - own)),
        as_it_is=10 * np.log10(case.span**2 / error),
    )


def _expectation(stabiliser: Stabiliser, clean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what stabilised pixels are on average: what their exact inverse undoes."""
    lowest = max(clean.min(), stabiliser.grey_noise.darkest)  # what is darker has no value there
    ends = stabiliser.forward(np.array([[lowest, 2 * clean.max()]])).numpy().ravel()
    stable = torch.linspace(float(ends[0]) - 2, float(ends[1]) + 1, 20_000)
    levels = stabiliser.inverse(stable)
    rising = np.diff(levels, prepend=-np.inf) > 0  # below no photon, it is flat
    return np.interp(clean, levels[rising], stable.numpy()[rising])


if __name__ == "__main__":
    main()
