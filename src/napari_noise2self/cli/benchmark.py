"""The trained network against plain references, on images whose clean counterparts are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import restoration

from ..denoiser import Denoiser
from ..figures.findings import finite_or_none
from ..figures.metrics import psnr, ssim
from ..images import ImageError, read_image, tiff_paths
from ..settings import Settings

_BLURS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Pair:
    """A noisy image and its clean counterpart, both of shape (H, W)."""

    name: str
    noisy: NDArray[Any]
    clean: NDArray[Any]


@dataclass(frozen=True)
class Row:
    """One method on one image; PSNR in dB."""

    file: str
    method: str
    psnr: float
    ssim: float
    seconds: float

    def line(self) -> str:
        """Return the row for people."""
        return (
            f"{self.file:<24} {self.method:<14} {self.psnr:7.2f} dB  SSIM {self.ssim:.4f}"
            f"  {self.seconds:7.1f} s"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        figures = {"psnr": finite_or_none(self.psnr), "ssim": finite_or_none(self.ssim)}
        return asdict(self) | figures


def pairs(noisy: Path, clean: Path) -> Iterator[Pair]:
    """Pair the images of two folders by their names.

    Raises
    ------
    ImageError
        If a folder has no images, a clean one is missing, or the shapes differ.
    """
    counterparts = {path: clean / path.name for path in tiff_paths([noisy])}
    for counterpart in counterparts.values():
        if not counterpart.exists():
            raise ImageError(f"{counterpart} is missing; give clean images the noisy ones' names.")
    for path, counterpart in counterparts.items():
        images = read_image(path).data, read_image(counterpart).data
        if images[0].shape != images[1].shape or images[0].ndim != 2:
            raise ImageError(
                f"{path} and {counterpart} must be single planes of the same size to compare."
            )
        yield Pair(path.name, *images)


def compare(pair: Pair, settings: Settings) -> Iterator[Row]:
    """Run the references and the network on one image."""

    def trained(pair: Pair) -> NDArray[Any]:
        return Denoiser(settings).fit(pair.noisy).denoise(pair.noisy)

    for method, function in {**METHODS, "noise2self": trained}.items():
        started = time.monotonic()
        image = function(pair)
        seconds = time.monotonic() - started
        yield Row(pair.name, method, psnr(pair.clean, image), ssim(pair.clean, image), seconds)


def table(rows: Sequence[Row]) -> list[Row]:
    """Return the mean of each method over all files."""
    methods = list(dict.fromkeys(row.method for row in rows))
    means = []
    for method in methods:
        own = [row for row in rows if row.method == method]
        values = (fmean(getattr(row, name) for row in own) for name in ("psnr", "ssim", "seconds"))
        means.append(Row("mean", method, *values))
    return means


def _best_blur(pair: Pair) -> NDArray[Any]:
    """Return the Gaussian blur that is best by the clean image: what no user could choose."""
    noisy = pair.noisy.astype(np.float64)
    blurred = [ndimage.gaussian_filter(noisy, width) for width in _BLURS]
    return max(blurred, key=lambda image: psnr(pair.clean, image))


def _calibrated(
    noisy: NDArray[Any], denoiser: Callable[..., NDArray[Any]], strengths: NDArray[np.float64]
) -> NDArray[Any]:
    """Choose a filter's strength by skimage's J-invariant calibration, and apply it."""
    image = noisy.astype(np.float64)
    low, spread = image.min(), float(np.ptp(image)) or 1.0
    image = (image - low) / spread
    sigma = float(restoration.estimate_sigma(image)) or 1e-3
    best = restoration.calibrate_denoiser(image, denoiser, {"strength": list(strengths * sigma)})
    restored: NDArray[np.float64] = np.asarray(best(image))
    return np.asarray(restored * spread + low)


def _nlm(image: NDArray[np.float64], strength: float) -> NDArray[Any]:
    """Non-local means of skimage."""
    return np.asarray(
        restoration.denoise_nl_means(
            image, h=strength, patch_size=5, patch_distance=6, fast_mode=True
        )
    )


def _tv(image: NDArray[np.float64], strength: float) -> NDArray[Any]:
    """Total variation (Chambolle 2004) of skimage."""
    return np.asarray(restoration.denoise_tv_chambolle(image, weight=strength))


METHODS: dict[str, Callable[[Pair], NDArray[Any]]] = {
    "noisy": lambda pair: pair.noisy,
    "gaussian": _best_blur,
    "nlm": lambda pair: _calibrated(pair.noisy, _nlm, np.geomspace(0.4, 1.6, 6)),
    "tv": lambda pair: _calibrated(pair.noisy, _tv, np.geomspace(0.3, 6.0, 8)),
}
"""The plain references, by name."""
