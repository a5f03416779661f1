"""Many files: what becomes what, and what became of each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_noise2self import Denoiser, Progress, Settings, batch, denoise
from napari_noise2self.batch import Job, Outcome, PlanError, plan
from napari_noise2self.images import ImageError, read_image, read_provenance
from napari_noise2self.training.schedule import Schedule
from shell import noisy, write
from simulate import TINY

QUICK = Settings(**TINY, max_steps=5, partition_size=2)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write(tmp_path / "image.tif")


def run(*jobs: Job, **options: Any) -> list[Outcome]:
    return list(batch.run(jobs, options.pop("work", QUICK), **options))


def run_one(source: Path, out: Path, **options: Any) -> Outcome:
    (outcome,) = run(*plan([source], out), **options)
    return outcome


# --- Plan --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("a.tif", "a.tif"),
        ("a.TIFF", "a.TIFF"),
        ("a.ome.tif", "a.ome.tif"),
        ("a.lsm", "a.lsm.tif"),
        ("a", "a.tif"),
        ("Zelle µ 1.tif", "Zelle µ 1.tif"),
    ],
)
def test_results_keep_the_names_of_their_inputs(tmp_path: Path, out: Path, name: str, result: str):
    assert plan([tmp_path / name], out) == [Job(tmp_path / name, out / result)]


def test_folders_give_their_tiffs_in_natural_order(tmp_path: Path, out: Path):
    for name in ("t10.tif", "t2.tif", "notes.txt"):
        (tmp_path / name).touch()
    assert [job.input.name for job in plan([tmp_path], out)] == ["t2.tif", "t10.tif"]


def test_file_named_twice_is_denoised_once(image: Path, out: Path):
    assert len(plan([image, image.parent, image], out)) == 1


def test_missing_files_and_empty_folders_stay_in_the_plan(tmp_path: Path, out: Path):
    inputs = [tmp_path / "missing.tif", tmp_path]
    assert [job.input for job in plan(inputs, out)] == inputs


def test_same_names_from_two_folders_collide(tmp_path: Path, out: Path):
    inputs = [write(tmp_path / folder / "a.tif") for folder in "xy"]
    with pytest.raises(PlanError, match="would both become"):
        plan(inputs, out)


@pytest.mark.parametrize("way", ["folder", "link to the folder", "link to the file", "dots"])
def test_an_input_is_never_a_result(image: Path, out: Path, way: str):
    if way == "link to the folder":
        out.symlink_to(image.parent)
    elif way == "link to the file":
        out.mkdir()
        (out / image.name).symlink_to(image)
    else:
        out = image.parent if way == "folder" else image.parent / "." / ".." / image.parent.name
    with pytest.raises(PlanError, match="would be replaced"):
        plan([image], out)


# --- Run ---------------------------------------------------------------------------------------


def test_outcome_of_a_file(image: Path, out: Path):
    before = image.read_bytes()
    outcome = run_one(image, out)
    expected = denoise(tifffile.imread(image), QUICK, dtype="same")
    np.testing.assert_array_equal(tifffile.imread(out / "image.tif"), expected)
    assert outcome.error == ""
    assert outcome.figures["steps"] == 5
    assert outcome.seconds > 0
    assert image.read_bytes() == before
    assert [path.name for path in out.iterdir()] == ["image.tif"]


def test_outcomes_are_plain_values_with_the_same_names(image: Path, out: Path):
    good, bad = run(*plan([image, image.with_name("missing.tif")], out))
    common = {"input", "output", "seconds", "held_out_loss", "steps", "device", "notes", "error"}
    for outcome in (good, bad):
        assert common <= set(json.loads(json.dumps(outcome.to_dict(), allow_nan=False)))
    assert good.to_dict()["output"] == str(out / "image.tif")
    assert good.to_dict()["error"] is None
    assert bad.to_dict()["output"] is None
    assert "does not exist" in bad.to_dict()["error"]


def test_one_failure_does_not_stop_the_others(tmp_path: Path, out: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tif").write_text("hello")
    names = ["missing.tif", "empty", "text.tif", "good.tif"]
    write(tmp_path / "good.tif")
    outcomes = run(*plan([tmp_path / name for name in names], out))
    errors = ["does not exist", "has no .tif or .tiff files", "is not a TIFF file"]
    assert all(text in outcome.error for text, outcome in zip(errors, outcomes, strict=False))
    assert [bool(outcome.error) for outcome in outcomes] == [True, True, True, False]
    assert [path.name for path in out.iterdir()] == ["good.tif"]


def test_a_bug_does_not_stop_the_others(
    tmp_path: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """What went wrong is there to be reported, with where it did."""
    paths = [tmp_path / name for name in ("bad.tif", "good.tif")]
    for path in paths:
        write(path)
    fit = Denoiser.fit

    def fail_once(*args: Any, **more: Any) -> Denoiser:
        monkeypatch.setattr(Denoiser, "fit", fit)
        raise IndexError("index 9 is out of bounds")

    monkeypatch.setattr(Denoiser, "fit", fail_once)
    bad, good = run(*plan(paths, out))
    assert bad.error == (
        "IndexError: index 9 is out of bounds; please report it with what is above."
    )
    assert "fail_once" in caplog.text
    assert not good.error
    assert [path.name for path in out.iterdir()] == ["good.tif"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
        (ValueError("first line\n  second line"), "first line second line"),
        (RuntimeError("first line\n  second line"), "RuntimeError: first line second line; please"),
        (OSError(), "OSError"),
    ],
)
def test_any_trouble_becomes_one_sentence(
    image: Path, out: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
):
    def fit(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Denoiser, "fit", fit)
    assert sentence in run_one(image, out).error
    assert "\n" not in run_one(image, out).error


@pytest.mark.parametrize("dangling", [True, False])
def test_existing_results_are_refused_before_the_work(
    image: Path, out: Path, monkeypatch: pytest.MonkeyPatch, dangling: bool
):
    monkeypatch.setattr(Denoiser, "fit", lambda *_, **__: pytest.fail("worked in vain"))
    out.mkdir()
    if dangling:
        (out / "image.tif").symlink_to("nowhere")
    else:
        (out / "image.tif").write_text("dear")
    assert "--overwrite" in run_one(image, out).error
    assert dangling or (out / "image.tif").read_text() == "dear"


def test_existing_results_are_replaced_when_told_to(image: Path, out: Path):
    write(out / "image.tif", np.zeros((2, 2), np.uint8))
    assert not run_one(image, out, overwrite=True).error
    assert tifffile.imread(out / "image.tif").shape == (64, 64)


def test_folder_that_cannot_be_made_is_noticed_before_the_work(
    image: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Denoiser, "fit", lambda *_, **__: pytest.fail("worked in vain"))
    error = run_one(image, image / "out").error
    assert error == f"The folder {image / 'out'} can't be made (Not a directory); choose another."


def test_folder_that_cannot_be_written_is_noticed_before_the_work(
    image: Path, out: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Denoiser, "fit", lambda *_, **__: pytest.fail("worked in vain"))
    monkeypatch.setattr(batch, "is_writable", lambda _: False)
    assert "can't be written to" in run_one(image, out).error


def test_a_folder_in_place_of_a_result_is_noticed_before_the_work(
    image: Path, out: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Denoiser, "fit", lambda *_, **__: pytest.fail("worked in vain"))
    (out / "image.tif").mkdir(parents=True)
    assert "is a folder; move it" in run_one(image, out, overwrite=True).error


def test_trained_model_denoises_many_files(image: Path, out: Path):
    other = write(image.with_name("other.tif"), noisy((48, 80), seed=1))
    denoiser = Denoiser(QUICK).fit(tifffile.imread(image))
    outcomes = run(*plan([image, other], out), work=denoiser)
    assert not any(outcome.error for outcome in outcomes)
    for path in (image, other):
        expected = denoiser.denoise(tifffile.imread(path), dtype="same")
        np.testing.assert_array_equal(tifffile.imread(out / path.name), expected)


def test_an_image_unlike_those_of_the_model_is_told(image: Path, out: Path):
    denoiser = Denoiser(QUICK).fit(tifffile.imread(image))
    assert not any("unlike" in note for note in run_one(image, out, work=denoiser).notes)
    brighter = image.with_name("brighter.tif")
    tifffile.imwrite(brighter, 10 * tifffile.imread(image).astype(np.uint16))
    outcome = run_one(brighter, out, work=denoiser)
    assert not outcome.error
    assert any("unlike those that the model was trained on" in note for note in outcome.notes)


def test_model_can_be_kept_in_the_new_folder(image: Path, out: Path):
    assert not run_one(image, out, save_model=out / "model.n2s").error
    expected = Denoiser.load(out / "model.n2s").denoise(tifffile.imread(image), dtype="same")
    np.testing.assert_array_equal(tifffile.imread(out / "image.tif"), expected)


def test_a_model_that_cannot_be_kept_does_not_cost_the_result(image: Path, out: Path):
    error = run_one(image, out, save_model=out / "nowhere" / "model.n2s").error
    assert error == (
        f"{out / 'nowhere' / 'model.n2s'} can't be written (No such file or directory); "
        "check the folder and its space."
    )
    assert tifffile.imread(out / "image.tif").shape == (64, 64)


@pytest.mark.parametrize("calibrated", [False, True])
def test_an_alpha_channel_stays_as_it_is(tmp_path: Path, out: Path, calibrated: bool):
    image = np.random.default_rng(0).integers(20, 90, (32, 32, 4)).astype(np.uint8)
    options: dict[str, Any] = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    jobs = plan([write(tmp_path / "rgba.tif", image, **options)], out)
    if calibrated:
        (outcome,) = batch.calibrate(jobs, QUICK, method="gaussian")
    else:
        (outcome,) = run(*jobs)
        assert len(outcome.figures["noise"]) == 3
    assert not outcome.error
    result = tifffile.imread(out / "rgba.tif")
    np.testing.assert_array_equal(result[..., 3], image[..., 3])
    assert (result[..., :3] != image[..., :3]).any()


def test_notes_of_the_file_reach_the_user(tmp_path: Path, out: Path):
    with tifffile.TiffWriter(tmp_path / "two.tif") as tif:
        tif.write(noisy())
        tif.write(noisy((32, 32)))
    assert "only the first" in run_one(tmp_path / "two.tif", out).notes[0]


@pytest.mark.parametrize("stage", ["training", "predicting"])
def test_interrupted_while(image: Path, out: Path, stage: str):
    other = write(image.with_name("other.tif"))

    def report(progress: Progress) -> None:
        if progress.stage == stage and (out / "image.tif").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(*plan([image, other], out), report=report)
    assert [path.name for path in out.iterdir()] == ["image.tif"]


# --- Provenance --------------------------------------------------------------------------------

CHANGED = {"seed": 3, "network": "dncnn", "partition": "random", "partition_size": 3}


@pytest.mark.parametrize("settings", [{}, CHANGED, {"prediction": "j-invariant", "fill": "zero"}])
def test_provenance_is_enough_to_make_a_result_again(
    image: Path, out: Path, settings: dict[str, Any]
):
    outcome = run_one(image, out, work=Settings(**{**QUICK.to_dict(), **settings}))
    made_by = read_provenance(out / "image.tif")
    assert made_by is not None
    source = read_image(image)
    again = denoise(
        source.data, Settings.from_dict(made_by["settings"]), axes=source.axes, dtype="same"
    )
    np.testing.assert_array_equal(tifffile.imread(out / "image.tif"), again)
    assert made_by["figures"] == json.loads(json.dumps(outcome.figures))
    assert made_by["trained_before"] is False


def test_training_that_time_cut_short_can_be_made_again(
    image: Path, out: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:  # time is up after 70 of the 1200 steps of the preset
        patch.setattr(Schedule, "_affordable", lambda *_: 70)
        run_one(image, out, work=replace(QUICK, max_steps=None), save_model=out / "model")
    made_by = read_provenance(out / "image.tif")
    assert made_by is not None
    settings = Settings.from_dict(made_by["settings"])
    settings = replace(settings, max_steps=made_by["figures"]["planned_steps"], max_seconds=600)
    source = tifffile.imread(image)
    again = Denoiser(settings).fit(source)
    np.testing.assert_array_equal(
        tifffile.imread(out / "image.tif"), again.denoise(source, dtype="same")
    )
    histories = (each.record.history for each in (Denoiser.load(out / "model"), again))
    first, second = ([(step, loss) for step, _, loss in history] for history in histories)
    assert first == second


def test_provenance_tells_of_a_model_that_was_trained_before(image: Path, out: Path):
    run_one(image, out, work=Denoiser(QUICK).fit(noisy(seed=1)))
    made_by = read_provenance(out / "image.tif")
    assert made_by is not None
    assert made_by["trained_before"] is True


def test_folder_is_made_with_its_parents(tmp_path: Path):
    batch.make_folder(tmp_path / "a" / "b")
    batch.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(ImageError, match="can't be made"):
        batch.make_folder(write(tmp_path / "file"))
