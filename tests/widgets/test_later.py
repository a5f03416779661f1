"""Parts of the dock that are made when they are first wanted."""

from drive import run
from qtpy.QtWidgets import QLabel

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
