"""Parts of the dock that are made when they are first wanted."""

import time

from drive import open_dock, run
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel

from napari_noise2self.widgets import opening
from napari_noise2self.widgets.later import Later
from napari_noise2self.widgets.plots.plot import Plot


def test_made_once(qtbot):
    made = []
    later = Later(lambda: made.append(QLabel("a part")) or made[-1])
    qtbot.addWidget(later)
    assert later.made is None
    assert later.isHidden()
    assert later.part is later.part is later.made
    assert len(made) == 1
    assert later.part.parent() is later


def test_the_dock_opens_without_plots(viewer, dock, qtbot, noisy, tiny):
    assert dock.findChildren(Plot) == []
    viewer.add_image(noisy[:24, :24], name="cells")  # too small for a noise model, as is said
    run(qtbot, dock, tiny)
    assert dock.findChildren(Plot) == [dock.plot]
    dock.figures.details.header.click()
    assert set(dock.findChildren(Plot)) == {dock.plot, dock.figures.noise}
    assert dock.figures.noise.reading.text()


def test_plots_are_loaded_when_the_dock_has_been_seen(make_napari_viewer, qtbot, monkeypatch):
    """Not before: it takes as long as all the rest, which the user would wait for."""
    told = []
    monkeypatch.setattr(opening, "load_plots", lambda: told.append("loaded"))

    class Eye(QObject):
        def eventFilter(self, watched, event):  # noqa: N802
            if event.type() == QEvent.Type.Paint:
                told.append("seen")
            return False

    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    eye = Eye()
    dock.start_button.installEventFilter(eye)
    time.sleep(0.1)  # as on a slow computer
    qtbot.waitUntil(lambda: "loaded" in told)
    assert told[0] == "seen"
    qtbot.wait(200)
    assert told.count("loaded") == 1
