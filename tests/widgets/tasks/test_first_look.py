"""The first look: soon there, replaced by the result, and never in the way."""

import numpy as np
import pytest
from drive import (
    begin,
    open_dock,
    run,
    wait_for_first_look,
    wait_for_threads,
    wait_for_training,
    wait_until_idle,
)
from napari.layers import Image

from napari_noise2self import denoise
from napari_noise2self.calibration import INSTANT, calibrate
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.samples import simulate_cells
from napari_noise2self.training.trainer import Trainer
from napari_noise2self.widgets.layers.placeholder import Placeholder
from napari_noise2self.widgets.layers.source import Source
from napari_noise2self.widgets.tasks import first_look as module
from napari_noise2self.widgets.tasks.first_look import first_look


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_it_becomes_the_result(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells", scale=(2, 3), colormap="magma")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    assert look.name == "cells first look"
    assert look.colormap.name == "magma"
    assert look.metadata["noise2self"]["figures"]["method"] in INSTANT
    expected = calibrate(noisy, methods=INSTANT).denoise(noisy)
    np.testing.assert_array_equal(look.data, expected)
    viewer.add_points(np.zeros((1, 2)), name="above")
    wait_for_training(qtbot, dock)

    dock.stop()
    wait_until_idle(qtbot, dock)

    assert names(viewer) == ["cells", "cells denoised", "above"]
    result = viewer.layers["cells denoised"]
    assert (result.data != expected).any()
    assert result.metadata["noise2self"]["figures"]["steps"] > 0
    assert dock.images.value.name == "cells"


def test_cancelling_takes_it_away(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_first_look(qtbot, dock, viewer)
    dock.progress.cancel.click()
    qtbot.waitUntil(lambda: names(viewer) == ["cells"])


def test_cancelled_and_started_again_at_once(viewer, dock, qtbot, noisy, endless, tiny):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_first_look(qtbot, dock, viewer)
    dock.progress.cancel.click()
    assert viewer.layers["cells first look"].opacity == 0
    run(qtbot, dock, tiny)
    assert names(viewer) == ["cells", "cells denoised"]


def test_failure_takes_it_away(viewer, dock, qtbot, noisy, endless, monkeypatch):
    def fail(*_):
        raise RuntimeError("too bad")

    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_first_look(qtbot, dock, viewer)
    monkeypatch.setattr(Trainer, "_step", fail)
    wait_until_idle(qtbot, dock)
    assert "too bad" in dock.status.text()
    qtbot.waitUntil(lambda: names(viewer) == ["cells"])


def test_removed_by_the_user(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    viewer.layers.remove(wait_for_first_look(qtbot, dock, viewer))
    wait_for_training(qtbot, dock)
    dock.stop()
    wait_until_idle(qtbot, dock)
    assert names(viewer) == ["cells", "cells denoised"]


@pytest.mark.parametrize("ending", ["stop", "cancel"])
def test_renamed_it_is_the_users_own(viewer, dock, qtbot, noisy, endless, ending):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    before = look.data
    assert look not in dock.images.choices
    look.name = "mine"
    assert look in dock.images.choices
    wait_for_training(qtbot, dock)
    getattr(dock, ending)()
    wait_until_idle(qtbot, dock)
    assert names(viewer) == ["cells", "mine"] + ["cells denoised"] * (ending == "stop")
    assert look.data is before


def test_result_is_seen_where_the_first_look_was_hidden(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    look.visible = False
    wait_for_training(qtbot, dock)
    qtbot.waitUntil(lambda: look.metadata["noise2self"]["figures"].keys() == {"prediction"})
    assert not look.visible
    dock.stop()
    wait_until_idle(qtbot, dock)
    assert viewer.layers["cells denoised"].unique_id == look.unique_id
    assert look.visible


def test_offered_as_an_image_only_as_a_result(viewer, dock, qtbot, noisy, endless):
    calibrate = open_dock(viewer, "Calibrate classic filters")
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    for images in (dock.images, calibrate.images, calibrate.clean):
        assert look not in images.choices
    wait_for_training(qtbot, dock)
    dock.stop()
    wait_until_idle(qtbot, dock)
    for images in (dock.images, calibrate.images, calibrate.clean):
        assert look in images.choices


def test_of_a_stack_the_plane_on_view(viewer, dock, qtbot, stack, endless):
    source = viewer.add_image(
        stack,
        name="cells",
        scale=(3, 0.5, 0.5),
        translate=(10, 20, 30),
        rotate=[[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        affine=np.diag([1.0, 2.0, 2.0, 1.0]),
    )
    viewer.dims.set_current_step(0, 2)
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    assert look.data.shape == (1, 48, 64)
    expected = calibrate(stack[2], methods=INSTANT).denoise(stack[2])
    np.testing.assert_array_equal(look.data[0], expected)
    for pixel in ((0, 0), (7, 11)):
        np.testing.assert_allclose(
            look.data_to_world((0, *pixel)), source.data_to_world((2, *pixel))
        )
    wait_for_training(qtbot, dock)
    dock.stop()
    wait_until_idle(qtbot, dock)
    result = viewer.layers["cells denoised"]
    assert result.unique_id == look.unique_id
    assert result.data.shape == stack.shape
    np.testing.assert_array_equal(result.translate, source.translate)


def test_result_lies_where_the_source_lies_by_now(viewer, dock, qtbot, stack, endless):
    source = viewer.add_image(stack, name="cells")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    wait_for_training(qtbot, dock)
    look.affine = np.diag([1.0, 5.0, 5.0, 1.0])  # the user's own
    source.scale, source.units, source.translate = (3, 0.5, 0.5), ("um",) * 3, (1, 2, 3)
    dock.stop()
    wait_until_idle(qtbot, dock)
    result = viewer.layers["cells denoised"]
    assert result.unique_id == look.unique_id
    for name in ("scale", "translate", "units"):
        assert np.array_equal(getattr(result, name), getattr(source, name)), name
    assert result.affine.affine_matrix[1, 1] == 5


def test_none_in_three_dimensions(viewer, dock, qtbot, stack, tiny, monkeypatch):
    """There no single plane is on view."""
    monkeypatch.setattr(module, "first_look", None)
    viewer.add_image(stack, name="cells")
    viewer.dims.ndisplay = 3
    run(qtbot, dock, tiny)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, denoise(stack, tiny))


def test_its_failure_is_not_that_of_the_training(viewer, dock, qtbot, noisy, tiny, monkeypatch):
    monkeypatch.setattr(module, "middle", None)
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    wait_for_threads(qtbot)
    assert names(viewer) == ["cells", "cells denoised"]


def test_colour():
    cells = simulate_cells(64).noisy
    data = np.stack([cells // 3] * 3, axis=-1).clip(0, 255).astype(np.uint8)
    look = first_look(data, "YXS", (5, 5, 0), Control())
    assert look.image.dtype == np.uint8
    assert look.image.shape == data.shape
    assert look.corner == (0, 0, 0)


def test_tiles_leave_no_seams(monkeypatch):
    image = simulate_cells(256).noisy[:230]
    monkeypatch.setattr(module, "_POSTERIOR_WORK", 0)
    whole = first_look(image, "YX", (0, 0), Control())
    monkeypatch.setattr(module, "middle", lambda extent, side: slice(0, extent))
    monkeypatch.setattr(module, "_TILE", 100)
    tiled = first_look(image, "YX", (0, 0), Control())
    assert tiled.figures["prediction"] == "single-pass"
    assert np.abs(tiled.image - whole.image).max() < 0.02 * np.ptp(whole.image)


def test_none_of_an_enormous_plane(monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 99)
    assert first_look(np.zeros((10, 10)), "YX", (0, 0), Control()) is None


def test_it_can_be_cancelled(noisy):
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        first_look(noisy, "YX", (0, 0), control)


@pytest.mark.parametrize(("chosen", "shown"), [(None, [10, 50]), ((5, 7), [5, 7])])
def test_limits_of_the_result_are_taken_over_unless_the_user_changed_them(viewer, chosen, shown):
    image = np.linspace(0, 100, 64).reshape(8, 8)
    look = Source.capture(Image(image, contrast_limits=(0, 1000))).look
    stand_in = Placeholder(viewer)
    stand_in.show(image, look)
    if chosen:
        viewer.layers[0].contrast_limits = chosen
    layer = stand_in.become(image, {**look, "contrast_limits": (10, 50)})
    assert len(viewer.layers) == 1
    assert layer.contrast_limits == shown
