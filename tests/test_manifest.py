"""The manifest says what napari can find: npe2 itself accepts misspelt menus and commands."""

from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import yaml
from napari._app_model.constants import MenuId
from npe2 import PluginManifest
from npe2.manifest.contributions import ContributionPoints

from napari_noise2self import Settings
from napari_noise2self.widgets.calibrate import CalibrateWidget
from napari_noise2self.widgets.denoise import DenoiseWidget
from napari_noise2self.widgets.form.settings_form import SettingsForm
from napari_noise2self.widgets.form.settings_rows import advanced_rows, partition_row

PACKAGED = files("napari_noise2self") / "napari.yaml"
RAW = yaml.safe_load(PACKAGED.read_text())
CONTRIBUTIONS = RAW["contributions"]
PREFERENCES = CONTRIBUTIONS["configurations"]["denoise"]["properties"]


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution("napari-noise2self")


def test_root_manifest_is_the_packaged_one():
    root = Path(__file__).parents[1] / "napari.yaml"
    assert root.read_text() == PACKAGED.read_text()


def test_all_keys_are_known():
    assert RAW.keys() <= PluginManifest.model_fields.keys()
    assert CONTRIBUTIONS.keys() <= ContributionPoints.model_fields.keys()


def test_nothing_is_lost_in_reading(manifest):
    """Npe2 ignores keys that it does not know."""
    read = manifest.model_dump(exclude_unset=True, mode="json")["contributions"]
    for kind in ("commands", "widgets", "readers", "sample_data"):
        assert [entry.keys() for entry in CONTRIBUTIONS[kind]] == [e.keys() for e in read[kind]]
    assert read["configurations"] == CONTRIBUTIONS["configurations"]


def test_commands_are_defined_and_used():
    defined = [command["id"] for command in CONTRIBUTIONS["commands"]]
    menus = [entry for entries in CONTRIBUTIONS["menus"].values() for entry in entries]
    kinds = ("widgets", "readers", "sample_data")
    users = [*(user for kind in kinds for user in CONTRIBUTIONS[kind]), *menus]
    assert len(set(defined)) == len(defined)
    assert {user["command"] for user in users} == set(defined)
    assert all(name.startswith("napari-noise2self.") for name in defined)


def test_menus_take_contributions():
    assert CONTRIBUTIONS["menus"].keys() <= {menu.value for menu in MenuId.contributables()}


@pytest.mark.parametrize("name", PREFERENCES)
def test_preference_is_that_of_the_settings(name):
    """A number would have limits to compare, and no word for None."""
    preference, hint = PREFERENCES[name], get_type_hints(Settings)[name]
    (default,) = (field.default for field in fields(Settings) if field.name == name)
    assert preference["default"] == default
    assert preference["type"] == ("boolean" if hint is bool else "string")
    assert preference.get("enum", []) == list(get_args(hint))


def test_preferences_are_told_in_the_words_of_the_dock(qtbot):
    form = SettingsForm()
    for part in (form, form.preset, form.advanced):
        qtbot.addWidget(part)
    labels = {name: label for name, label, *_ in [*partition_row(), *advanced_rows()]}
    for name, preference in PREFERENCES.items():
        assert preference["title"] == labels.get(name, "Preset")
        assert preference["description"] == form.editor(name).toolTip()


def test_python_names_can_be_imported(manifest):
    manifest.validate_imports()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Denoise", DenoiseWidget), ("Calibrate classic filters", CalibrateWidget)],
)
def test_widget_opens(make_napari_viewer_proxy, name, kind):
    viewer = make_napari_viewer_proxy()
    _, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", name)
    assert isinstance(opening.dock, kind)


@pytest.mark.parametrize("key", [sample["key"] for sample in CONTRIBUTIONS["sample_data"]])
def test_sample_opens(make_napari_viewer_proxy, key):
    viewer = make_napari_viewer_proxy()
    (layer,) = viewer.open_sample("napari-noise2self", key)
    assert layer.data.ndim == (3 if key == "film" else 2)
    assert layer.data.dtype == np.uint16
