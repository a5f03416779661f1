"""The defaults of the dock are those of napari's Preferences, whatever became of their file."""

from contextlib import suppress

import numpy as np
import pytest
from drive import begin, open_dock, run, wait_for_training, wait_until_idle
from napari import settings
from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from qtpy.compat import isalive
from qtpy.QtWidgets import QApplication, QComboBox

from napari_noise2self import Settings
from napari_noise2self.widgets.form.preferences import Preferences


@pytest.fixture
def dialog(make_napari_viewer):
    """Napari's own dialog, at the page of this package, and a dock beside it."""
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    dialog = viewer.window._open_preferences_dialog()
    (item,) = (row for row in range(dialog._list.count()) if _title(dialog, row) == "Noise2Self")
    dialog._list.setCurrentRow(item)
    yield dialog, dock.form
    with suppress(RuntimeError):  # gone with its window
        dialog.reject()


def _title(dialog, row):
    return dialog._list.item(row).text()


def choose(dialog, value):
    """Choose a value where the page offers it."""
    for box in dialog._stack.currentWidget().findChildren(QComboBox):
        if box.findText(value) >= 0:
            box.setCurrentText(value)


def test_defaults_are_those_of_the_package_at_first(preferences):
    assert Preferences().defaults == Settings()


def test_dock_begins_with_the_preferences(viewer, preferences):
    preferences.preset = "best"
    preferences.partition = "random"
    preferences.mixed_precision = False
    form = open_dock(viewer).form
    assert form.settings == Settings(preset="best", partition="random", mixed_precision=False)


def test_defaults_button_goes_to_the_preferences(dock, preferences):
    preferences.prediction = "j-invariant"
    dock.form.set_settings(Settings(seed=3, device="cpu"))
    dock.form.defaults.click()
    assert dock.form.settings == Settings(prediction="j-invariant")


def test_open_dock_follows_where_nothing_else_was_chosen(dock, preferences):
    form = dock.form
    form.editor("preset").put("fast")
    form.editor("seed").put(7)
    preferences.preset = "best"
    preferences.device = "cpu"
    assert form.settings == Settings(preset="fast", seed=7, device="cpu")
    preferences.device = "auto"
    assert form.settings == Settings(preset="fast", seed=7)


def test_a_chosen_partition_size_keeps_its_kind(dock, preferences):
    form = dock.form
    form.editor("partition_size").put(6)
    preferences.partition = "random"
    assert form.settings == Settings(partition="grid", partition_size=6)


def test_running_training_keeps_its_settings(viewer, dock, qtbot, noisy, endless, preferences):
    """What it hides would else change while it runs."""
    viewer.add_image(noisy)
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    preferences.exclusion = "plus"
    assert dock.form.settings == endless
    dock.cancel()
    wait_until_idle(qtbot, dock)
    assert dock.form.settings == Settings(**endless.to_dict() | {"exclusion": "plus"})


def test_page_in_the_dialog_of_napari(dialog):
    dialog, form = dialog
    choose(dialog, "single-pass")
    choose(dialog, "fresh")
    assert form.settings == Settings(prediction="single-pass", start="fresh")
    dialog.reject()
    assert form.settings == Settings()


def test_dialog_restores_the_defaults(dialog, preferences):
    dialog, form = dialog
    choose(dialog, "best")
    assert form.settings == Settings(preset="best")
    get_plugin_settings("napari-noise2self").reset()  # as its button does, after a question
    assert form.settings == Settings()


def test_closed_dock_follows_no_more(viewer, dock, preferences):
    viewer.window.remove_dock_widget(dock.parent())
    preferences.preset = "best"
    assert dock.form.settings == Settings()


def test_closed_window_follows_no_more(make_napari_viewer, qtbot, preferences):
    """Qt has deleted the form, whose Python half lives on; napari lets go of it."""
    viewer = make_napari_viewer()
    form = open_dock(viewer).form
    viewer.close()
    qtbot.waitUntil(lambda: not isalive(form))
    preferences.preset = "best"


def test_code_of_a_result_gives_the_same_pixels(viewer, dock, qtbot, noisy, tiny, preferences):
    """The code knows nothing of preferences: it names all that differs from the package's."""
    preferences.prediction = "j-invariant"
    preferences.mixed_precision = False
    preferences.device = "cpu"
    layer = viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny.from_dict(tiny.to_dict() | {"prediction": "j-invariant"}))
    dock.models.copy.click()
    code = QApplication.clipboard().text()
    assert "prediction='j-invariant'" in code
    preferences.prediction = "single-pass"
    names = {"viewer": viewer}
    exec(code, names)
    np.testing.assert_array_equal(names["denoised"], viewer.layers["cells denoised"].data)
    assert layer in viewer.layers


@pytest.fixture
def file(plugin_settings, npe2pm, tmp_path):
    """Where napari keeps the preferences during the test; nothing is read of it so far."""
    npe2pm.register(PluginManifest.from_distribution("napari-noise2self"))
    return tmp_path / "napari-noise2self.yaml"


def test_preferences_are_kept(file):
    get_plugin_settings("napari-noise2self").denoise.device = "cpu"
    assert file.read_text() == "denoise:\n  device: cpu\n"
    assert Preferences().defaults == Settings(device="cpu")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("{", {}),
        ("- 1", {}),
        ("7", {}),
        ("1: 2", {}),
        ("denoise: 7", {}),
        ("denoise:", {}),
        ("denoise: {preset: splendid}", {}),
        ("denoise: {preset: [best], start: fresh}", {"start": "fresh"}),
        ("denoise: {colour: red, device: cpu}", {"device": "cpu"}),
        ("denoise: {exclusion: null}", {}),
        ("denoise: {mixed_precision: 7}", {}),
        ("other: {preset: best}", {}),
        ("\udcff", {}),
    ],
)
def test_file_edited_by_hand(file, text, expected, caplog):
    file.write_bytes(text.encode(errors="surrogateescape"))
    for _ in range(3):
        assert Preferences().defaults == Settings(**expected)
    told = [record for record in caplog.records if record.name.startswith("napari")]
    assert len(told) <= 1  # what napari itself doesn't take


def test_plugins_are_not_looked_for_again(viewer, monkeypatch):
    """That takes as long as half of the dock; napari has done it by now."""
    looked_for = []
    monkeypatch.setattr(settings, "_PLUGIN_SETTINGS", {})
    monkeypatch.setattr(PluginManifest, "discover", lambda **_: looked_for.append(1) or [])
    form = open_dock(viewer).form
    get_plugin_settings("napari-noise2self").denoise.preset = "best"
    assert form.settings == Settings(preset="best")
    assert looked_for == []


def test_package_disabled_in_napari(file, npe2pm):
    npe2pm.disable("napari-noise2self")
    assert Preferences().defaults == Settings()
