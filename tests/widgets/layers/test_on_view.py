"""The plane on view, where layers and viewer count in different units."""

import numpy as np
import pytest
from drive import begin, wait_for_first_look, wait_for_threads
from napari.components import ViewerModel

from napari_noise2self import Settings
from napari_noise2self.widgets.layers.on_view import place_on_view, viewer_units

SCALES = {"um": (2, 0.1, 0.1), "nm": (2000, 100, 100), "pixel": (2, 0.1, 0.1)}


def add(viewer, data, unit):
    return viewer.add_image(data, name=unit, scale=SCALES[unit], units=(unit,) * 3)


@pytest.mark.parametrize("units", [("um", "um"), ("um", "nm"), ("nm", "um"), ("um", "pixel")])
def test_place_is_the_plane_that_napari_shows(units):
    viewer = ViewerModel()
    planes = np.broadcast_to(np.arange(11.0)[:, None, None], (11, 32, 32))
    layers = [add(viewer, planes, unit) for unit in dict.fromkeys(units)]
    viewer.dims.set_current_step(0, 3)
    for layer in layers:
        shown = layer._slice.image.raw[0, 0]
        assert place_on_view(layer, planes.shape, viewer.dims)[0] == shown == 3


def test_units_of_the_last_axes_are_those_of_a_flat_layer():
    viewer = ViewerModel()
    add(viewer, np.zeros((11, 32, 32)), "nm")
    flat = viewer.add_image(np.zeros((32, 32)), units=("um", "um"))
    np.testing.assert_allclose(viewer_units(flat, viewer.dims), (1e-3, 1e-3))
    assert place_on_view(flat, (32, 32), viewer.dims) == (2, 2)  # at 1550 nm


def test_no_single_plane_is_on_view_in_3d():
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((32, 32)))
    viewer.dims.ndisplay = 3
    assert place_on_view(layer, (32, 32), viewer.dims) is None


@pytest.fixture
def mixed(viewer, stack):
    """A stack in micrometres in a viewer that counts in nanometres, at its second plane."""
    for unit in ("um", "nm"):
        add(viewer, stack, unit)
    viewer.dims.set_current_step(0, 1)
    viewer.reset_view()
    return viewer.layers["um"]


def test_first_look_is_that_plane(viewer, mixed, dock, qtbot, endless):
    dock.images.value = mixed
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer, 3)
    assert look.translate[0] == pytest.approx(2)


def test_filled_is_that_plane_and_pixels_are_as_large(viewer, mixed, dock, qtbot):
    dock.images.value = mixed
    dock.form.set_settings(Settings(partition_size=2))
    dock.hidden_pixels.show_button.click()
    dock.hidden_pixels.fill_button.click()
    wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: "um filled" in viewer.layers)
    visible = (viewer.layers["um filled"].data == mixed.data).mean(axis=(1, 2))
    assert visible[1] > 0.5 > visible[0]

    viewer.scene.camera.zoom = 0.009  # screen pixels for each of the viewer's nanometres
    assert not dock.hidden_pixels.zoom_button.isHidden()
    dock.hidden_pixels.zoom_button.click()
    assert viewer.scene.camera.zoom == pytest.approx(0.1)
    assert dock.hidden_pixels.zoom_button.isHidden()
