"""The dock begins with what was chosen for the last training, whatever became of its file."""

import json
from dataclasses import replace

import pytest
from drive import open_dock, run

from napari_noise2self import Settings
from napari_noise2self.settings import BUDGETS
from napari_noise2self.widgets.form import memory

OTHER = Settings(
    preset="best",
    partition="random",
    partition_size=30,
    exclusion="plus",
    depth=3,
    max_steps=77,
    max_seconds=1.5,
    seed=5,
    device="cpu",
)


@pytest.fixture
def path(monkeypatch, tmp_path):
    """Where the settings are kept during the test; the folder is not there yet."""
    path = tmp_path / "config" / memory.FILE
    monkeypatch.setattr(memory, "memory_path", lambda: path)
    return path


def test_settings_are_kept(path):
    assert memory.remembered() == Settings()
    memory.remember(OTHER)
    assert memory.remembered() == OTHER
    assert [file.name for file in path.parent.iterdir()] == [memory.FILE]


def test_only_what_was_chosen_is_kept(path, preferences):
    """All else follows the preferences; what was chosen against one of them stays."""
    preferences.start = "fresh"
    memory.remember(Settings(start="pretrained", prediction="j-invariant"))
    assert json.loads(path.read_text())["chosen"].keys() == {"start", "prediction"}
    preferences.preset = "best"
    preferences.prediction = "single-pass"
    assert memory.remembered() == Settings(preset="best", prediction="j-invariant")


def test_a_partition_size_keeps_its_kind(path, preferences):
    preferences.partition = "random"
    memory.remember(Settings(partition="random", partition_size=30))  # too large for a grid
    preferences.partition = "grid"
    assert memory.remembered() == Settings(partition="random", partition_size=30)


def test_files_of_earlier_versions_have_all_settings(path, preferences):
    """There were no preferences: what was the package's default then was not chosen."""
    path.parent.mkdir()
    path.write_text(json.dumps(OTHER.to_dict()))
    assert memory.remembered() == OTHER
    preferences.start = "fresh"
    preferences.preset = "fast"
    assert memory.remembered() == replace(OTHER, start="fresh")


def test_the_next_dock_begins_where_the_last_training_was(path, viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy)
    settings = replace(tiny, partition="random", partition_size=7, seed=3)
    run(qtbot, dock, settings)
    dock.form.set_settings(replace(settings, seed=4))  # tried, but not used
    viewer.window.remove_dock_widget(dock.parent())
    assert open_dock(viewer).form.settings == settings


def test_remembered_settings_are_shown_and_defaults_bring_back_the_others(path, viewer):
    memory.remember(OTHER)
    form = open_dock(viewer).form
    assert form.settings == OTHER
    assert form.editor("partition_size").number.maximum() == 400
    form.defaults.click()
    assert form.settings == Settings()
    seconds = BUDGETS["pretrained"]["balanced"].max_seconds
    assert f"{seconds:.0f} s at most" in form.preset.explanation.text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '"best"',
        "null",
        "[" * 100_000,
        "\udcff",
        '{"preset": "splendid"}',
        '{"colour": "red"}',
        '{"seed": [1]}',
        '{"preset": ["best"]}',
        '{"max_seconds": NaN}',
        '{"partition": "grid", "partition_size": 11}',
        json.dumps(OTHER.to_dict() | {"width": "wide"}),
        '{"chosen": 7}',
        '{"chosen": null}',
        '{"chosen": ["preset"]}',
        '{"chosen": {"colour": "red"}}',
        '{"chosen": {"seed": "1"}}',
        '{"chosen": {"partition_size": 30}}',
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_settings_is_not_taken(path, text):
    path.parent.mkdir()
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert memory.remembered() == Settings()


def test_no_place_to_keep_them(path):
    path.parent.write_text("a file, where a folder should be")
    memory.remember(OTHER)
    assert memory.remembered() == Settings()


def test_they_lie_beside_those_of_napari(monkeypatch, tmp_path):
    class Stored:
        config_path = tmp_path / "settings.yaml"

    monkeypatch.setattr(memory, "get_settings", Stored)
    assert memory.memory_path() == tmp_path / memory.FILE
    Stored.config_path = None
    assert memory.memory_path() is None
