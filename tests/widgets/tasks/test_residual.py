"""The residual of the last result, on request."""

import numpy as np
from drive import open_dock, run, wait_until_idle


def test_button_adds_it(viewer, dock, qtbot, noisy, tiny):
    source = viewer.add_image(noisy, name="cells", scale=(2, 3), units=("um", "um"), gamma=0.5)
    run(qtbot, dock, tiny)
    assert dock.compare.residual.isEnabled()
    told = dock.status.text()

    dock.compare.residual.click()
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
    dock.compare.residual.click()
    wait_until_idle(qtbot, dock)
    residual = viewer.layers["cells residual"]
    assert not residual.rgb
    assert residual.data.shape == noisy.shape


def test_button_says_why_it_is_disabled(viewer, dock, qtbot, noisy, tiny):
    button = dock.compare.residual
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
    viewer.layers.remove("cells")
    assert not button.isEnabled()
    assert "gone" in button.toolTip()


def test_data_replaced_before_the_click(viewer, dock, qtbot, noisy, tiny):
    """No event tells the dock; it finds out when it is asked."""
    source = viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    source.data = np.zeros((8, 8))
    dock.compare.residual.click()
    assert "other data" in dock.compare.residual.toolTip()
    assert not dock.compare.residual.isEnabled()
    assert len(viewer.layers) == 2


def test_data_of_the_result_replaced(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    viewer.layers["cells denoised"].data = noisy[:8]
    dock.compare.residual.click()
    assert "other data" in dock.compare.residual.toolTip()
    assert not dock.compare.residual.isEnabled()


def test_layers_that_are_gone_are_not_kept(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    viewer.layers.clear()
    assert dock.compare.layer is None
    assert dock.compare.results._sources == {}


def test_button_hides_it_and_shows_it_again(viewer, dock, qtbot, noisy, tiny):
    button = dock.compare.residual
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    assert button.text() == "Show residual"
    button.click()
    wait_until_idle(qtbot, dock)
    residual = viewer.layers["cells residual"]
    assert button.text() == "Hide residual"

    button.click()
    assert not residual.visible
    assert button.text() == "Show residual"
    button.click()
    assert residual.visible

    residual.visible = False  # by the eye in the layer list
    assert button.text() == "Show residual"
    viewer.layers.remove(residual)
    button.click()
    wait_until_idle(qtbot, dock)
    assert viewer.layers["cells residual"].visible


def test_it_is_that_of_the_whole_denoised_image(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    denoised = viewer.layers["cells denoised"].data
    dock.compare.amount.setValue(30)
    dock.compare.residual.click()
    wait_until_idle(qtbot, dock)
    np.testing.assert_allclose(
        viewer.layers["cells residual"].data, noisy - denoised.astype(float), atol=1e-3
    )


def test_a_dock_opened_later_follows_the_eye(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.compare.residual.click()
    wait_until_idle(qtbot, dock)
    viewer.window.remove_dock_widget(dock.parent())
    later = open_dock(viewer)
    assert later.compare.residual.text() == "Hide residual"
    viewer.layers["cells residual"].visible = False
    assert later.compare.residual.text() == "Show residual"
    assert dock.compare.residual.text() == "Hide residual"  # nobody tells a closed one


def test_it_lies_and_is_called_as_its_layers_by_now(viewer, dock, qtbot, noisy, tiny):
    """Those who calibrate the pixel size afterwards set it on both."""
    cells = viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    for layer in viewer.layers:
        layer.scale, layer.units = (0.1, 0.2), ("um", "um")
    cells.name = "nuclei"
    dock.compare.residual.click()
    wait_until_idle(qtbot, dock)
    residual = viewer.layers["nuclei residual"]
    np.testing.assert_array_equal(residual.scale, (0.1, 0.2))
    assert residual.units == cells.units
    assert (residual.colormap.name, residual.rgb) == ("berlin", False)


def test_layer_removed_meanwhile(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.compare.residual.click()
    viewer.layers.clear()
    wait_until_idle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["cells residual"]


def test_cancelled(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.compare.residual.click()
    dock.progress.cancel.click()
    assert dock.start_button.isEnabled()
    assert "cells residual" not in viewer.layers
