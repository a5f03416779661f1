"""Fixtures for the tests of the dock."""

import weakref
from dataclasses import replace

import pytest
from drive import open_dock, wait_for_threads
from napari.settings import get_plugin_settings
from napari.utils.notifications import notification_manager

from napari_noise2self.denoiser import Denoiser


@pytest.fixture(autouse=True)
def forgetful():
    """Each dock starts with the package's own defaults; of the last settings there is no file."""
    get_plugin_settings("napari-noise2self").reset()


@pytest.fixture
def preferences():
    """The user's preferences, as napari keeps them."""
    return get_plugin_settings("napari-noise2self").denoise


@pytest.fixture
def endless(tiny):
    """Settings for a training that only ends when it is told to."""
    return replace(tiny, max_steps=1_000_000, max_seconds=600.0)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    """A viewer without layers."""
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer, qtbot):
    """The dock, opened as a user opens it; whatever it does is cancelled after the test."""
    widget = open_dock(viewer)
    opening = widget.parent()
    yield widget
    widget.cancel()
    wait_for_threads(qtbot)
    if opening.parent() is None:  # the test has taken it out of the window
        opening.deleteLater()
        qtbot.wait(10)


@pytest.fixture
def denoisers(monkeypatch):
    """Weak references to all denoisers made during the test."""
    made = []
    make = Denoiser.__init__

    def remember(self, *args, **kwargs):
        make(self, *args, **kwargs)
        made.append(weakref.ref(self))

    monkeypatch.setattr(Denoiser, "__init__", remember)
    return made


@pytest.fixture
def told():
    """What napari has told the user since the beginning of the test."""
    before = len(notification_manager.records)
    return lambda: notification_manager.records[before:]
