"""Image quality: ours and the baselines on the same images, in one run.

    python benchmarks/quality.py DATA [--sets confocal,natural] [--presets fast,balanced]

Prints a row for each image and method, then the means. BM3D joins in where the package `bm3d`
is installed (it is free for non-commercial use only, so it is never a dependency).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import data
import numpy as np
import torch
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.benchmark import METHODS, Pair, Row, table
from napari_noise2self.metrics import psnr, ssim
from napari_noise2self.stabilise import Stabiliser

Method = Callable[[Pair], NDArray]


def main() -> None:
    options = _options()
    methods = dict(_methods(options.presets.split(","), options.prediction))
    for name in options.sets.split(","):
        rows = []
        for pair in data.load(options.data, name):
            for method, function in methods.items():
                rows.append(_measure(name, pair, method, function))
                print(f"{name:<14}", rows[-1].line(), flush=True)
        for row in table(rows):
            print(f"{name:<14}", row.line(), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(data.SETS))
    parser.add_argument("--presets", default="fast,balanced")
    parser.add_argument("--prediction", default="posterior")
    return parser.parse_args()


def _methods(presets: list[str], prediction: str) -> Iterator[tuple[str, Method]]:
    yield from METHODS.items()
    try:
        import bm3d
    except ImportError:
        pass
    else:
        yield "gat+bm3d", lambda pair: _stabilised_bm3d(pair, bm3d.bm3d)
    for preset in filter(None, presets):
        settings = Settings(preset=preset, prediction=prediction)
        yield (
            f"ours {preset}",
            lambda pair, s=settings: Denoiser(s).fit(pair.noisy).denoise(pair.noisy),
        )


def _stabilised_bm3d(pair: Pair, bm3d: Callable[..., NDArray]) -> NDArray:
    """BM3D between the generalised Anscombe transform and its inverse, noise fitted blindly."""
    stabiliser = Stabiliser.fit([pair.noisy])
    stable = stabiliser.forward(pair.noisy).double().numpy()
    clean = bm3d(stable, sigma_psd=stabiliser.scale)
    return stabiliser.inverse(torch.from_numpy(np.asarray(clean)).float())


def _measure(name: str, pair: Pair, method: str, function: Method) -> Row:
    started = time.monotonic()
    image = function(pair)
    seconds = time.monotonic() - started
    image = data.comparable(name, pair.clean, image)
    return Row(pair.name, method, psnr(pair.clean, image), ssim(pair.clean, image), seconds)


if __name__ == "__main__":
    main()
