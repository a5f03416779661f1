"""The command line: what ``napari-noise2self`` with one of its commands does."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Any, NoReturn

from ._commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; a termination signal cleans up like Ctrl-C."""
    signal.signal(signal.SIGTERM, _on_terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # any file name can be printed
    try:
        app()
    except OSError as error:  # of standard output; the commands deal with all others
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try again at its end
        sys.exit(f"The output can't be written ({error.strerror}); check where it goes.")
    except ImportError as error:
        sys.exit(f"{error}; run 'napari-noise2self doctor' to see what to do.")


def _on_terminate(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt
