"""Many files: plan what becomes what, then denoise one after another."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .atomic import is_writable
from .errors import is_expected, one_line
from .images import Image, ImageError, read_image, tiff_paths, write_image
from .progress import Report
from .settings import Settings

if TYPE_CHECKING:
    from .arrays import OutputDtype
    from .denoiser import Denoiser

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One file to denoise, and where the result goes."""

    input: Path
    output: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a job: `error` is empty if it went well."""

    job: Job
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON, with the same names for every outcome."""
        names = ("held_out_loss", "steps", "device")
        return {
            "input": str(self.job.input),
            "output": None if self.error else str(self.job.output),
            "seconds": round(self.seconds, 3),
            **{name: self.figures.get(name) for name in names},
            **{name: value for name, value in self.figures.items() if name not in names},
            "notes": [*self.notes, *self.figures.get("notes", ())],
            "error": self.error or None,
        }


class PlanError(ValueError):
    """The inputs and outputs asked for don't go together. The message says what to do."""


def plan(inputs: Iterable[Path], output: Path) -> list[Job]:
    """Say which files will be written for which inputs.

    Parameters
    ----------
    inputs : iterable of Path
        Files, and folders whose TIFFs are taken. A file that is not there, or a folder without
        TIFFs, stays in the plan: it fails when its turn comes, and the others are still done.
    output : Path
        The folder for the results, which keep the names of their inputs.

    Raises
    ------
    PlanError
        If two results would have the same name, or a result would replace its input.
    """
    jobs: list[Job] = []
    for entry in inputs:
        jobs += [Job(path, output / _result_name(path)) for path in _files(entry)]
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.output.resolve() == job.input.resolve():
            raise PlanError(f"{job.input} would be replaced; choose another output folder.")
        other = seen.setdefault(job.output, job.input)
        if other != job.input:
            raise PlanError(
                f"{other} and {job.input} would both become {job.output}; "
                "denoise them into different folders."
            )
    return list(dict.fromkeys(jobs))


def _files(entry: Path) -> list[Path]:
    """Return the TIFFs of a folder; otherwise the entry itself, be it there or not."""
    try:
        return tiff_paths([entry])
    except (ImageError, OSError):
        return [entry]


def _result_name(path: Path) -> str:
    """Keep a TIFF's name; add .tif to others."""
    is_tiff = path.suffix.lower() in (".tif", ".tiff")
    return path.name if is_tiff else f"{path.name}.tif"


def run(
    jobs: Iterable[Job],
    denoiser: Denoiser | Settings,
    *,
    dtype: OutputDtype = "same",
    overwrite: bool = False,
    save_model: Path | None = None,
    report: Report | None = None,
) -> Iterator[Outcome]:
    """Denoise files one after another; a failure of one does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
        From `plan`.
    denoiser : Denoiser or Settings
        A trained denoiser for all files, or settings to train with on each file anew.
    dtype : {"same", "float32"}
        Of the results.
    overwrite : bool
        Whether existing results are replaced.
    save_model : Path, optional
        Where to keep the trained model; sensible for a single job only.
    report : callable, optional
        Called with a `Progress` on each file.

    Yields
    ------
    Outcome
        For each job, as soon as it is done.
    """
    return _outcomes(
        jobs, lambda job: _denoise_file(job, denoiser, dtype, overwrite, save_model, report)
    )


def calibrate(
    jobs: Iterable[Job],
    settings: Settings,
    *,
    method: str = "auto",
    dtype: OutputDtype = "same",
    overwrite: bool = False,
    report: Report | None = None,
) -> Iterator[Outcome]:
    """Denoise files with the best classic filter, or with one `method`, calibrated on each.

    All else is as in `run`.
    """
    return _outcomes(
        jobs, lambda job: _calibrate_file(job, settings, method, dtype, overwrite, report)
    )


Work = Callable[[Job], tuple[dict[str, Any], tuple[str, ...]]]
"""Does a job; returns its figures and what the user should know."""


def _outcomes(jobs: Iterable[Job], work: Work) -> Iterator[Outcome]:
    """Do jobs one after another; a failure of one does not stop the others."""
    for job in jobs:
        started = time.monotonic()
        try:
            figures, notes = work(job)
        except ImportError:  # no file can be denoised with a package missing
            raise
        except Exception as error:
            text = one_line(error)
            if not is_expected(error):  # a bug: the other files are not to pay for it
                _LOG.exception("This is a bug of napari-noise2self:")
                text = f"{type(error).__name__}: {text}; please report it with what is above."
            yield Outcome(job, time.monotonic() - started, error=text)
        else:
            yield Outcome(job, time.monotonic() - started, figures, notes)


def _denoise_file(
    job: Job,
    denoiser: Denoiser | Settings,
    dtype: OutputDtype,
    overwrite: bool,
    save_model: Path | None,
    report: Report | None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Denoise one file; return the figures and what the user should know."""
    image = _read(job, overwrite)
    notes = list(image.metadata.notes)
    follow: dict[str, Any] = {"axes": image.axes, "report": report}
    trained_before = not isinstance(denoiser, Settings)
    if isinstance(denoiser, Settings):
        from .denoiser import Denoiser  # only now, so that what can't be done is said at once

        denoiser = Denoiser(denoiser)
        denoiser.fit(image.opaque, **follow)
    else:
        unlike = denoiser.mismatch(image.opaque, image.axes)
        notes += [unlike] if unlike else []
    result = denoiser.result(image.opaque, dtype=dtype, **follow)
    pixels = image.with_alpha(result.image)
    made_by = provenance(denoiser, result.figures, trained_before=trained_before)
    write_image(job.output, pixels, image, provenance=made_by, overwrite=overwrite)
    if save_model:  # last: if that fails, there is the image at least
        denoiser.save(save_model, overwrite=overwrite)
    return result.figures, tuple(notes)


def _calibrate_file(
    job: Job,
    settings: Settings,
    method: str,
    dtype: OutputDtype,
    overwrite: bool,
    report: Report | None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Denoise one file with a calibrated classic."""
    image = _read(job, overwrite)
    from .calibration import calibrate

    follow: dict[str, Any] = {"axes": image.axes, "report": report}
    methods = None if method == "auto" else (method,)
    calibration = calibrate(image.opaque, settings, methods=methods, **follow)
    result = image.with_alpha(calibration.denoise(image.opaque, dtype=dtype, **follow))
    made_by = {
        "version": __version__,
        "settings": settings.to_dict(),
        "figures": calibration.figures,
        "calibrated": True,
    }
    write_image(job.output, result, image, provenance=made_by, overwrite=overwrite)
    return calibration.figures, image.metadata.notes


def _read(job: Job, overwrite: bool) -> Image:
    """Read a job's image, and see that the result can be written: before the work, not after it."""
    tiff_paths([job.input])  # says what is wrong with a missing file or a folder without TIFFs
    if os.path.lexists(job.output) and not overwrite:
        raise ImageError(f"{job.output} exists already; use --overwrite to replace it.")
    if job.output.is_dir():
        raise ImageError(f"{job.output} is a folder; move it, or choose another output folder.")
    image = read_image(job.input)
    make_folder(job.output.parent)
    return image


def make_folder(folder: Path) -> None:
    """Make the folder for results where it is missing: before the work, not after it.

    Raises
    ------
    ImageError
        If it can't be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"The folder {folder} can't be made ({error.strerror}); choose another."
        ) from error
    if not is_writable(folder):
        raise ImageError(f"The folder {folder} can't be written to; choose another.")


def provenance(
    denoiser: Denoiser, figures: dict[str, Any], *, trained_before: bool = False
) -> dict[str, Any]:
    """Return how a result was made, for its metadata.

    It is enough to make the result again, with the same model if it was `trained_before`.
    """
    return {
        "version": __version__,
        "settings": denoiser.settings.to_dict(),
        "figures": figures,
        "trained_before": trained_before,
    }
