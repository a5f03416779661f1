"""Denoise a simulated sample for real, and compare with the clean image behind it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from .atomic import published
from .batch import provenance
from .denoiser import Denoiser
from .images import Image, write_image
from .metrics import psnr
from .progress import Report
from .samples import Sample, simulate_cells
from .settings import Settings


@dataclass(frozen=True)
class DemoFigures:
    """What the demo measured; PSNR in dB."""

    folder: Path
    seconds: float
    psnr_before: float
    psnr_after: float
    estimated_psnr: float | None
    held_out_loss: float | None

    def lines(self) -> list[str]:
        """Return the figures as lines for people."""
        estimate = "unknown" if self.estimated_psnr is None else f"{self.estimated_psnr:.1f} dB"
        return [
            f"PSNR before  {self.psnr_before:.1f} dB",
            f"PSNR after   {self.psnr_after:.1f} dB  (in {self.seconds:.0f} s)",
            f"Estimated    {estimate}  (without the clean image)",
            f"The result is {self.folder / 'denoised.tif'}; look at {self.folder / 'demo.png'}.",
        ]


def run_demo(folder: Path, settings: Settings, report: Report | None = None) -> DemoFigures:
    """Simulate, denoise, compare; writes noisy, clean and denoised TIFFs and a PNG.

    Parameters
    ----------
    folder : Path
        Made where missing; files of an earlier demo are replaced.
    settings : Settings
        How to denoise.
    report : callable, optional
        Called with a `Progress`.
    """
    sample = simulate_cells()
    started = time.monotonic()
    denoiser = Denoiser(settings).fit(sample.noisy, axes="YX", report=report)
    result = denoiser.result(sample.noisy, axes="YX", report=report)
    seconds = time.monotonic() - started
    folder.mkdir(parents=True, exist_ok=True)
    like = Image(sample.noisy, "YX")
    for name, data in (("noisy", sample.noisy), ("clean", sample.clean)):
        write_image(folder / f"{name}.tif", data, like, overwrite=True)
    write_image(
        folder / "denoised.tif",
        result.image,
        like,
        provenance=provenance(denoiser, result.figures),
        overwrite=True,
    )
    _write_picture(folder / "demo.png", sample, result.image)
    return DemoFigures(
        folder,
        seconds,
        psnr(sample.clean, sample.noisy),
        psnr(sample.clean, result.image),
        result.figures["estimated_psnr"],
        result.figures["held_out_loss"],
    )


def _write_picture(path: Path, sample: Sample, denoised: NDArray[Any]) -> None:
    """Write noisy, denoised and clean side by side, with the same grey scale."""
    low, high = np.percentile(sample.clean, (0.1, 99.8))
    panels = [
        np.clip((panel - low) / (high - low), 0, 1) * 255
        for panel in (sample.noisy, denoised, sample.clean)
    ]
    gap = np.full((panels[0].shape[0], 8), 255.0)
    row = np.hstack([panels[0], gap, panels[1], gap, panels[2]])
    with published(path, overwrite=True) as part:
        Picture.fromarray(row.astype(np.uint8)).save(part, format="png")
