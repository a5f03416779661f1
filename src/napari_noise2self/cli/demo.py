"""Denoise a simulated sample for real, and compare with the clean image behind it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from ..atomic import published
from ..batch import make_folder, provenance
from ..denoiser import Denoiser
from ..figures.metrics import psnr
from ..images import Image, ImageError, read_image, write_image
from ..progress import Report
from ..samples import Sample, simulate_cells
from ..settings import Settings

_NAMES = ("noisy.tif", "clean.tif", "denoised.tif", "demo.png")


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
        Made where missing; files of an earlier demo are replaced, but no others.
    settings : Settings
        How to denoise.
    report : callable, optional
        Called with a `Progress`.

    Raises
    ------
    ImageError
        If the folder can't be written to, or other files there have the names of the demo's.
    """
    sample = simulate_cells()
    make_folder(folder)
    _check_names(folder, sample)
    started = time.monotonic()
    denoiser = Denoiser(settings).fit(sample.noisy, axes="YX", report=report)
    result = denoiser.result(sample.noisy, axes="YX", report=report)
    seconds = time.monotonic() - started
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


def _check_names(folder: Path, sample: Sample) -> None:
    """Raise where a file that no demo wrote would be replaced."""
    taken = [folder / name for name in _NAMES if os.path.lexists(folder / name)]
    try:
        ours = np.array_equal(read_image(folder / "noisy.tif").data, sample.noisy)
    except ImageError:
        ours = False
    if taken and not ours:
        raise ImageError(
            f"{taken[0]} exists already and was not written by the demo; choose another folder."
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
