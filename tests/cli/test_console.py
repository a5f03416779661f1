"""The progress bar of the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from napari_noise2self.cli.console import FilesProgress
from napari_noise2self.progress import Progress

TRAINING = Progress("training", 3, 10, 18.0, 42.0)


@contextmanager
def terminal() -> Iterator[Callable[[], str]]:
    """Make standard error a terminal, and give what reads all that it shows."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    with (
        pytest.MonkeyPatch.context() as patch,
        os.fdopen(slave, "w") as stream,
        os.fdopen(master, "rb", buffering=0) as screen,
    ):
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", "100")
        patch.setattr(sys, "stderr", stream)
        yield lambda: b"".join(iter(lambda: screen.read(4096), None)).decode()


def test_bar_shows_stage_file_and_time_left():
    with terminal() as read:
        with FilesProgress(2) as shown:
            shown.report(TRAINING)
            shown.advance()
            shown.report(Progress("predicting", 1, 16, 1.0, 3.0))
        screen = read()
    assert "training 1/2" in screen
    assert "42 s left" in screen
    assert "predicting 2/2" in screen


@pytest.mark.parametrize("denoises", [True, False])
def test_what_comes_after_a_training_counts(denoises: bool):
    with terminal() as read:
        with FilesProgress(1, denoises=denoises) as shown:
            shown.report(replace(TRAINING, seconds_to_denoise=7.0))
        screen = read()
    assert ("49 s left" if denoises else "42 s left") in screen


def test_single_file_has_no_number():
    with terminal() as read:
        with FilesProgress(1) as shown:
            shown.report(TRAINING)
        screen = read()
    assert "training" in screen
    assert "1/1" not in screen


def test_line_is_clear_for_what_is_said_of_a_file():
    with terminal() as read, FilesProgress(1) as shown:
        shown.report(TRAINING)
        shown.advance()
        assert read().endswith("\x1b[2K")  # the terminal's word for: erase the line


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_nothing_is_written_where_there_is_no_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with FilesProgress(2) as shown:
        shown.report(TRAINING)
        shown.advance()
    assert capfd.readouterr() == ("", "")
