"""What the user sees of the partition: which pixels are hidden together, at once."""

import gc
import subprocess
import sys
import time
import weakref
from dataclasses import replace

import numpy as np
import pytest
from drive import begin, open_dock, run, wait_for_threads, wait_for_training
from qtpy.QtCore import Qt

from napari_noise2self import Settings
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.partition.view import HIDDEN, NEIGHBOUR, draw, filled
from napari_noise2self.widgets.tasks.fill import FillTask

LIES = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


@pytest.fixture
def hidden(dock):
    """The controls."""
    return dock.hidden_pixels


def show(hidden):
    """Press the button, and return the layer that comes."""
    assert hidden.show_button.isEnabled()
    hidden.show_button.click()
    return overlay(hidden)


def overlay(hidden):
    return next(layer for layer in hidden._viewer.layers if layer.name.endswith("hidden pixels"))


def fill(qtbot, hidden):
    """Press the button, and wait for the layer that comes."""
    hidden.fill_button.click()
    return wait_for_filled(qtbot, hidden)


def wait_for_filled(qtbot, hidden):
    wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: hidden.fill_button.plane._job is None)
    return next(layer for layer in hidden._viewer.layers if layer.name.endswith("filled"))


def names(viewer):
    return [layer.name for layer in viewer.layers]


def wait_for_layers(qtbot, viewer, *expected):
    """Wait until these layers are left; they go a moment after they are hidden."""
    qtbot.waitUntil(lambda: names(viewer) == list(expected))


def test_on_and_off(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy, name="cells")
    assert not hidden.subset.isVisible()

    layer = show(hidden)

    assert names(viewer) == ["cells", "cells hidden pixels"]
    np.testing.assert_array_equal(layer.data, draw(Partition(), noisy.shape, 0))
    assert layer.interpolation2d == "nearest"
    assert hidden.subset.text() == "Subset 1 of 9"
    assert [layer.name for layer in viewer.layers.selection] == ["cells"]
    assert viewer.layers.selection.active.name == "cells"

    hidden.show_button.click()
    assert layer.opacity == 0
    wait_for_layers(qtbot, viewer, "cells")


def test_on_again_before_the_layer_is_gone(viewer, dock, hidden, noisy, stack, qtbot):
    """Adding a layer takes napari long; the hidden one is shown again, where it fits."""
    cells = viewer.add_image(noisy, name="cells")
    layer = show(hidden)
    hidden.show_button.click()
    dock.form.editor("partition_size").put(3)
    assert show(hidden) is layer
    assert layer.opacity > 0
    np.testing.assert_array_equal(layer.data, draw(Partition("grid", 3), noisy.shape, 0))

    hidden.show_button.click()
    cells.data = stack
    layer = show(hidden)
    qtbot.wait(200)  # the first one would have gone by now
    assert names(viewer) == ["cells", "cells hidden pixels"]
    assert layer.opacity > 0
    assert layer.data.shape == stack.shape


def test_stays_hidden_where_the_user_hides_it(viewer, dock, hidden, noisy):
    viewer.add_image(noisy)
    layer = show(hidden)
    layer.visible = False
    hidden.subset.setValue(2)
    assert not layer.visible


def test_slider_moves_the_grid(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy)
    layer = show(hidden)
    slider = dock.form.editor("partition_size").slider
    for size in (2, 3, 4):  # from auto
        qtbot.keyClick(slider, Qt.Key.Key_Right)
        assert dock.form.editor("partition_size").text() == str(size)
        np.testing.assert_array_equal(layer.data, draw(Partition("grid", size), noisy.shape, 0))
        assert hidden.subset.text() == f"Subset 1 of {size**2}"
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert dock.form.editor("partition_size").text() == "auto (3)"
    assert dock.form.settings.partition_size is None


def test_every_setting_of_the_partition_is_followed(viewer, dock, hidden, noisy):
    viewer.add_image(noisy)
    layer = show(hidden)
    for name, value in {
        "partition_size": 6,
        "exclusion": "plus",
        "exclusion_radius": 2,
        "seed": 5,
        "partition": "random",
    }.items():
        before = layer.data.copy()
        dock.form.editor(name).put(value)
        expected = draw(Partition.from_settings(dock.form.settings), noisy.shape, 0)
        np.testing.assert_array_equal(layer.data, expected)
        assert (layer.data != before).any(), name
    assert (layer.data == NEIGHBOUR).any()
    assert overlay(hidden) is layer  # the same one all the time


def test_stepping_through_the_subsets(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy)
    dock.form.set_settings(Settings(partition_size=2))
    layer = show(hidden)
    seen = np.zeros(noisy.shape, int)
    for subset in (1, 2, 3, 4):
        assert hidden.subset.text() == f"Subset {subset} of 4"
        seen += layer.data == HIDDEN
        qtbot.keyClick(hidden.subset, Qt.Key.Key_Up)
    assert (seen == 1).all()
    assert hidden.subset.text() == "Subset 1 of 4"


def test_stack_follows_without_a_copy(viewer, dock, hidden, stack):
    viewer.add_image(stack)
    layer = show(hidden)
    assert layer.data.shape == stack.shape
    assert layer.data.strides[0] == 0
    viewer.dims.set_current_step(0, 2)
    np.testing.assert_array_equal(layer.data[2], draw(Partition(), stack.shape[1:], 0))


def test_planes_are_those_on_view(viewer, dock, hidden, stack):
    viewer.add_image(stack)
    layer = show(hidden)
    viewer.dims.order = (1, 2, 0)  # rows of the view are columns of the stack
    layer = overlay(hidden)
    plane = draw(Partition(), (stack.shape[2], stack.shape[0]), 0)
    for row in (0, 7):
        np.testing.assert_array_equal(layer.data[:, row].T, plane)


def test_lies_on_the_image_and_moves_with_it(viewer, dock, hidden, stack):
    cells = viewer.add_image(
        stack,
        scale=(3, 0.5, 0.25),
        translate=(1, 2, 3),
        rotate=10,
        shear=[0.1, 0, 0],
        affine=np.diag([1.0, 2.0, 2.0, 1.0]),
        units=("um",) * 3,
    )
    layer = show(hidden)
    for name in LIES:
        one, other = (np.array(getattr(each, name)).tolist() for each in (layer, cells))
        assert one == other, name
    cells.scale, cells.translate = (2, 2, 1), (0, 0, 9)
    np.testing.assert_array_equal(layer.scale, (2, 2, 1))
    np.testing.assert_array_equal(layer.translate, (0, 0, 9))


def test_colour_and_multiscale(viewer, dock, hidden, noisy):
    colour = np.stack([noisy] * 3, axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name="colour")
    assert show(hidden).data.shape == noisy.shape
    big = viewer.add_image([noisy, noisy[::2, ::2]], multiscale=True, name="levels")
    dock.images.value = big
    assert overlay(hidden).data.shape == noisy.shape


def test_never_offered_as_an_image(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy, name="cells")
    show(hidden)
    fill(qtbot, hidden)
    assert len(viewer.layers) == 3
    assert [layer.name for layer in dock.images.choices] == ["cells"]
    assert dock.images.value.name == "cells"


def test_chosen_image_is_followed(viewer, dock, hidden, noisy, stack):
    viewer.add_image(noisy, name="first")
    other = viewer.add_image(stack, name="other")
    dock.images.value = viewer.layers["first"]
    show(hidden)
    dock.images.value = other
    assert names(viewer) == ["first", "other", "other hidden pixels"]
    assert overlay(hidden).data.shape == stack.shape


def test_new_data_is_followed(viewer, dock, hidden, noisy):
    cells = viewer.add_image(noisy)
    show(hidden)
    cells.data = noisy[:40]
    assert overlay(hidden).data.shape == (40, 64)


def test_goes_with_its_image(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy, name="first")
    viewer.add_image(noisy, name="second")
    show(hidden)
    viewer.layers.remove(dock.images.value)
    assert not hidden.show_button.isChecked()
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    viewer.layers.clear()
    assert not hidden.show_button.isEnabled()
    assert "no image layer" in hidden.show_button.toolTip()


@pytest.mark.parametrize("part", ["hidden pixels", "filled"])
def test_deleted_by_the_user(viewer, dock, hidden, noisy, qtbot, part):
    viewer.add_image(noisy, name="cells")
    show(hidden)
    fill(qtbot, hidden)
    viewer.layers.remove(f"cells {part}")
    assert hidden.show_button.isChecked() == (part == "filled")
    assert not hidden.fill_button.isChecked()
    hidden.show_button.setChecked(False)
    wait_for_layers(qtbot, viewer, "cells")
    show(hidden)  # it works again


def test_renamed_is_the_users_own(viewer, dock, hidden, noisy):
    viewer.add_image(noisy, name="cells")
    layer = show(hidden)
    layer.name = "mine"
    assert not hidden.show_button.isChecked()
    assert [layer.name for layer in dock.images.choices] == ["cells", "mine"]
    kept = layer.data.copy()
    show(hidden)
    dock.form.editor("partition_size").put(7)
    assert names(viewer) == ["cells", "mine", "cells hidden pixels"]
    np.testing.assert_array_equal(layer.data, kept)


def test_all_layers_cleared(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy)
    show(hidden)
    fill(qtbot, hidden)
    viewer.layers.clear()
    assert not hidden.show_button.isChecked()
    assert not viewer.layers


def test_off_in_3d(viewer, dock, hidden, stack, qtbot):
    viewer.add_image(stack, name="cells")
    show(hidden)
    viewer.dims.ndisplay = 3
    wait_for_layers(qtbot, viewer, "cells")
    assert not hidden.show_button.isEnabled()
    assert "change to 2D" in hidden.show_button.toolTip()
    viewer.dims.ndisplay = 2
    assert hidden.show_button.isEnabled()


def test_off_in_grid_view(viewer, dock, hidden, noisy, qtbot):
    """There it would lie in a cell of its own."""
    viewer.add_image(noisy, name="cells")
    show(hidden)
    viewer.canvas.grid.enabled = True
    wait_for_layers(qtbot, viewer, "cells")
    assert not hidden.show_button.isEnabled()
    assert "leave grid view" in hidden.show_button.toolTip()
    viewer.canvas.grid.enabled = False
    assert hidden.show_button.isEnabled()


def test_planes_that_would_take_long_are_refused(viewer, dock, hidden):
    viewer.add_image(np.broadcast_to(np.uint8(3), (5000, 5000)), contrast_limits=(0, 9))
    assert not hidden.show_button.isEnabled()
    assert "too large" in hidden.show_button.toolTip()


def test_from_afar_all_has_the_mean_colour(viewer, dock, hidden, noisy):
    """Single pixels that the screen has no room for would be a pattern that is not there."""
    viewer.add_image(noisy, scale=(0.1, 0.1))
    dock.form.set_settings(Settings(partition_size=2))
    layer = show(hidden)
    viewer.scene.camera.zoom = 9
    assert not hidden.zoom_button.isHidden()
    (colour,) = np.unique(layer.colormap.colors, axis=0)
    assert colour[3] == pytest.approx(0.9 / 4)

    hidden.zoom_button.click()

    assert viewer.scene.camera.zoom == pytest.approx(100)
    assert hidden.zoom_button.isHidden()
    assert len(np.unique(layer.colormap.colors, axis=0)) == 3


def test_filled_is_what_the_core_fills(viewer, dock, hidden, stack, qtbot):
    viewer.add_image(stack, name="cells", scale=(3, 2, 1), colormap="magma")
    viewer.dims.set_current_step(0, 1)
    show(hidden)

    layer = fill(qtbot, hidden)

    assert names(viewer) == ["cells", "cells hidden pixels", "cells filled"]
    assert (layer.colormap.name, tuple(layer.scale)) == ("magma", (3, 2, 1))
    expected = filled(stack[1][None], Partition(), 0, "interpolate")[0]
    np.testing.assert_array_equal(layer.data[1], expected)
    hidden.fill_button.click()
    assert layer.opacity == 0
    wait_for_layers(qtbot, viewer, "cells", "cells hidden pixels")


def test_filled_follows_subset_method_and_plane(viewer, dock, hidden, stack, qtbot):
    viewer.add_image(stack)
    viewer.dims.set_current_step(0, 0)
    show(hidden)
    layer = fill(qtbot, hidden)
    hidden.subset.setValue(5)
    dock.form.editor("fill").put("zero")
    assert wait_for_filled(qtbot, hidden) is layer
    expected = filled(stack[0][None], Partition(), 4, "zero")[0]
    np.testing.assert_array_equal(layer.data[0], expected)

    viewer.dims.set_current_step(0, 2)
    assert layer.opacity == 0  # it is of another plane
    wait_for_filled(qtbot, hidden)
    assert layer.opacity > 0
    expected = filled(stack[2][None], Partition(), 4, "zero")[0]
    np.testing.assert_array_equal(layer.data[2], expected)


def test_filled_colours(viewer, dock, hidden, noisy, qtbot):
    colour = np.stack([noisy // 2, noisy // 3, noisy // 4, noisy], axis=-1).clip(0, 255)
    viewer.add_image(colour.astype(np.uint8), rgb=True)
    show(hidden)
    layer = fill(qtbot, hidden)
    assert layer.rgb
    assert (layer.data.shape, layer.data.dtype) == ((64, 64, 3), np.uint8)
    expected = filled(np.moveaxis(colour[..., :3], -1, 0), Partition(), 0, "interpolate")
    np.testing.assert_array_equal(layer.data, np.rint(np.moveaxis(expected, 0, -1)))


def test_what_cannot_be_filled(viewer, dock, hidden, noisy, qtbot, told):
    viewer.add_image(noisy > 120, name="mask")
    show(hidden)
    hidden.fill_button.click()
    qtbot.waitUntil(lambda: not hidden.fill_button.isChecked(), timeout=30_000)
    assert "is a mask" in told()[-1].message
    assert names(viewer) == ["mask", "mask hidden pixels"]


def test_cancelled_by_napari(viewer, dock, hidden, noisy, qtbot, monkeypatch):
    """From its own list of tasks."""

    def without_end(task, control, report, show):
        while True:
            control.check()
            time.sleep(0.01)

    viewer.add_image(noisy, name="cells")
    show(hidden)
    with monkeypatch.context() as patched:
        patched.setattr(FillTask, "run", without_end)
        hidden.fill_button.click()
        hidden.fill_button.plane._job._worker.quit()
        wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: not hidden.fill_button.isChecked(), timeout=30_000)
    assert names(viewer) == ["cells", "cells hidden pixels"]
    fill(qtbot, hidden)  # it works again


def test_works_while_a_training_runs(viewer, dock, hidden, noisy, endless, qtbot):
    viewer.add_image(noisy)
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    layer = show(hidden)
    hidden.subset.setValue(3)
    np.testing.assert_array_equal(layer.data, draw(Partition("grid", 2), noisy.shape, 2))
    assert hidden.fill_button.isEnabled()
    dock.cancel()
    assert hidden.show_button.isChecked()


def test_exclusion_is_none_until_it_is_measured(viewer, dock, hidden, noisy, tiny, qtbot):
    """Noise that is alike in neighbours: the run hides these, and then they are shown."""
    blurred = noisy.astype(np.float32)
    blurred = (blurred + np.roll(blurred, 1, axis=1)) / 2
    viewer.add_image(blurred, name="cells")
    dock.form.set_settings(replace(tiny, partition_size=None))
    layer = show(hidden)
    assert "until training measures it" in hidden.note.text()
    assert not (layer.data == NEIGHBOUR).any()

    run(qtbot, dock, dock.form.settings)

    figures = viewer.layers["cells denoised"].metadata["noise2self"]["figures"]
    exclusion = Exclusion(**figures["partition"]["exclusion"])
    assert exclusion.radius > 0
    expected = draw(Partition.from_settings(dock.form.settings, exclusion), noisy.shape, 0)
    np.testing.assert_array_equal(layer.data, expected)
    assert "until training" not in hidden.note.text()


def test_size_that_an_exclusion_enlarges_is_told(viewer, dock, hidden, noisy):
    viewer.add_image(noisy)
    dock.form.set_settings(Settings(partition_size=2, exclusion="square", exclusion_radius=2))
    show(hidden)
    assert hidden.note.text() == "The exclusion makes the partition size 6."
    assert hidden.subset.text() == "Subset 1 of 36"


def test_dock_closed(viewer, qtbot, noisy):
    dock = open_dock(viewer)
    container = dock.parent().parent()
    cells = viewer.add_image(noisy, name="cells")
    show(dock.hidden_pixels)
    fill(qtbot, dock.hidden_pixels)
    gone = weakref.ref(dock.hidden_pixels)
    del dock
    viewer.window.remove_dock_widget(container)
    assert names(viewer) == ["cells"]
    del container
    wait_for_threads(qtbot)
    gc.collect()
    assert gone() is None
    cells.scale, viewer.dims.ndisplay, viewer.scene.camera.zoom = (2, 2), 3, 3  # nobody follows


def test_dock_closed_before_the_layers_are_gone(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy, name="cells")
    show(hidden)
    fill(qtbot, hidden)
    hidden.show_button.click()
    viewer.window.remove_dock_widget(dock.parent())
    assert names(viewer) == ["cells"]


def test_viewer_closed_before_the_layers_are_gone(make_napari_viewer, noisy, qtbot):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    viewer.add_image(noisy)
    show(dock.hidden_pixels)
    fill(qtbot, dock.hidden_pixels)
    dock.hidden_pixels.show_button.click()
    del dock
    viewer.close()
    qtbot.wait(200)


def test_closed_while_it_fills(viewer, dock, hidden, noisy, qtbot):
    viewer.add_image(noisy, name="cells")
    show(hidden)
    hidden.fill_button.click()
    viewer.window.remove_dock_widget(dock.parent())
    wait_for_threads(qtbot)
    assert names(viewer) == ["cells"]


def test_viewer_closed(make_napari_viewer, noisy, qtbot):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    viewer.add_image(noisy)
    show(dock.hidden_pixels)
    dock.hidden_pixels.fill_button.click()
    del dock
    viewer.close()
    wait_for_threads(qtbot)


@pytest.mark.parametrize("kind", ["grid", "random"])
def test_large_stack_is_drawn_at_once(viewer, dock, hidden, kind):
    stack = np.broadcast_to(np.arange(2048, dtype=np.uint16), (20, 2048, 2048))
    viewer.add_image(stack, contrast_limits=(0, 2048))
    dock.form.set_settings(Settings(partition=kind, exclusion="square"))
    show(hidden)
    seconds = []
    for size in (7, 8, 9, 10, 7, 8):
        started = time.perf_counter()
        dock.form.editor("partition_size").put(size)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.05


def test_showing_does_not_load_torch():
    code = (
        "import sys, napari, numpy as np\n"
        "viewer = napari.Viewer(show=False)\n"
        "viewer.add_image(np.zeros((64, 64)))\n"
        "dock = viewer.window.add_plugin_dock_widget('napari-noise2self', 'Denoise')[1].dock\n"
        "dock.hidden_pixels.show_button.click()\n"
        "dock.form.editor('partition_size').put(3)\n"
        "assert len(viewer.layers) == 2\n"
        "viewer.close()\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


ON_AND_OFF = """
import napari
from qtpy.QtTest import QTest
from napari_noise2self.samples import simulate_cells
viewer = napari.Viewer(show=True, show_welcome_screen=False)
viewer.add_image(simulate_cells(64).noisy)
dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")[1].dock
QTest.qWait(500)
for _ in range(2):
    dock.hidden_pixels.show_button.click()
    QTest.qWait(300)
    dock.hidden_pixels.show_button.click()
    QTest.qWait(300)
    viewer.scene.camera.zoom *= 1.1
    QTest.qWait(100)
dock.start_button.click()
while len(viewer.layers) < 2:
    QTest.qWait(10)
QTest.qWait(200)
dock.progress.cancel.click()
QTest.qWait(300)
viewer.scene.camera.zoom *= 1.1
QTest.qWait(100)
print("alive", len(viewer.layers))
viewer.close()
"""


def test_window_survives_what_is_hidden_and_removed():
    """As it is drawn: napari 0.9 crashes where a layer is removed that is not visible."""
    done = subprocess.run([sys.executable, "-c", ON_AND_OFF], capture_output=True, text=True)
    assert done.stdout.split() == ["alive", "1"], done.stderr[-500:]
