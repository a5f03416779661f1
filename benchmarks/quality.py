"""Image quality: ours and the baselines on the same images, in one run.

    python benchmarks/quality.py DATA [--sets confocal,natural] [--presets fast,balanced]

Prints a line for each image and method, then the means. BM3D joins in where the package `bm3d`
is installed (it is free for non-commercial use only, so it is never a dependency).

Two PSNRs are given. The first is against the clean image as it is. For the second, *aligned*, the
clean image is first moved by the fraction of a pixel by which the noisy one lies beside it: the
sample drifts while a microscope gathers the frames whose mean is called clean, and against a
displaced reference a blurred image scores better than a sharp one. The shift is measured between
noisy and clean image, whatever the method.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import data
import numpy as np
import torch
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.calibration import calibrate
from napari_noise2self.cli.benchmark import METHODS, Pair
from napari_noise2self.figures.metrics import data_range, psnr, ssim
from napari_noise2self.noise.stabilise import Stabiliser

Method = Callable[[Pair], tuple[NDArray[Any], "float | None"]]
"""Returns a denoised image, and its PSNR as estimated without the clean one."""


@dataclass(frozen=True)
class Score:
    """One method on one image; PSNRs in dB."""

    file: str
    method: str
    psnr: float
    aligned: float
    ssim: float
    estimated: float | None
    seconds: float

    def line(self) -> str:
        """Return the score for people."""
        estimated = "" if self.estimated is None else f"  estimated {self.estimated:.2f}"
        return (
            f"{self.file:<24} {self.method:<16} {self.psnr:6.2f} dB  aligned {self.aligned:6.2f}"
            f"  SSIM {self.ssim:.4f}  {self.seconds:6.1f} s{estimated}"
        )


def main() -> None:
    options = _options()
    methods = dict(_methods(options))
    for name in options.sets.split(","):
        scores = []
        for pair in data.load(options.data, name):
            for method, function in methods.items():
                scores.append(_measure(name, pair, method, function))
                print(f"{name:<14}", scores[-1].line(), flush=True)
        for method in methods:
            print(f"{name:<14}", mean([s for s in scores if s.method == method]).line())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(data.SETS))
    parser.add_argument("--presets", default="fast,balanced")
    parser.add_argument("--starts", default="pretrained")
    parser.add_argument("--exclusion", default="auto")
    parser.add_argument("--max-seconds", type=float, help="on a busy machine: steps count then")
    parser.add_argument("--no-baselines", action="store_true")
    return parser.parse_args()


def _methods(options: argparse.Namespace) -> Iterator[tuple[str, Method]]:
    if not options.no_baselines:
        for name, function in METHODS.items():
            yield name, lambda pair, f=function: (f(pair), None)
        yield "classic", lambda pair: (calibrate(pair.noisy).denoise(pair.noisy), None)
        try:
            import bm3d
        except ImportError:
            pass
        else:
            yield "gat+bm3d", lambda pair: (_stabilised_bm3d(pair, bm3d.bm3d), None)
    presets = filter(None, options.presets.split(","))
    for preset, start in itertools.product(presets, options.starts.split(",")):
        settings = Settings(
            preset=preset, start=start, exclusion=options.exclusion, max_seconds=options.max_seconds
        )
        yield f"{preset} {start}", lambda pair, s=settings: _ours(pair, s)


def _ours(pair: Pair, settings: Settings) -> tuple[NDArray[Any], float | None]:
    result = Denoiser(settings).fit(pair.noisy).result(pair.noisy)
    return result.image, result.figures["estimated_psnr"]


def _stabilised_bm3d(pair: Pair, bm3d: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    """BM3D between the generalised Anscombe transform and its inverse, noise fitted blindly."""
    stabiliser = Stabiliser.fit([pair.noisy])
    stable = stabiliser.forward(pair.noisy).double().numpy()
    clean = bm3d(stable, sigma_psd=stabiliser.scale)
    return stabiliser.inverse(torch.from_numpy(np.asarray(clean)).float())


def _measure(name: str, pair: Pair, method: str, function: Method) -> Score:
    started = time.monotonic()
    image, estimated = function(pair)
    return score(name, pair, method, image, time.monotonic() - started, estimated)


def score(
    name: str,
    pair: Pair,
    method: str,
    image: NDArray[Any],
    seconds: float,
    estimated: float | None = None,
) -> Score:
    """Compare the denoised image of a pair of the set `name` with the clean one."""
    image = data.comparable(name, pair.clean, image)
    error = float(np.mean((data.aligned(pair) - image) ** 2))
    aligned = 10 * math.log10(data_range(pair.clean) ** 2 / error)
    scores = psnr(pair.clean, image), aligned, ssim(pair.clean, image)
    return Score(pair.name, method, *scores, estimated, seconds)


def mean(scores: list[Score]) -> Score:
    values = (fmean(getattr(s, name) for s in scores) for name in ("psnr", "aligned", "ssim"))
    seconds = fmean(score.seconds for score in scores)
    return Score("mean", scores[0].method, *values, None, seconds)


if __name__ == "__main__":
    main()
