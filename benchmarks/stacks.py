"""What adjacent planes of a stack are worth: with and without them, same noise, same settings.

    python benchmarks/stacks.py DATA --presets fast

*Films* are clean images that stay, or drift by some pixels from frame to frame; *volume* is a real
confocal stack, taken for clean. Noise is added to each plane (seed 0). PSNR of the middle planes.
*Real* stacks have no clean counterpart: held-out loss, in noise variances, whose differences are
those of the true error. With `--many`, stacks of many planes instead, whole: all of a volume, and
500 rendered characters with strong noise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.images import read_image, tiff_paths

Stack = NDArray[np.float64]
SPEEDS = {"still": 0.0, "drift 0.7": 0.7, "drift 2.5": 2.5}
FRAMES, SIDE = 9, 256
CHOICES = ("ignore", "use", "auto")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with confocal/, natural/ and stacks/")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--start", default="pretrained")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--only", default="", help="stacks whose name holds this")
    parser.add_argument("--images", type=int, default=2, help="of each set, for films")
    parser.add_argument("--many", action="store_true", help="stacks of many planes, whole")
    options = parser.parse_args()
    settings = Settings(preset=options.preset, start=options.start, max_steps=options.steps)
    if options.many:
        for name, clean, noisy in many_planes(options.data):
            print(
                f"{name:<12} {psnr(clean, noisy):6.2f}", whole(clean, noisy, settings), flush=True
            )
        return
    for name, clean, noisy in stacks(options.data, options.images):
        if options.only in name:
            middle = slice(len(clean) // 2 - 1, len(clean) // 2 + 2)
            print(f"{name:<26} {psnr(clean[middle], noisy[middle]):6.2f}", end="", flush=True)
            for choice in CHOICES:
                made = replace(settings, adjacent_planes=choice)
                print(measured(clean, noisy, middle, made), end="", flush=True)
            print()
    for path in tiff_paths([options.data / "stacks", options.data / "photon_counting"]):
        image = read_image(path)
        if options.only in path.stem and set(image.axes) & set("TZQ"):
            print(f"{path.stem:<42}", end="", flush=True)
            for choice in CHOICES:
                made = replace(settings, adjacent_planes=choice)
                denoiser = Denoiser(made).fit(image.data, axes=image.axes)
                seen = denoiser.stack.axis or "-"
                print(f" | {choice} {seen} {denoiser.record.held_out_loss:.4f}", end="", flush=True)
            print(f" | {denoiser.stack.note}")


def measured(clean: Stack, noisy: Stack, middle: slice, settings: Settings) -> str:
    """Return true and estimated PSNR of the middle planes, and the time all took."""
    started = time.monotonic()
    denoiser = Denoiser(settings).fit(noisy, axes="ZYX")
    result = denoiser.result(noisy, axes="ZYX", window=(middle, slice(None), slice(None)))
    true, estimated = psnr(clean[middle], result.image), result.figures["estimated_psnr"]
    return (
        f" | {settings.adjacent_planes} {denoiser.stack.axis or '-'} {true:.2f} "
        f"({(estimated or np.nan) - true:+.1f}) {time.monotonic() - started:.0f} s"
    )


def whole(clean: Stack, noisy: Stack, settings: Settings) -> str:
    """Return steps, PSNR and time of a whole stack."""
    started = time.monotonic()
    denoiser = Denoiser(settings).fit(noisy, axes="ZYX")
    found = psnr(clean, denoiser.denoise(noisy, axes="ZYX"))
    seconds = time.monotonic() - started
    return f"| {settings.preset} {denoiser.record.steps} steps {found:.2f} {seconds:.0f} s"


def many_planes(root: Path) -> Iterator[tuple[str, Stack, Stack]]:
    """Return name, clean and noisy planes."""
    random = np.random.default_rng(0)
    volume = read_image(root / "stacks" / "cells3d_nuclei_ZYX.tif").data / 1500
    yield "volume", volume, random.poisson(volume) + random.normal(0, 1, volume.shape)
    drawn = np.load(root / "hanzi" / "hanzi500_64x64_u8.npy").astype(float)
    yield "characters", drawn, drawn + random.normal(0, 120.6, drawn.shape)


def stacks(root: Path, images: int) -> Iterator[tuple[str, Stack, Stack]]:
    """Return name, clean and noisy planes."""
    random = np.random.default_rng(0)
    for kind, folder in (("confocal", "confocal/clean"), ("natural", "natural/clean")):
        for path in tiff_paths([root / folder])[:images]:
            image = read_image(path).data.astype(float)
            for speed, pixels in SPEEDS.items():
                clean = film(image, pixels)
                noisy = clean + random.normal(0, 25, clean.shape)
                if kind == "confocal":
                    noisy = random.poisson(clean / 5) * 5.0 + random.normal(0, 5, clean.shape)
                yield f"{kind} {path.stem} {speed}", clean, noisy
    volume = read_image(root / "stacks" / "cells3d_nuclei_ZYX.tif").data.astype(float)
    for apart in (1, 2, 4):
        clean = volume[20:][::apart][:9] / 1500
        yield (
            f"volume, every {apart}",
            clean,
            random.poisson(clean) + random.normal(0, 1, clean.shape),
        )
    mixed = np.stack([read_image(path).data for path in tiff_paths([root / "natural/clean"])])
    unrelated = mixed.astype(float)
    yield "unrelated", unrelated, unrelated + random.normal(0, 25, unrelated.shape)


def film(image: Stack, speed: float) -> Stack:
    """Return frames of the middle of an image that moves by some pixels from one to the next."""
    frames = []
    for frame in range(FRAMES):
        move = (frame - FRAMES // 2) * speed
        moved = ndimage.shift(image, (0.6 * move, 0.8 * move), order=3, mode="mirror")
        top, left = ((extent - SIDE) // 2 for extent in image.shape)
        frames.append(moved[top : top + SIDE, left : left + SIDE])
    return np.clip(np.stack(frames), 0, None)


if __name__ == "__main__":
    main()
