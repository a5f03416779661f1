"""From a layer to a source, and from an outcome to a layer."""

import gc

import numpy as np
import pytest
from napari.layers import Image

from napari_noise2self import Settings
from napari_noise2self.widgets.layers.source import Source, axes_of
from napari_noise2self.widgets.tasks.task import Outcome


@pytest.mark.parametrize(
    ("ndim", "displayed", "axes"),
    [
        (2, (0, 1), "YX"),
        (2, (1, 0), "XY"),
        (2, (), "YX"),
        (2, (-1, 1), "YX"),
        (3, (1, 2), "TYX"),
        (3, (0, 1, 2), "TYX"),
        (3, (0, 2), "YTX"),
        (4, (2, 3), "TZYX"),
    ],
)
def test_axes(ndim, displayed, axes):
    assert axes_of(ndim, displayed) == axes


@pytest.mark.parametrize(
    ("labels", "axes"),
    [
        (("z", "y", "x"), "ZYX"),
        (("", "y", "x"), "TYX"),
        ("ZTYX", "ZTYX"),
        ("tzyx", "TZYX"),
        ("zzyx", "ZTYX"),
        ("pzyx", "TZYX"),
        ("yzxt", "TZYX"),
    ],
)
def test_axes_keep_the_names_that_the_layer_gives_them(labels, axes):
    layer = Image(np.zeros((4,) * len(labels)), axis_labels=tuple(labels))
    assert Source.capture(layer).axes == axes


@pytest.mark.parametrize(
    ("shape", "rgb", "axes", "planes"),
    [
        ((6, 8), False, "YX", "6 × 8 pixels"),
        ((1, 6, 8), False, "TYX", "6 × 8 pixels"),
        ((40, 50, 6, 8), False, "TZYX", "2,000 planes of 6 × 8 pixels"),
        ((6, 8, 3), True, "YXS", "6 × 8 pixels"),
        ((5, 6, 8, 4), True, "TYXS", "5 planes of 6 × 8 pixels"),
    ],
)
def test_source_knows_its_planes(shape, rgb, axes, planes):
    source = Source.capture(Image(np.zeros(shape, np.uint8), rgb=rgb))
    assert source.axes == axes
    assert source.planes == planes


def test_source_knows_whether_its_data_was_replaced():
    layer = Image(np.zeros((6, 8)))
    source = Source.capture(layer)
    assert not source.data_was_replaced
    layer.data = np.ones((6, 8))
    assert source.data_was_replaced


def test_source_does_not_keep_its_layer():
    layer = Image(np.zeros((6, 8)))
    source = Source.capture(layer)
    del layer
    gc.collect()
    assert source.layer() is None
    assert not source.data_was_replaced


@pytest.mark.parametrize(
    ("figures", "brightest", "limits"),
    [
        ({"hot_pixels": 3}, 50, [10, 50]),
        ({"hot_pixels": 3}, 900, [0, 1000]),
        ({"hot_pixels": 3}, 10, [0, 1000]),
        ({"hot_pixels": 0}, 50, [0, 1000]),
        ({"steps": 7}, 50, [0, 1000]),
    ],
    ids=["hot pixels", "no wider than needed", "constant", "no hot pixels", "other figures"],
)
def test_hot_pixels_do_not_leave_a_result_flat(figures, brightest, limits):
    source = Source.capture(Image(np.zeros((400, 500)), contrast_limits=(0, 1000)))
    image = np.tile(np.linspace(10, brightest, 500), (400, 1))
    image[7, 7], image[9, 9] = 1e6, np.nan
    result = source.result_layer(Outcome(image, figures, Settings()))
    np.testing.assert_allclose(result.contrast_limits, limits, atol=0.5)


def test_result_shares_nothing_with_the_source():
    layer = Image(np.zeros((6, 8)), scale=(2, 3), metadata={"stain": "DAPI"})
    source = Source.capture(layer)
    result = source.result_layer(Outcome(np.ones((6, 8)), {"steps": 7}, Settings()))
    result.scale = (5, 5)
    result.colormap = "red"
    result.metadata["stain"] = "other"
    np.testing.assert_array_equal(layer.scale, (2, 3))
    assert layer.colormap.name == "gray"
    assert layer.metadata == {"stain": "DAPI"}
