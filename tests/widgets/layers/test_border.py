"""The border of a wipe: where left is on the screen, and how far it goes."""

import numpy as np
import pytest

from napari_noise2self.widgets.layers.border import left_of_view

QUARTER = 0.25


@pytest.fixture
def layer(viewer):
    """A stack of planes that are not square."""
    return viewer.add_image(np.zeros((3, 40, 80)))


def left(layer, viewer, share=QUARTER):
    """Return what is left of the border, as large as the data."""
    return np.broadcast_to(left_of_view(layer, viewer, share), layer.data.shape)


def expected(layer, *where):
    marked = np.zeros(layer.data.shape, bool)
    marked[where] = True
    return marked


@pytest.mark.parametrize(("share", "columns"), [(0, 0), (0.25, 20), (0.5, 40), (1, 80)])
def test_columns(viewer, layer, share, columns):
    everywhere = expected(layer, ..., slice(0, columns))
    np.testing.assert_array_equal(left(layer, viewer, share), everywhere)


def test_zoomed_in_it_goes_over_the_view(viewer, layer):
    layer.corner_pixels = np.array([[0, 10, 20], [0, 20, 59]])  # as napari sets them
    for share, columns in ((0, 20), (0.5, 40), (1, 60)):
        everywhere = expected(layer, ..., slice(0, columns))
        np.testing.assert_array_equal(left(layer, viewer, share), everywhere)


def test_other_axes_on_view(viewer, layer):
    viewer.dims.order = (2, 0, 1)
    np.testing.assert_array_equal(
        left(layer, viewer), expected(layer, ..., slice(0, 10), slice(None))
    )
    viewer.dims.order = (2, 1, 0)
    np.testing.assert_array_equal(left(layer, viewer, 1 / 3), expected(layer, 0))


def test_plane_beside_a_stack(viewer, layer):
    """A layer of fewer axes than the viewer."""
    plane = viewer.add_image(np.zeros((40, 80)))
    np.testing.assert_array_equal(left(plane, viewer), expected(plane, ..., slice(0, 20)))


def test_colours(viewer):
    layer = viewer.add_image(np.zeros((40, 80, 3), np.uint8), rgb=True)
    np.testing.assert_array_equal(left(layer, viewer), expected(layer, slice(None), slice(0, 20)))


def test_mirrored(viewer, layer):
    viewer.scene.camera.orientation2d = ("down", "left")
    everywhere = expected(layer, ..., slice(60, None))
    np.testing.assert_array_equal(left(layer, viewer), everywhere)


@pytest.mark.parametrize("degrees", [10, 90, 180, 270])
def test_turned(viewer, layer, degrees):
    """The left of the screen, not of the array."""
    layer.rotate = degrees
    is_left = left(layer, viewer)[0]
    pixels = np.argwhere(np.ones_like(is_left))
    across = np.array([layer.data_to_world((0, *pixel))[-1] for pixel in pixels])
    beyond = across[~is_left.ravel()].min() - across[is_left.ravel()].max()
    assert is_left.mean() == QUARTER
    assert beyond > 0 or degrees == 10
    assert across[~is_left.ravel()].mean() - across[is_left.ravel()].mean() > 10
