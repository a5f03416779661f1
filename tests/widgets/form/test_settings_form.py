"""The form shows settings, and gives back what it shows."""

from dataclasses import fields, replace

import pytest
from qtpy.QtCore import QLocale, Qt
from qtpy.QtTest import QTest

from napari_noise2self import Settings
from napari_noise2self.settings import BUDGETS
from napari_noise2self.widgets.form.settings_form import SettingsForm

OTHER = {
    "preset": "best",
    "start": "fresh",
    "partition": "random",
    "partition_size": 9,
    "exclusion": "plus",
    "exclusion_radius": 3,
    "fill": "zero",
    "adjacent_planes": "ignore",
    "network": "dncnn",
    "width": 48,
    "depth": 5,
    "prediction": "j-invariant",
    "patch_size": 96,
    "batch_size": 3,
    "learning_rate": 0.000345678,
    "max_steps": 1234,
    "max_seconds": 12.5,
    "seed": 2**31 - 1,
    "device": "cpu",
    "mixed_precision": False,
}


@pytest.fixture
def country(request):
    """What a number looks like there."""
    home = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield
    QLocale.setDefault(home)


@pytest.fixture
def form(qtbot):
    form = SettingsForm()
    qtbot.addWidget(form)
    qtbot.addWidget(form.preset)
    qtbot.addWidget(form.advanced)
    return form


def test_defaults(form):
    assert form.settings == Settings()


def test_every_setting_has_a_row_a_tooltip_and_a_round_trip(form):
    assert OTHER.keys() == {field.name for field in fields(Settings)}
    for name, value in OTHER.items():
        assert form.editor(name).toolTip()
        settings = replace(Settings(), **{name: value})
        form.set_settings(settings)
        assert form.settings == settings
        assert getattr(form.settings, name) == value


def test_all_at_once_and_back(form):
    form.set_settings(Settings(**OTHER))
    assert form.settings == Settings(**OTHER)
    form.set_settings(Settings())
    assert form.settings == Settings()


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("exclusion_radius", (1, 4)),
        ("width", (4, 256)),
        ("depth", (1, 5)),
        ("patch_size", (16, 512)),
        ("batch_size", (1, 256)),
        ("max_steps", (0, 10_000_000)),
        ("max_seconds", (0.1, 30 * 24 * 3600.0)),
        ("seed", (0, 2**31 - 1)),
        ("learning_rate", (1e-6, 1.0)),
    ],
)
def test_limits_are_those_of_the_settings(form, name, limits):
    for limit in limits:
        form.set_settings(replace(Settings(), **{name: limit}))
        assert getattr(form.settings, name) == limit
    low, high = limits
    for beyond in (low - 1, high + 1):
        with pytest.raises(ValueError, match=name):
            replace(Settings(), **{name: beyond})


@pytest.mark.parametrize(("kind", "limits"), [("grid", (2, 10)), ("random", (2, 400))])
def test_limits_of_the_partition_size(form, kind, limits):
    form.set_settings(Settings(partition=kind))
    size = form.editor("partition_size")
    for limit in limits:
        size.put(limit)
        assert form.settings.partition_size == limit
    size.put(limits[1] + 1)
    assert form.settings.partition_size == limits[1]
    with pytest.raises(ValueError, match="partition_size"):
        Settings(partition=kind, partition_size=limits[1] + 1)


@pytest.mark.parametrize(("network", "most"), [("unet", 5), ("dncnn", 20)])
def test_limits_of_the_depth(form, network, most):
    form.set_settings(Settings(network=network, depth=most))
    assert form.settings.depth == most
    form.editor("depth").put(most + 1)
    assert form.settings.depth == most


@pytest.mark.parametrize(
    ("kind", "usual", "other", "number", "chosen", "chosen_for_other"),
    [
        ("partition", "grid", "random", "partition_size", 6, 100),
        ("network", "unet", "dncnn", "depth", 4, 12),
    ],
)
def test_each_kind_remembers_its_number(form, kind, usual, other, number, chosen, chosen_for_other):
    form.editor(number).put(chosen)
    form.editor(kind).put(other)
    assert getattr(form.settings, number) is None
    form.editor(number).put(chosen_for_other)
    form.editor(kind).put(usual)
    assert getattr(form.settings, number) == chosen
    form.editor(kind).put(other)
    assert getattr(form.settings, number) == chosen_for_other


def test_none_is_said_in_words(form):
    assert form.editor("partition_size").text() == "auto (3)"
    form.editor("partition").put("random")
    assert form.editor("partition_size").text() == "auto (25)"
    form.editor("partition").put("grid")
    form.editor("exclusion").put("plus")  # which needs room
    assert form.editor("partition_size").text() == "auto (5)"
    form.editor("exclusion").put("none")
    assert form.editor("depth").text() == "auto"
    assert form.editor("exclusion_radius").text() == "auto"
    assert form.editor("max_steps").text() == "from preset"
    assert form.editor("max_seconds").text() == "from preset"


def test_fractions_are_written_without_needless_zeros(form):
    form.editor("learning_rate").put(0.002)
    assert form.editor("learning_rate").text() == "0.002"


@pytest.mark.parametrize("country", ["de_DE", "fr_FR", "ar_EG", "en_US"], indirect=True)
@pytest.mark.parametrize(
    ("name", "before", "keys", "after"),
    [
        ("learning_rate", 0.0015, "\b", 0.001),
        ("max_seconds", 12.5, "5", 12.55),
        ("max_seconds", None, "1000", 1000.0),
        ("learning_rate", None, "0.003", 0.003),
        ("learning_rate", None, "0,003", 0.003),
        ("max_steps", 20_000, "5", 200_005),
        ("max_steps", None, "1.234", 1234),
    ],
)
def test_numbers_are_typed_in_any_country(country, form, name, before, keys, after):
    editor = form.editor(name)
    editor.put(before)
    editor.lineEdit().end(False)
    if before is None:
        editor.selectAll()
    for key in keys:
        QTest.keyClick(editor, Qt.Key.Key_Backspace if key == "\b" else key)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert getattr(form.settings, name) == after
    editor.interpretText()
    assert getattr(form.settings, name) == after


@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
@pytest.mark.parametrize("start", BUDGETS)
def test_preset_is_explained(form, preset, start):
    form.preset.buttons.put(preset)
    form.editor("start").put(start)
    budget = BUDGETS[start][preset]
    assert f"{budget.max_steps:,} training steps" in form.preset.explanation.toolTip()
    form.editor("width").put(16)  # there are no pretrained weights for that
    budget = BUDGETS["fresh"][preset]
    assert f"{budget.max_steps:,} training steps" in form.preset.explanation.toolTip()


def test_preset_is_explained_for_the_image_at_hand(form):
    assert "trains for 15 s at most" in form.preset.explanation.text()
    form.explain_for(16 * 512**2)
    assert "trains for 60 s at most" in form.preset.explanation.text()
    assert "2,000 training steps" in form.preset.explanation.toolTip()
    form.editor("max_seconds").put(20.0)
    assert "trains for 20 s at most" in form.preset.explanation.text()


def test_advanced_is_folded_away_at_first(form, qtbot):
    form.advanced.show()
    assert not form.editor("width").isVisible()
    form.advanced.header.click()
    assert form.editor("width").isVisible()
