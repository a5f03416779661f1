"""Docks that open in steps: nothing is seen of one before it is whole."""

import pytest
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_noise2self.widgets.denoise import DenoiseWidget

BOTH = pytest.mark.parametrize("name", ["Denoise", "Calibrate classic filters"])


class Eye(QObject):
    """Notes what of napari's frame is to be seen, each time that Qt shows or lays it out."""

    def __init__(self, frame):
        super().__init__(frame)
        self.seen = []
        frame.installEventFilter(self)

    def eventFilter(self, frame, event):  # noqa: N802
        if event.type() in (QEvent.Type.Show, QEvent.Type.Resize) and frame.isVisible():
            self.seen.append((frame.width(), len(frame.widget().findChildren(QWidget))))
        return False


@BOTH
def test_window_lives_while_a_dock_opens_which_is_seen_once(make_napari_viewer, qtbot, name):
    viewer = make_napari_viewer(show=True)
    qtbot.wait(200)
    frame, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", name)
    eye = Eye(frame)
    assert not frame.isVisible()
    turns, counter = [], QTimer()
    counter.timeout.connect(lambda: turns.append(frame.isVisible()))
    counter.start(0)
    qtbot.waitUntil(frame.isVisible)
    counter.stop()
    qtbot.wait(300)
    assert turns.count(False) > 4  # one after each step
    assert {children for _, children in eye.seen} == {len(opening.findChildren(QWidget))}
    assert len({width for width, _ in eye.seen[1:]}) <= 1  # laid out once
    assert opening.dock.isVisible()
    assert opening.dock.width() == opening.width()


@BOTH
def test_who_asks_for_a_dock_gets_a_whole_one(viewer, qtbot, noisy, name):
    frame, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", name)
    cells = viewer.add_image(noisy)
    dock = opening.dock
    assert dock.images.value == cells
    assert not frame.isHidden()
    qtbot.wait(50)
    assert opening.dock is dock
    viewer.layers.clear()
    assert dock.images.value is None


def test_layers_that_come_while_it_opens_are_offered(viewer, qtbot, noisy):
    frame, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
    viewer.add_image(noisy, name="first")
    qtbot.wait(1)
    viewer.add_image(noisy, name="second")
    qtbot.waitUntil(lambda: not frame.isHidden())
    assert [layer.name for layer in opening.dock.images.choices] == ["first", "second"]


def test_it_gets_more_room_than_docks_above(make_napari_viewer, qtbot):
    """As any dock does that napari adds."""
    viewer = make_napari_viewer(show=True)
    frames = []
    for name in ("Denoise", "Calibrate classic filters"):
        frame, _ = viewer.window.add_plugin_dock_widget("napari-noise2self", name)
        qtbot.waitUntil(frame.isVisible)
        frames.append(frame)
    qtbot.wait(100)
    above, below = frames
    assert below.height() > 1.5 * above.height()


def test_docks_opened_at_once_share_the_room_as_those_opened_one_by_one(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    above, below = (
        viewer.window.add_plugin_dock_widget("napari-noise2self", name)[0]
        for name in ("Denoise", "Calibrate classic filters")
    )
    qtbot.waitUntil(lambda: above.isVisible() and below.isVisible())
    qtbot.wait(100)
    assert below.height() > 1.5 * above.height()


@pytest.mark.parametrize("asked", [True, False])
def test_nothing_is_left_of_a_dock_that_fails(viewer, qtbot, noisy, monkeypatch, asked):
    def fail(self, viewer):
        raise RuntimeError("no dock")

    monkeypatch.setattr(DenoiseWidget, "__init__", fail)
    with qtbot.capture_exceptions() as told:
        _, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
        if asked:
            with pytest.raises(RuntimeError, match="no dock"):
                opening.dock  # noqa: B018
        else:
            qtbot.waitUntil(lambda: bool(told))
    assert [str(error) for _, error, _ in told] == ([] if asked else ["no dock"])
    assert not viewer.window.dock_widgets
    viewer.add_image(noisy)  # nobody is there to follow
    monkeypatch.undo()
    again, _ = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
    qtbot.waitUntil(lambda: not again.isHidden())


@BOTH
@pytest.mark.parametrize("turns", [0, 2])
def test_closed_while_it_opens(viewer, qtbot, noisy, name, turns):
    frame, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", name)
    for _ in range(turns):
        opening._step()
    viewer.window.remove_dock_widget(frame)
    viewer.add_image(noisy)
    qtbot.wait(100)
    assert opening.dock is None
    assert not opening.isVisible()
    callbacks = viewer.layers.events.inserted.callbacks
    assert not [callback for callback in callbacks if "reset_choices" in f"{callback}"]
    opening.deleteLater()
    qtbot.wait(10)
