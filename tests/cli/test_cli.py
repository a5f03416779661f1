"""The command line as a user meets it: every test is a real process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_noise2self import Denoiser, Settings, __version__, denoise
from napari_noise2self.images import read_image, read_provenance
from shell import (
    COMMAND,
    ENVIRONMENT,
    INTERRUPTED,
    QUICK,
    SLOW_DISK,
    TALKATIVE,
    noisy,
    rows,
    run,
    start,
    write,
)

FIGURES = {"input", "output", "seconds", "held_out_loss", "steps", "device"}
SMALL = noisy((32, 32))
ENDLESS = ("--max-steps", "1000000", "--max-seconds", "600", "--device", "cpu")


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


def bad_usage(*arguments: Any, **options: Any) -> str:
    """Return what is said of a wrong usage."""
    done = run(*arguments, **options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def failure(*arguments: Any, **options: Any) -> str:
    """Return the only line that is said of a failure."""
    done = run(*arguments, **options)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


# --- Help and wrong usage ----------------------------------------------------------------------


def test_help_is_instant_and_names_the_commands():
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        done = run("--help")
        seconds.append(time.monotonic() - started)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("denoise", "train", "demo", "doctor", "benchmark"))
    assert min(seconds) < 0.5


def test_help_of_a_command_names_its_options():
    text = run("denoise", "--help").stdout
    options = (
        *("output", "model", "save-model", "partition", "partition-size", "network", "preset"),
        *("max-seconds", "seed", "device", "dtype", "overwrite", "json"),
    )
    for option in options:
        assert f"--{option} " in text


def test_version():
    assert run("--version").stdout == f"{__version__}\n"


def test_no_command_shows_the_help():
    done = run()
    assert done.returncode == 2
    assert "Commands" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("denoise", "Missing argument 'INPUT...'"),
        ("denoise a.tif", "Missing option '--output'"),
        ("train a.tif", "Missing option '--model'"),
        ("benchmark a", "Missing argument"),
        ("denois a.tif", "No such command"),
        ("denoise a.tif --output o --preset slow", "'slow' is not one of 'fast', 'balanced'"),
        ("denoise a.tif --output o --device tpu", "'tpu' is not one of"),
        ("denoise a.tif --output o --dtype uint8", "'uint8' is not one of 'same', 'float32'"),
        ("denoise a.tif --output o --seed one", "--seed"),
        ("denoise a.tif --output o --seed -1", "--seed must be a whole number from 0"),
        ("denoise a.tif --output o --max-seconds 0", "--max-seconds must be a number from 0.1"),
        ("denoise a.tif --output o --max-seconds nan", "--max-seconds must be"),
        ("denoise a.tif --output o --partition-size 1", "--partition-size must be"),
        ("train a.tif --model m --partition random --partition-size 1", "--partition-size must be"),
        ("denoise a.tif --output o --max-seconds 1e9", "a number from 0.1 to 2592000, not"),
        ("denoise a.tif --output o --seed -1", "a whole number from 0 to 2147483647, not -1"),
        ("denoise a.tif --output o --overwrite --skip-existing", "one excludes the other"),
        ("calibrate a.tif --output o --overwrite --skip-existing", "one excludes the other"),
        ("denoise a.tif --output o --exclusion-radius 3", "no effect without a shape; give --excl"),
        ("train a.tif --model m --exclusion none --exclusion-radius 1", "no effect without a sha"),
        ("denoise a.tif --output o --network dncnn --start pretrained", "no such weights for --n"),
        ("denoise a.tif --output o --model m --seed 1", "--seed: of no effect with --model"),
        ("train a.tif --model m --continue n --start fresh", "--start: of no effect with --con"),
        ("denoise a.tif --output o --model m --save-model n", "nothing to save"),
        ("denoise a.tif --output a.tif", "--output a.tif is a file; name a folder"),
        ("demo --output a.tif", "--output a.tif is a file; name a folder"),
    ],
)
def test_wrong_usage_says_what_is_wrong(tmp_path: Path, arguments: str, text: str):
    before = write(tmp_path / "a.tif").read_bytes()
    assert text in bad_usage(*arguments.split(), cwd=tmp_path)
    assert files(tmp_path) == ["a.tif"]
    assert (tmp_path / "a.tif").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("denoise a.tif --output . --overwrite", "a.tif would be replaced"),
        ("denoise a.tif x/a.tif --output o", "would both become o/a.tif"),
        ("denoise a.tif --output o --save-model a.tif --overwrite", "a.tif is an image"),
        ("denoise a.tif --output o --save-model x", "x is a folder"),
        ("denoise a.tif x --output o --save-model m", "--save-model takes one INPUT"),
        ("train a.tif --model a.tif --overwrite", "a.tif is an image"),
        ("train a.tif --model link.tif --overwrite", "link.tif is an image"),
    ],
)
def test_nothing_is_done_where_files_would_collide(tmp_path: Path, arguments: str, text: str):
    before = write(tmp_path / "a.tif").read_bytes()
    write(tmp_path / "x" / "b.tif")
    (tmp_path / "link.tif").symlink_to("a.tif")
    assert text in bad_usage(*arguments.split(), cwd=tmp_path)
    assert files(tmp_path) == ["a.tif", "link.tif", "x"]
    assert (tmp_path / "a.tif").read_bytes() == before


# --- One run over all sorts of files -----------------------------------------------------------

IMAGEJ = {
    "axes": "TCYX",
    "unit": "um",
    "finterval": 2.5,
    "mode": "composite",
    "Info": "Objective: 63×",
}
OME = {
    "axes": "ZYX",
    "PhysicalSizeX": 0.1,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 0.2,
    "PhysicalSizeZ": 0.5,
    "Channel": {"Name": "GFP"},
}

GOOD = ["camera", "big-endian", "float64", "holes", "constant", "row", "pixel", "imagej", "ome.ome"]
GOOD += ["Zelle µ 細胞 1"]
BAD = {
    "text.tif": "text.tif is not a TIFF file",
    "truncated.tif": "truncated.tif is incomplete or damaged",
    "empty": "empty has no .tif or .tiff files",
    "missing.tif": "missing.tif does not exist",
    "boolean.tif": "boolean.tif: A true/false image is a mask",
    "complex.tif": "complex.tif: Images of type complex64 can't be denoised",
    "nan.tif": "nan.tif: The image has no finite pixels",
}


def write_images(folder: Path) -> None:
    image, real = noisy(), noisy().astype(np.float64)
    stack = noisy((2, 2, 24, 32))
    holes = real.astype(np.float32)
    holes[3, 4:8], holes[9, 9] = np.nan, np.inf
    good = {
        "camera": image,
        "float64": real,
        "holes": holes,
        "constant": np.full((32, 32), 7, np.uint16),
        "row": image[:1],
        "pixel": image[:1, :1],
        "Zelle µ 細胞 1": image[:32, :32],
    }
    for name, data in good.items():
        write(folder / f"{name}.tif", data)
    write(folder / "big-endian.tif", image.astype(">u2"), byteorder=">")
    write(folder / "imagej.tif", stack, imagej=True, resolution=(10, 5), metadata=IMAGEJ)
    write(folder / "ome.ome.tif", noisy((3, 24, 32)), ome=True, metadata=OME)
    (folder / "linked.tif").symlink_to("camera.tif")
    (folder / "no suffix").symlink_to("camera.tif")
    write(folder / "boolean.tif", image > 150)
    write(folder / "complex.tif", image.astype(np.complex64))
    write(folder / "nan.tif", np.full((16, 16), np.nan, np.float32))
    (folder / "text.tif").write_text("hello")
    (folder / "truncated.tif").write_bytes((folder / "camera.tif").read_bytes()[:4000])
    (folder / "empty").mkdir()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder of a run over good and bad files mixed, and what the run said."""
    folder = tmp_path_factory.mktemp("everything")
    write_images(folder)
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    good = [*(f"{name}.tif" for name in GOOD), "linked.tif", "no suffix"]
    mixed = [*list(BAD)[:4], *good, *list(BAD)[4:]]
    done = run("denoise", *mixed, "--output", "out", "--seed", "3", *QUICK, "--json", cwd=folder)
    assert {path: path.read_bytes() for path in before} == before, "an input has changed"
    return folder, done


def test_exit_code_tells_of_failures_but_the_others_are_done(everything: tuple[Path, Any]):
    folder, done = everything
    assert done.returncode == 1
    results = [*(f"{name}.tif" for name in GOOD), "linked.tif", "no suffix.tif"]
    assert files(folder / "out") == sorted(results)


def test_each_failure_is_one_line_with_the_next_step(everything: tuple[Path, Any]):
    lines = everything[1].stderr.splitlines()
    assert len(lines) == len(BAD)
    for line, text in zip(lines, BAD.values(), strict=True):
        assert line.startswith(text)


def test_json_has_a_row_for_each_file_and_nothing_else_is_printed(everything: tuple[Path, Any]):
    found = {row["input"]: row for row in rows(everything[1].stdout)}
    assert len(found) == len(GOOD) + 2 + len(BAD)
    for row in found.values():
        assert set(row) >= FIGURES
    for name, text in BAD.items():
        assert found[name]["output"] is None
        assert text.rpartition(": ")[2] in found[name]["error"]
    camera = found["camera.tif"]
    assert (camera["output"], camera["error"]) == ("out/camera.tif", None)
    assert camera["steps"] == 5
    assert camera["held_out_loss"] > 0
    assert camera["seconds"] > 0
    assert camera["device"].startswith("cpu")
    assert found["no suffix"]["output"] == "out/no suffix.tif"
    assert found["constant.tif"]["steps"] == 0


@pytest.mark.parametrize("name", GOOD)
def test_result_is_that_of_the_python_api(everything: tuple[Path, Any], name: str):
    folder, _ = everything
    source, result = (read_image(place / f"{name}.tif") for place in (folder, folder / "out"))
    made_by = read_provenance(folder / "out" / f"{name}.tif")
    assert made_by is not None
    settings = Settings.from_dict(made_by["settings"])
    assert settings == Settings(preset="fast", seed=3, max_steps=5, partition_size=2, device="cpu")
    expected = denoise(source.data, settings, axes=source.axes, dtype="same")
    assert (result.axes, result.data.dtype) == (source.axes, source.data.dtype)
    np.testing.assert_array_equal(result.data, expected)


def test_symlinks_are_read_and_their_results_are_files(everything: tuple[Path, Any]):
    out = everything[0] / "out"
    for name in ("linked.tif", "no suffix.tif"):
        assert not (out / name).is_symlink()
        np.testing.assert_array_equal(
            tifffile.imread(out / name), tifffile.imread(out / "camera.tif")
        )


def test_missing_pixels_stay_missing_and_all_others_finite(everything: tuple[Path, Any]):
    source, result = (tifffile.imread(everything[0] / place / "holes.tif") for place in ("", "out"))
    np.testing.assert_array_equal(np.isnan(result), np.isnan(source))
    np.testing.assert_array_equal(np.isinf(result), np.isinf(source))


def test_constant_image_stays_as_it_is(everything: tuple[Path, Any]):
    assert (tifffile.imread(everything[0] / "out" / "constant.tif") == 7).all()


def test_imagej_stack_keeps_its_metadata(everything: tuple[Path, Any]):
    with tifffile.TiffFile(everything[0] / "out" / "imagej.tif") as tif:
        series, found = tif.series[0], tif.imagej_metadata
        assert (series.kind, series.axes, series.dtype) == ("imagej", "TCYX", np.uint16)
        assert found is not None
        assert {name: found[name] for name in ("unit", "finterval", "mode")} == {
            "unit": "um",
            "finterval": 2.5,
            "mode": "composite",
        }
        assert found["Info"].startswith("Objective: 63×\n")
        assert tif.pages.first.resolution == (10, 5)
    sizes = read_image(everything[0] / "out" / "imagej.tif").pixel_size
    assert sizes == {"T": (2.5, "s"), "Y": (0.2, "µm"), "X": (0.1, "µm")}


def test_ome_stack_keeps_its_metadata(everything: tuple[Path, Any]):
    path = everything[0] / "out" / "ome.ome.tif"
    with tifffile.TiffFile(path) as tif:
        series, xml = tif.series[0], tif.ome_metadata or ""
        assert (series.kind, series.axes, series.dtype) == ("ome", "ZYX", np.uint16)
    assert 'Name="GFP"' in xml
    sizes = {"Z": (0.5, "µm"), "Y": (0.2, "µm"), "X": (0.1, "µm")}
    assert read_image(path).pixel_size == sizes


# --- Single files ------------------------------------------------------------------------------


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write(tmp_path / "image.tif", SMALL)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(("choice", "axis"), [("use", "T"), ("ignore", "")])
def test_adjacent_planes_of_a_stack(tmp_path: Path, out: Path, choice: str, axis: str):
    """The same as in Python, and it is told what was seen."""
    stack = noisy((3, 32, 32))
    path = write(tmp_path / "film.tif", stack, imagej=True, metadata={"axes": "TYX"})
    done = run(
        "denoise", path, "--output", out, *QUICK, "--adjacent-planes", choice, "--json"
    )  # fmt: skip
    (row,) = rows(done.stdout)
    assert row["stack_axis"] == axis
    settings = Settings(
        preset="fast", max_steps=5, partition_size=2, device="cpu", adjacent_planes=choice
    )
    expected = denoise(stack, settings, axes="TYX", dtype="same")
    np.testing.assert_array_equal(tifffile.imread(out / "film.tif"), expected)


def test_time_limit_without_a_limit_of_steps(image: Path, out: Path):
    started = time.monotonic()
    done = run("denoise", image, "--output", out, "--max-seconds", "0.5", "--json")
    assert time.monotonic() - started < 20
    (row,) = rows(done.stdout)
    assert 0 < row["steps"] < 1200
    assert row["training_seconds"] < 5
    assert tifffile.imread(out / "image.tif").shape == SMALL.shape


def test_float32_results_from_a_kept_model_in_another_process(image: Path, out: Path):
    common = ("denoise", image, "--dtype", "float32", "--json")
    model = out / "model.n2s"
    first = run(*common, "--output", out, "--save-model", model, "--network", "dncnn", *QUICK)
    again = run(*common, "--output", out / "again", "--model", model, "--device", "cpu")
    assert (first.returncode, again.returncode) == (0, 0)
    assert files(out) == ["again", "image.tif", "model.n2s"]
    results = [tifffile.imread(folder / "image.tif") for folder in (out, out / "again")]
    np.testing.assert_array_equal(*results)
    assert results[0].dtype == np.float32
    assert rows(first.stdout)[0]["held_out_loss"] == rows(again.stdout)[0]["held_out_loss"]
    trained_before = [
        (read_provenance(folder / "image.tif") or {})["trained_before"]
        for folder in (out, out / "again")
    ]
    assert trained_before == [False, True]


def test_one_model_for_many_files_of_different_sizes(tmp_path: Path):
    shapes = {"t1.tif": (64, 64), "t2.tif": (48, 80), "t10.tif": (33, 65)}
    for seed, (name, shape) in enumerate(shapes.items()):
        write(tmp_path / "in" / name, noisy(shape, seed))
    trained = run("train", "in", "--model", "many.n2s", *QUICK, "--json", cwd=tmp_path)
    (figures,) = rows(trained.stdout)
    assert (trained.returncode, trained.stderr) == (0, "")
    assert (figures["model"], figures["inputs"], figures["steps"]) == ("many.n2s", 3, 5)
    done = run(
        "denoise", "in", "--output", "out/new", "--model", "many.n2s", "--json", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["output"] for row in rows(done.stdout)] == [f"out/new/{name}" for name in shapes]
    model = Denoiser.load(tmp_path / "many.n2s")
    expected = Denoiser(Settings(preset="fast", max_steps=5, partition_size=2, device="cpu")).fit(
        [tifffile.imread(tmp_path / "in" / name) for name in shapes]
    )
    for name in shapes:
        source, result = (tifffile.imread(tmp_path / place / name) for place in ("in", "out/new"))
        np.testing.assert_array_equal(result, model.denoise(source, dtype="same"))
        np.testing.assert_array_equal(result, expected.denoise(source, dtype="same"))


def test_a_model_is_trained_for_longer(image: Path, tmp_path: Path):
    run("train", image, "--model", "first.n2s", *QUICK, cwd=tmp_path)
    more = ("--continue", "first.n2s", "--max-steps", "7", "--device", "cpu", "--json")
    done = run("train", image, "--model", "second.n2s", *more, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (figures,) = rows(done.stdout)
    assert (figures["steps"], figures["continued_after"]) == (12, [5])
    first, second = (Denoiser.load(tmp_path / f"{name}.n2s") for name in ("first", "second"))
    assert first.record.steps == 5
    assert second.settings.partition_size == 2


def test_existing_files_are_replaced_only_when_told_to(image: Path, out: Path):
    out.mkdir()
    model = out / "model"
    for path in (out / "image.tif", model):
        path.write_text("dear")
    common = ("denoise", image, "--output", out, *QUICK)
    assert "image.tif exists already; use --overwrite" in failure(*common)
    assert "model exists already; use --overwrite" in failure(*common, "--save-model", model)
    assert "model exists already; use --overwrite" in failure("train", image, "--model", model)
    assert {path.read_text() for path in (out / "image.tif", model)} == {"dear"}
    done = run(*common, "--save-model", model, "--overwrite")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{out / 'image.tif'}: ")
    assert all(text in done.stdout for text in ("5 steps", "held-out loss", "cpu"))
    assert tifffile.imread(out / "image.tif").shape == SMALL.shape
    assert Denoiser.load(model).record.steps == 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("denoise image.tif --output image.tif/out", "image.tif/out can't be made (Not a direc"),
        ("denoise image.tif --output out --model no.n2s", "no.n2s does not exist"),
        ("denoise image.tif --output out --model image.tif", "image.tif is no model file"),
        ("denoise image.tif --output out --save-model no/m", "no does not exist; make it first"),
        ("train image.tif --model no/m", "no does not exist; make it first"),
        ("train image.tif no.tif --model m", "no.tif does not exist"),
        ("train image.tif stack.tif --model m", "stack.tif has other axes (QYX) than image.tif (Y"),
        ("train image.tif empty.tif --model m", "empty.tif: The image has no finite pixels"),
        ("train image.tif mask.tif --model m", "mask.tif: A true/false image is a mask"),
        ("demo --output image.tif/demo", "image.tif/demo can't be made (Not a directory)"),
    ],
)
def test_failure_is_one_sentence(tmp_path: Path, image: Path, arguments: str, text: str):
    write(tmp_path / "stack.tif", np.stack([SMALL, SMALL]))
    write(tmp_path / "empty.tif", np.full(SMALL.shape, np.nan, np.float32))
    write(tmp_path / "mask.tif", SMALL > 120)
    before, started = files(tmp_path), time.monotonic()
    assert text in failure(*arguments.split(), cwd=tmp_path)
    assert time.monotonic() - started < 20, "the training was done in vain"
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "command", [("denoise", *QUICK), ("calibrate", "--method", "gaussian")], ids=lambda c: c[0]
)
def test_what_is_done_can_be_skipped(tmp_path: Path, out: Path, command: tuple[str, ...]):
    inputs = [write(tmp_path / name, SMALL) for name in ("a.tif", "b.tif")]
    write(out / "a.tif").write_text("dear")
    arguments = (*command, *inputs, "--output", out, "--skip-existing")
    done = run(*arguments)
    said = "files, whose results exist already.\n"
    assert (done.returncode, done.stderr) == (0, f"Skipped 1 of 2 {said}")
    assert done.stdout.startswith(f"{out / 'b.tif'}: ")
    assert (out / "a.tif").read_text() == "dear"
    again = run(*arguments)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", f"Skipped 2 of 2 {said}")


def test_notes_name_their_file(tmp_path: Path, out: Path):
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(SMALL)
        tif.write(SMALL[:16])
    note = f"{path}: Of 2 series in the file, only the first is read.\n"
    assert run("denoise", path, "--output", out, *QUICK).stderr == note
    assert run("train", path, "--model", tmp_path / "model", *QUICK).stderr == note


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_folder_where_nobody_can_write(image: Path):
    text = failure("denoise", image, "--output", "/proc/self/out")
    assert text.startswith(f"{image}: The folder /proc/self/out can't be made")
    for command in (
        ("train", image, "--model"),
        ("denoise", image, "--output", "o", "--save-model"),
    ):
        text = failure(*command, "/proc/m.n2s", cwd=image.parent)
        assert text.startswith("The folder /proc can't be written to")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_any_name_can_be_printed_in_any_encoding(tmp_path: Path, encoding: str):
    name = "細胞 \udcff.tif"  # the last letter is a byte that is no UTF-8
    write(tmp_path / name, np.ones((8, 8), np.uint8))
    environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding, "LC_ALL": "C.UTF-8"}
    done = run("denoise", name, "--output", "out", *QUICK, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\udcff.tif: " in done.stdout
    assert files(tmp_path / "out") == [name]


def test_missing_package(image: Path, out: Path):
    code = "import sys; sys.modules['torch'] = None; from napari_noise2self.cli import main; main()"
    assert "napari-noise2self doctor" in failure("denoise", image, "--output", out, code=code)


# --- Killed, interrupted, or nobody listens ------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_while_training(image: Path, out: Path, number: int):
    with start("denoise", image, "--output", out, *ENDLESS, code=TALKATIVE) as process:
        assert process.stdout is not None
        assert "training\n" in iter(process.stdout.readline, "")  # waits for that line
        process.send_signal(number)
        started = time.monotonic()
        _, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 10
    assert process.returncode not in (0, 1, 2)
    assert "Traceback" not in errors
    assert files(out) == []


@pytest.mark.parametrize(
    ("number", "overwrite"),
    [(signal.SIGINT, False), (signal.SIGTERM, True), (signal.SIGKILL, False)],
)
def test_killed_while_writing(image: Path, out: Path, number: int, overwrite: bool):
    old = write(out / "image.tif", np.ones((2, 2), np.uint8)).read_bytes() if overwrite else None
    common = ("denoise", image, "--output", out, *QUICK, *["--overwrite"] * overwrite)
    with start(*common, code=SLOW_DISK) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert len(files(out)) == 1 + overwrite
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, 1, 2)
    assert "Traceback" not in errors
    left = [name for name in files(out) if number != signal.SIGKILL or not name.endswith(".part")]
    assert left == ["image.tif"] * overwrite
    assert not overwrite or (out / "image.tif").read_bytes() == old


def test_reader_that_goes_away(tmp_path: Path, out: Path):
    for name in ("a.tif", "b.tif"):
        write(tmp_path / "in" / name, SMALL)
    with start("denoise", tmp_path / "in", "--output", out, *QUICK, "--json") as process:
        assert process.stdout is not None
        assert len(rows(process.stdout.readline())) == 1
        process.stdout.close()
        process.wait(timeout=60)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    for name in files(out):
        assert tifffile.imread(out / name).shape == SMALL.shape


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_standard_output_on_a_full_disk():
    with Path("/dev/full").open("w") as disk:
        done = run("doctor", stdout=disk)
    assert done.returncode == 1
    assert done.stderr == (
        "The output can't be written (No space left on device); check where it goes.\n"
    )


# --- On a terminal -----------------------------------------------------------------------------


def on_a_terminal(*arguments: Any, **options: Any) -> tuple[str, str]:
    """Return what a terminal shows of a command, and its standard output if not shown."""
    master, slave = os.openpty()
    environment = ENVIRONMENT | {"TERM": "xterm-256color", "NO_COLOR": "1"}
    process = start(*arguments, **{"stderr": slave, "env": environment, "stdout": slave} | options)
    os.close(slave)
    shown = b""
    with process, os.fdopen(master, "rb", buffering=0) as screen:
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:
            pass  # what Linux says when the terminal is closed
        output = process.stdout.read() if process.stdout else ""
    return shown.decode(), output


def test_progress_with_time_left_and_clean_lines(tmp_path: Path, out: Path):
    image = write(tmp_path / "image.tif", SMALL)
    (tmp_path / "text.tif").write_text("hello")
    limits = ("--max-steps", "20", "--partition-size", "2", "--device", "cpu")
    names = ("image.tif", "text.tif")
    shown, _ = on_a_terminal("denoise", *names, "--output", out, *limits, cwd=tmp_path)
    assert "training 1/2" in shown
    assert "s left" in shown
    for text in (f"{out / image.name}: ", "text.tif is not a TIFF file"):
        before = shown[: shown.index(text)]
        assert before.endswith(("\x1b[2K", "\n")), "the line was not clear"
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor is still hidden"


def test_json_goes_to_its_file_while_progress_is_shown(image: Path, out: Path):
    shown, output = on_a_terminal(
        "denoise", image, "--output", out, *QUICK, "--json", stdout=subprocess.PIPE
    )
    assert len(rows(output)) == 1
    assert "predicting" in shown
    assert "held_out_loss" not in shown


def test_interrupt_leaves_nothing_and_gives_the_cursor_back(image: Path, out: Path):
    shown, _ = on_a_terminal("denoise", image, "--output", out, *ENDLESS, code=INTERRUPTED)
    assert "Traceback" not in shown
    assert "calibrating" in shown
    assert files(out) == []
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


# --- What the package installs ------------------------------------------------------------------


def test_command_is_installed():
    assert Path(COMMAND).is_file()
    assert shutil.which(COMMAND)
