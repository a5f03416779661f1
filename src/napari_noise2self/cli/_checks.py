"""What is checked before any work begins, and how a command fails: with one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from ..atomic import is_writable
from ..errors import is_expected, one_line
from ..settings import SettingError, Settings

if TYPE_CHECKING:
    from ..batch import Job


def given(**options: Any) -> dict[str, Any]:
    """Keep the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def choose_settings(**values: Any) -> Settings:
    """Return the settings that options ask for, unless one of them would have no effect."""
    try:
        settings = Settings(**values)
    except SettingError as error:
        wrong_usage(f"--{error.name.replace('_', '-')} {error.trouble}.")
    if settings.exclusion_radius and settings.exclusion in ("auto", "none"):
        wrong_usage(
            "--exclusion-radius: of no effect without a shape; give --exclusion horizontal, "
            "vertical, plus or square, too."
        )
    if "start" in values and settings.effective.start != settings.start:
        wrong_usage(
            f"--start {settings.start}: there are no such weights for --network "
            f"{settings.network}; leave one of them out."
        )
    return settings


def check_output_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        wrong_usage(f"--output {path} is a file; name a folder.")


def plan_jobs(
    inputs: Iterable[Path], output: Path, *, overwrite: bool, skip_existing: bool
) -> list[Job]:
    """Return what becomes of which file: of all, or of those that have no result yet."""
    from ..batch import PlanError, plan

    if overwrite and skip_existing:
        wrong_usage("--overwrite, --skip-existing: one excludes the other; give one of them.")
    try:
        jobs = plan(inputs, output)
    except PlanError as error:
        wrong_usage(str(error))
    if not skip_existing:
        return jobs
    undone = [job for job in jobs if not os.path.lexists(job.output)]
    if len(undone) < len(jobs):
        done = len(jobs) - len(undone)
        typer.echo(f"Skipped {done} of {len(jobs)} files, whose results exist already.", err=True)
    return undone


def check_new_model(
    path: Path, overwrite: bool, images: Iterable[Path], new_folder: Path | None = None
) -> None:
    """Fail before the work if the model can't be written, or would replace one of the images."""
    if path.is_dir():
        wrong_usage(f"{path} is a folder; name a file for the model.")
    if path.resolve() in {image.resolve() for image in images}:
        wrong_usage(f"{path} is an image; choose another name for the model.")
    if path.exists() and not overwrite:
        fail(f"{path} exists already; use --overwrite to replace it.")
    folder = path.absolute().parent
    if not folder.is_dir() and folder != (new_folder and new_folder.absolute()):
        fail(f"The folder {folder} does not exist; make it first.")
    if folder.is_dir() and not is_writable(folder):
        fail(f"The folder {folder} can't be written to; choose another for the model.")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End with one sentence where a traceback would come."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:
        if not is_expected(error):
            raise
        fail(one_line(error))


def fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def wrong_usage(message: str) -> NoReturn:
    fail(message, 2)
