"""The residual of the last result, on request."""

import numpy as np
from drive import run, wait_until_idle


def test_button_adds_it(viewer, dock, qtbot, noisy, tiny):
    source = viewer.add_image(noisy, name="cells", scale=(2, 3), units=("um", "um"), gamma=0.5)
    run(qtbot, dock, tiny)
    assert dock.figures.residual.isEnabled()
    told = dock.status.text()

    dock.figures.residual.click()
    assert not dock.start_button.isEnabled()
    wait_until_idle(qtbot, dock)

    residual, result = viewer.layers["cells residual"], viewer.layers["cells denoised"]
    np.testing.assert_allclose(residual.data, noisy - result.data.astype(float), atol=1e-3)
    low, high = residual.contrast_limits
    assert low == -high < 0
    np.testing.assert_array_equal(residual.scale, source.scale)
    assert residual.units == source.units
    assert residual.gamma == 1
    assert residual.colormap.name == "berlin"
    assert residual.metadata["noise2self"]["residual"] == ["cells", "cells denoised"]
    assert dock.status.text() == told
    assert dock.images.value.name == "cells"


def test_colour(viewer, dock, qtbot, noisy, tiny):
    colour = np.stack([noisy // 2, noisy // 3, noisy // 4], axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name="cells")
    run(qtbot, dock, tiny)
    dock.figures.residual.click()
    wait_until_idle(qtbot, dock)
    residual = viewer.layers["cells residual"]
    assert not residual.rgb
    assert residual.data.shape == noisy.shape


def test_button_says_why_it_is_disabled(viewer, dock, qtbot, noisy, tiny):
    button = dock.figures.residual
    source = viewer.add_image(noisy, name="cells")
    assert dock.figures.isHidden()
    run(qtbot, dock, tiny)
    assert not dock.figures.isHidden()

    source.data = noisy.copy()
    dock.reset_choices()
    assert not button.isEnabled()
    assert "other data" in button.toolTip()

    run(qtbot, dock, tiny)
    assert button.isEnabled()
    viewer.layers.remove("cells denoised [1]")
    assert not button.isEnabled()
    assert "gone" in button.toolTip()


def test_data_replaced_before_the_click(viewer, dock, qtbot, noisy, tiny):
    """No event tells the dock; it finds out when it is asked."""
    source = viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    source.data = np.zeros((8, 8))
    dock.figures.residual.click()
    assert "other data" in dock.figures.residual.toolTip()
    assert not dock.figures.residual.isEnabled()
    assert len(viewer.layers) == 2


def test_layers_that_are_gone_are_not_kept(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    viewer.layers.clear()
    assert dock._last is None


def test_layer_removed_meanwhile(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.figures.residual.click()
    viewer.layers.clear()
    wait_until_idle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["cells residual"]


def test_cancelled(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.figures.residual.click()
    dock.progress.cancel.click()
    assert dock.start_button.isEnabled()
    assert "cells residual" not in viewer.layers
