"""Images that were processed before they come here: noise that no camera makes.

    python benchmarks/processed.py DATA --preset fast

Clean confocal images give the photons (60 where they are brightest, 5 where they are dark, read
noise of 2), seed 0. PSNR over the range of the clean image, in the mean of the images: noisy, the
best Gaussian blur, chosen with the clean image, the result, the J-invariant prediction; and the
largest error of the estimated PSNR.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.images import read_image, tiff_paths

Image = NDArray[np.float64]
Pair = tuple[Image, Image]
SIDE = 384
WIDTHS = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with confocal/")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--only", default="", help="ways whose name holds this")
    options = parser.parse_args()
    settings = Settings(preset=options.preset, max_steps=options.steps)
    paths = tiff_paths([options.data / "confocal" / "clean"])[:3]
    scenes = [photons(np.squeeze(read_image(path).data)) for path in paths]
    print(f"{'':<28}{'noisy':>8}{'Gauss':>8}{'result':>8}{'J-inv':>8}{'estimate':>10}")
    for name, way in WAYS.items():
        if options.only in name:
            rows = np.array([measured(*way(scene), settings) for scene in scenes])
            means = "".join(f"{value:8.2f}" for value in rows[:, :4].mean(axis=0))
            print(f"{name:<28}{means}{np.abs(rows[:, 4]).max():10.1f}", flush=True)


def photons(clean: Image) -> Image:
    part = clean[:SIDE, :SIDE].astype(np.float64)
    return 5 + 55 * (part - part.min()) / np.ptp(part)


def measured(noisy: Image, clean: Image, settings: Settings) -> tuple[float, ...]:
    blurred = max(psnr(clean, ndimage.gaussian_filter(noisy, width)) for width in WIDTHS)
    seen = noisy.astype(np.float32)
    denoiser = Denoiser(settings).fit(seen)
    result = denoiser.result(seen)
    found, blind = psnr(clean, result.image), denoiser.denoise(seen, prediction="j-invariant")
    told = result.figures["estimated_psnr"]
    error = np.nan if told is None else told - found
    return psnr(clean, noisy), blurred, found, psnr(clean, blind), error


def seen_by_camera(expected: Image, seed: int = 0, read: float = 2.0) -> Image:
    random = np.random.default_rng(seed)
    return random.poisson(expected) + random.normal(0, read, expected.shape)


def as_it_is(clean: Image) -> Pair:
    return seen_by_camera(clean), clean


def in_light(light: Image) -> Callable[[Image], Pair]:
    return lambda clean: (seen_by_camera(clean * light) / light, clean)


def round_light(least: float) -> Image:
    row, column = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    return np.asarray(least ** (2 * (row**2 + column**2)))


def tiles(clean: Image) -> Pair:
    exposed = np.kron([[1.0, 2.0], [4.0, 8.0]], np.ones((SIDE // 2, SIDE // 2)))
    return in_light(exposed)(clean)


def even_contrast(clean: Image) -> Pair:
    noisy = seen_by_camera(clean)
    mean = ndimage.gaussian_filter(noisy, 20)
    spread = np.sqrt(ndimage.gaussian_filter((noisy - mean) ** 2, 20))
    return (noisy - mean) / spread, (clean - mean) / spread


def ratio(clean: Image) -> Pair:
    other = 20 + clean[::-1, ::-1]
    below = np.maximum(seen_by_camera(other, 1), 1)
    return seen_by_camera(clean) / below, clean / other


def curve(shape: Callable[[Image], Image]) -> Callable[[Image], Pair]:
    """Clean is what is expected: the mean of a curve is not the curve of the mean."""

    def way(clean: Image) -> Pair:
        draws = [shape(np.maximum(seen_by_camera(clean, seed), 0.5)) for seed in range(100)]
        return draws[0], np.mean(draws, axis=0)

    return way


def filtered(power: Callable[[Image], Image]) -> Callable[[Image], Pair]:
    """Noise whose spectrum depends on the frequency, in units of half a cycle a pixel."""
    return lambda clean: (clean + 6 * coloured(power), clean)


def coloured(power: Callable[[Image], Image]) -> Image:
    rows, columns = fft.fftfreq(SIDE)[:, None] * 2, fft.fftfreq(SIDE) * 2
    white = np.random.default_rng(0).standard_normal((SIDE, SIDE))
    noise = fft.ifft2(fft.fft2(white) * power(np.hypot(rows, columns))).real
    return np.asarray(noise / noise.std())


def round_aperture(widest: float) -> Callable[[Image], Image]:
    return lambda frequency: (frequency < widest).astype(np.float64)


def wiener(widest: float) -> Callable[[Image], Image]:
    """A deconvolution of what such an aperture lets through."""

    def power(frequency: Image) -> Image:
        passed = np.clip(1 - frequency / widest, 0, 1)
        return passed / (passed**2 + 0.02)

    return power


def through_lens(widest: float) -> Callable[[Image], Pair]:
    """Photons behind such an aperture, deconvolved."""

    def way(clean: Image) -> Pair:
        rows, columns = fft.fftfreq(SIDE)[:, None] * 2, fft.fftfreq(SIDE) * 2
        frequency = np.hypot(rows, columns)
        passed, inverse = np.clip(1 - frequency / widest, 0, 1), wiener(widest)(frequency)
        blurred = np.maximum(fft.ifft2(fft.fft2(clean) * passed).real, 0.1)
        noisy = seen_by_camera(blurred)
        sharp, expected = (fft.ifft2(fft.fft2(each) * inverse).real for each in (noisy, blurred))
        return sharp, expected

    return way


def enlarged(times: float, order: int) -> Callable[[Image], Pair]:
    def zoomed(image: Image, factor: float, order: int) -> Image:
        return np.asarray(ndimage.zoom(image, factor, order=order, grid_mode=True, mode="reflect"))

    def way(clean: Image) -> Pair:
        small = zoomed(ndimage.uniform_filter(clean, times), 1 / times, 1)
        return zoomed(seen_by_camera(small), times, order), zoomed(small, times, order)

    return way


WAYS: dict[str, Callable[[Image], Pair]] = {
    "as it is": as_it_is,
    "uneven light, 0.5": in_light(round_light(0.5)),
    "uneven light, 0.3": in_light(round_light(0.3)),
    "uneven light, 0.15": in_light(round_light(0.15)),
    "attenuation": in_light(np.exp(-np.arange(SIDE) / SIDE * 2.3) * np.ones((SIDE, 1))),
    "four exposures": tiles,
    "even contrast": even_contrast,
    "ratio of two channels": ratio,
    "square root": curve(np.sqrt),
    "logarithm": curve(np.log),
    "aperture 1.2": filtered(round_aperture(1.2)),
    "aperture 1.0": filtered(round_aperture(1.0)),
    "aperture 0.8": filtered(round_aperture(0.8)),
    "deconvolved, 1.2": filtered(wiener(1.2)),
    "deconvolved, 1.0": filtered(wiener(1.0)),
    "deconvolved, 0.8": filtered(wiener(0.8)),
    "lens of 0.7, deconvolved": through_lens(0.7),
    "lens of 0.5, deconvolved": through_lens(0.5),
    "lens of 0.4, deconvolved": through_lens(0.4),
    "enlarged 1.5 times, cubic": enlarged(1.5, 3),
    "enlarged twice, cubic": enlarged(2, 3),
    "enlarged twice, linear": enlarged(2, 1),
    "enlarged 3 times, cubic": enlarged(3, 3),
    "enlarged 4 times, cubic": enlarged(4, 3),
}


if __name__ == "__main__":
    main()
