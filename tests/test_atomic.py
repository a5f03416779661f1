"""Files appear under their name whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_noise2self.atomic import is_writable, published


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "result.tif"


def publish(path: Path, text: str, overwrite: bool = False, then: Callable[[], Any] = int):
    """Write some text, and do something else before the file is whole."""
    with published(path, overwrite) as part:
        part.write_text(text)
        then()


def stop(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.fixture
def _no_hard_links(monkeypatch: pytest.MonkeyPatch):
    error = PermissionError("Operation not permitted")
    monkeypatch.setattr(os, "link", lambda *_: stop(error)())


@pytest.mark.parametrize("overwrite", [True, False])
def test_name_is_taken_only_when_the_file_is_whole(path: Path, overwrite: bool):
    with published(path, overwrite) as part:
        part.write_text("whole")
        assert not path.exists()
        assert part.name.startswith(".")
    assert path.read_text() == "whole"
    assert files(path.parent) == ["result.tif"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_while_writing_leaves_nothing(path: Path, error: type[BaseException]):
    with pytest.raises(error):
        publish(path, "ha", then=stop(error()))
    assert files(path.parent) == []


def test_failure_while_overwriting_leaves_the_old_file(path: Path):
    path.write_text("old")
    with pytest.raises(OSError, match="full"):
        publish(path, "ne", overwrite=True, then=stop(OSError("disk full")))
    assert path.read_text() == "old"
    assert files(path.parent) == ["result.tif"]


def test_overwrite(path: Path):
    path.write_text("old")
    publish(path, "new", overwrite=True)
    assert path.read_text() == "new"


@pytest.mark.parametrize("dangling", [True, False])
def test_existing_name_is_refused_before_the_work(path: Path, dangling: bool):
    if dangling:
        path.symlink_to("nowhere")
    else:
        path.write_text("old")
    with pytest.raises(FileExistsError):
        publish(path, "new", then=lambda: pytest.fail("the work was done in vain"))
    assert path.is_symlink() if dangling else path.read_text() == "old"


@pytest.mark.usefixtures("_no_hard_links")
def test_without_hard_links(path: Path):
    publish(path, "whole")
    assert path.read_text() == "whole"
    assert files(path.parent) == ["result.tif"]


@pytest.mark.parametrize("links", [True, False])
def test_file_that_appears_meanwhile_is_kept(
    path: Path, links: bool, request: pytest.FixtureRequest
):
    if not links:
        request.getfixturevalue("_no_hard_links")
    with pytest.raises(FileExistsError):
        publish(path, "ours", then=lambda: path.write_text("theirs"))
    assert path.read_text() == "theirs"
    assert files(path.parent) == ["result.tif"]


@pytest.mark.usefixtures("_no_hard_links")
def test_name_taken_in_advance_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "replace", lambda *_: stop(KeyboardInterrupt())())
    with pytest.raises(KeyboardInterrupt):
        publish(path, "whole")
    assert files(path.parent) == []


def test_symlink_is_replaced_and_its_target_kept(path: Path):
    target = path.with_name("target.tif")
    target.write_text("old")
    path.symlink_to(target)
    publish(path, "new", overwrite=True)
    assert (target.read_text(), path.read_text()) == ("old", "new")


@pytest.mark.parametrize("letter", ["a", "µ", "顕"])
def test_longest_possible_name(tmp_path: Path, letter: str):
    path = tmp_path / (letter * (251 // len(letter.encode())) + ".tif")
    publish(path, "whole")
    assert files(tmp_path) == [path.name]


def test_permissions_are_those_of_any_new_file(path: Path):
    other = path.with_name("other")
    other.touch()
    with published(path) as part:
        part.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_folders_where_files_can_be_made(tmp_path: Path):
    assert is_writable(tmp_path)
    assert files(tmp_path) == []
    assert not is_writable(tmp_path / "missing")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_where_nobody_can_write_whatever_its_permissions_say():
    assert not is_writable(Path("/proc"))


def test_killed_while_writing(path: Path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from napari_noise2self.atomic import published\n"
        "with published(Path(sys.argv[1])) as part:\n"
        "    part.write_text('ha'); print('half', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert not path.exists()
    publish(path, "whole")  # what is left of the other is in nobody's way
    assert path.read_text() == "whole"
