"""What is checked before any work begins, and how a command fails: with one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from ..errors import is_expected, one_line
from ..settings import Settings


def given(**options: Any) -> dict[str, Any]:
    """Keep the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def choose_settings(**values: Any) -> Settings:
    try:
        return Settings(**values)
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        wrong_usage(f"--{name.replace('_', '-')} {rest}.")


def check_output_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        wrong_usage(f"--output {path} is a file; name a folder.")


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
