"""Sentences are shown as they are, but for words that are too long for the dock."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_noise2self.widgets.form.prose import Prose, as_tooltip


@pytest.fixture
def prose(qtbot):
    prose = Prose()
    qtbot.addWidget(prose)
    return prose


def test_sentences_are_copied_with_the_keyboard(prose, qtbot):
    sentences = "The model was saved as /data/of-one/long_experiment/in_May/cells.safetensors."
    with qtbot.waitExposed(prose):
        prose.say(sentences)
    prose.setFocus()
    QTest.keyClick(prose, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(prose, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == sentences
    assert not prose.toolTip()


def test_long_words_are_shown_in_short(prose):
    word = f"a{'_' * 99}z"
    prose.say(f"Done: {word}.\n")
    shown = Prose.mro()[1].text(prose)
    assert shown.startswith("Done: a_")
    assert shown.endswith("_z.\n")
    assert "…" in shown
    assert prose.text() == prose.accessibleName() == f"Done: {word}.\n"
    assert word in prose.toolTip()
    prose.say("Done.")
    assert not prose.toolTip()


def test_names_are_no_markup(prose):
    prose.say("Done: layer '<b>x</b> <img src=y>'.")
    assert prose.textFormat() == Qt.TextFormat.PlainText
    tooltip = as_tooltip("Model '<b>x</b>'\n& co")
    assert tooltip == "<qt>Model '&lt;b&gt;x&lt;/b&gt;'<br>&amp; co</qt>"
