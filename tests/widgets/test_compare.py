"""Noisy and denoised image in one place: flipped, mixed, and chosen among all results."""

import gc
import time
import weakref
from dataclasses import replace
from threading import Event, current_thread, main_thread

import numpy as np
import pytest
import tifffile
from drive import (
    begin,
    open_dock,
    run,
    turn_wheel,
    wait_for_threads,
    wait_for_training,
    wait_until_idle,
)
from napari.layers._layer_actions import _duplicate_layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_noise2self import Settings, denoise
from napari_noise2self.widgets.layers.mix import Mix, Wiped, result_of
from napari_noise2self.widgets.layers.source import Source
from napari_noise2self.widgets.tasks.task import Outcome

HALF = 50


@pytest.fixture
def compare(dock):
    return dock.compare


@pytest.fixture
def result(viewer, dock, qtbot, noisy, tiny):
    """A result of the dock, beside its noisy layer."""
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    return viewer.layers["cells denoised"]


def seen(layer):
    """What napari draws of a plane."""
    return layer.data[...]


def add_result(viewer, source, name="made before", created="2020", **figures):
    """Add a result that another dock has made."""
    half = np.asarray(source.data, np.float32) / 2
    outcome = Outcome(half, {"method": "tv", **figures}, Settings())
    layer = Source.capture(source).result_layer(outcome)
    layer.name = name
    layer.metadata["noise2self"]["created"] = created
    viewer.add_layer(layer)
    return layer


def test_nothing_to_see_without_a_result(viewer, dock, compare, noisy):
    viewer.add_image(noisy, name="cells")
    assert compare.isHidden()
    assert compare.layer is None


def test_hold_to_see_noisy(dock, compare, result, noisy):
    denoised = result.data
    QTest.mousePress(compare.hold, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(seen(result), noisy)
    assert result.contrast_limits != [0, 1]
    QTest.mouseRelease(compare.hold, Qt.MouseButton.LeftButton)
    assert result.data is denoised


def test_hold_with_the_space_bar(dock, compare, result, noisy):
    denoised = result.data
    QTest.keyPress(compare.hold, Qt.Key.Key_Space)
    np.testing.assert_array_equal(seen(result), noisy)
    QTest.keyRelease(compare.hold, Qt.Key.Key_Space)
    assert result.data is denoised


def test_hold_the_key_over_the_image(make_napari_viewer, qtbot, noisy, tiny):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    layer = viewer.layers["cells denoised"]
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.keyPress(canvas, Qt.Key.Key_N)
    np.testing.assert_array_equal(seen(layer), noisy)
    QTest.keyRelease(canvas, Qt.Key.Key_N)
    assert isinstance(layer.data, np.ndarray)


def test_key_held_while_another_window_comes(make_napari_viewer, qtbot, noisy, tiny):
    """That the key goes up is told to the other window."""
    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    layer = viewer.layers["cells denoised"]
    viewer.window.activate()
    qtbot.waitUntil(viewer.window._qt_window.isActiveWindow)
    QTest.keyPress(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_N)
    np.testing.assert_array_equal(seen(layer), noisy)
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: isinstance(layer.data, np.ndarray))


def test_a_key_of_the_users_own_is_left_alone(viewer, qtbot):
    pressed = []
    viewer.bind_key("N", pressed.append)
    viewer.window.remove_dock_widget(open_dock(viewer).parent())
    assert pressed.append in viewer.keymap.values()


def test_amount(compare, result, noisy):
    denoised = result.data
    compare.amount.setValue(HALF)
    np.testing.assert_allclose(result.data, (noisy + denoised) / 2, rtol=1e-5)
    assert compare.amount.label.text() == "50 %"
    assert result.metadata["noise2self"]["amount"] == 0.5
    compare.amount.setValue(0)
    np.testing.assert_array_equal(result.data, noisy)
    compare.amount.setValue(100)
    assert result.data is denoised


def test_what_the_user_chose_for_the_layer_stays(viewer, compare, result):
    result.contrast_limits = (150, 250)
    result.gamma = 0.5
    result.opacity = 0.7
    result.blending = "additive"
    before = result.as_layer_data_tuple()[1]
    compare.amount.setValue(HALF)
    compare.hold.pressed.emit()
    compare.hold.released.emit()
    after = result.as_layer_data_tuple()[1]
    for key in before.keys() - {"metadata"}:
        np.testing.assert_equal(after[key], before[key], err_msg=key)
    assert all(layer.visible for layer in viewer.layers)


def test_hold_within_a_mix(compare, result, noisy):
    compare.amount.setValue(HALF)
    mixed = np.asarray(result.data)
    compare.hold.pressed.emit()
    np.testing.assert_array_equal(seen(result), noisy)
    assert compare.amount.value() == HALF
    compare.hold.released.emit()
    np.testing.assert_array_equal(result.data, mixed)


def test_saved_as_seen(compare, result, tmp_path):
    compare.amount.setValue(HALF)
    path = str(tmp_path / "mix.tif")
    result.save(path)
    np.testing.assert_array_equal(tifffile.imread(path), np.asarray(result.data))


def test_duplicate_of_a_mix_has_its_own_amount(viewer, compare, result):
    compare.amount.setValue(HALF)
    viewer.layers.selection = {result}
    _duplicate_layer(viewer.layers)  # what napari's menu of a layer does
    copy = viewer.layers["cells denoised copy"]
    compare.choose(copy)
    compare.amount.setValue(100)
    assert isinstance(copy.data, np.ndarray)
    assert isinstance(result.data, Mix)
    assert copy.metadata["noise2self"]["amount"] == 1
    assert result.metadata["noise2self"]["amount"] == HALF / 100


def test_colour(viewer, dock, compare, qtbot, noisy, tiny):
    colour = np.stack([noisy // 2, noisy // 3, noisy // 4], axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name="cells")
    run(qtbot, dock, tiny)
    compare.amount.setValue(HALF)
    assert viewer.layers["cells denoised"].data[...].dtype == np.uint8


def test_instant_on_large_planes(viewer, dock, compare):
    """One plane is mixed, whatever the number of planes."""
    stack = np.random.default_rng(0).integers(0, 999, (3, 2048, 2048), dtype=np.uint16)
    source = viewer.add_image(stack, contrast_limits=(0, 999))
    add_result(viewer, source)
    seconds = []
    for percent in (90, 50, 10, 60, 30):
        started = time.perf_counter()
        compare.amount.setValue(percent)
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[2] < 0.05


def test_results_of_other_docks_are_found_newest_first(viewer, dock, compare, noisy):
    source = viewer.add_image(noisy, name="cells")
    old = add_result(viewer, source, "old", "2020", held_out_loss=1.25)
    new = add_result(viewer, source, "new", "2021")
    older = add_result(viewer, source, "older", "2019")
    shown = [compare.choice.itemText(place) for place in range(compare.choice.count())]
    assert [text.split(" · ")[0] for text in shown] == ["new", "old", "older"]
    assert shown[1] == "old · loss 1.25 · total variation"
    assert compare.layer is old  # the first there was stays chosen
    compare.choose(new)
    compare.amount.setValue(HALF)
    assert isinstance(new.data, Mix)
    assert isinstance(older.data, np.ndarray)
    assert dock.figures.isHidden()  # a calibration has others


def test_second_result_is_chosen_and_says_how_it_differs(
    viewer, dock, compare, qtbot, result, tiny
):
    run(qtbot, dock, replace(tiny, seed=7))
    second = viewer.layers["cells denoised [1]"]
    assert compare.layer == second
    assert "seed 7" in compare.choice.itemText(0)
    assert "seed" not in compare.choice.itemText(1)
    first_figures = dock.figures.text
    compare.choice.setCurrentIndex(1)
    assert compare.layer == result
    assert dock.figures.text != first_figures


def test_list_follows_new_names_and_removal(viewer, compare, result):
    result.name = "mine"
    assert compare.choice.currentText().startswith("mine · ")
    compare.remove.click()
    assert result not in viewer.layers
    assert compare.isHidden()


def test_source_that_was_renamed_is_still_known(viewer, compare, result, noisy):
    viewer.layers["cells"].name = "other"
    assert compare.hold.isEnabled()
    compare.amount.setValue(0)
    np.testing.assert_array_equal(result.data, noisy)


def test_source_removed(viewer, compare, result):
    viewer.layers.remove("cells")
    for part in (compare.hold, compare.amount, compare.wipe):
        assert not part.isEnabled()
        assert "gone" in part.toolTip()


def test_mix_outlives_its_source(viewer, compare, result):
    """Nobody changes the user's pixels by removing another layer."""
    compare.amount.setValue(HALF)
    before = np.asarray(result.data)
    viewer.layers.remove("cells")
    np.testing.assert_array_equal(result.data, before)
    compare.amount.setValue(100)
    assert isinstance(result.data, np.ndarray)
    assert not compare.amount.isEnabled()


def test_noisy_image_of_a_removed_layer_is_not_kept(viewer, dock, qtbot, tiny, noisy):
    data = noisy.copy()
    gone = weakref.ref(data)
    viewer.add_image(data, name="cells")
    run(qtbot, dock, tiny)
    del data
    viewer.layers.remove("cells")
    qtbot.wait(100)
    gc.collect()
    assert gone() is None


def test_data_of_the_result_replaced(viewer, dock, compare, result):
    result.data = np.zeros((8, 8))
    dock.reset_choices()
    assert not compare.hold.isEnabled()


def test_result_removed_while_held(viewer, compare, result):
    compare.hold.pressed.emit()
    viewer.layers.remove(result)
    compare.hold.released.emit()
    assert compare.isHidden()


def test_dock_closed_while_held(viewer, dock, compare, result):
    denoised = compare.results.layers()[0].data
    compare.hold.pressed.emit()
    viewer.window.remove_dock_widget(dock.parent())
    assert result.data is denoised
    assert all("noise2self" not in f"{use}" for use in viewer.keymap.values())
    viewer.bind_key("N", lambda _: None)  # it is free again


def test_mix_stays_when_the_dock_is_closed_and_opened(viewer, dock, compare, result):
    compare.amount.setValue(HALF)
    viewer.window.remove_dock_widget(dock.parent())
    assert isinstance(result.data, Mix)
    again = open_dock(viewer)
    assert again.compare.layer == result
    assert again.compare.amount.value() == HALF


def test_compare_while_a_training_runs(viewer, dock, compare, qtbot, result, endless):
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    compare.amount.setValue(HALF)
    assert isinstance(result.data, Mix)
    dock.cancel()
    wait_until_idle(qtbot, dock)
    assert not dock.figures.isHidden()


def test_wheel_scrolls_the_dock_and_changes_nothing(viewer, dock, compare, result):
    add_result(viewer, viewer.layers["cells"])
    for part in (compare.amount, compare.wipe, compare.choice):
        assert not turn_wheel(part)
    assert compare.layer == result
    assert compare.amount.value() == 100
    assert compare.wipe.value() == 0


def test_mix_is_denoised_as_it_is_seen(viewer, dock, compare, qtbot, result, tiny):
    compare.amount.setValue(HALF)
    dock.images.value = compare.layer
    run(qtbot, dock, tiny)
    expected = denoise(np.asarray(result.data), tiny)
    np.testing.assert_array_equal(viewer.layers["cells denoised denoised"].data, expected)


def test_wipe(compare, result, noisy):
    """Noisy left of the border, the result right of it."""
    denoised = result.data
    compare.wipe.setValue(25)
    np.testing.assert_array_equal(seen(result)[:, :16], noisy[:, :16])
    np.testing.assert_array_equal(seen(result)[:, 16:], denoised[:, 16:])
    assert compare.wipe.label.text() == "25 %"
    compare.wipe.setValue(100)
    np.testing.assert_array_equal(seen(result), noisy)
    compare.wipe.setValue(0)
    assert result.data is denoised


def test_wipe_by_the_keyboard(compare, result, noisy):
    QTest.keyClick(compare.wipe, Qt.Key.Key_PageUp)
    assert compare.wipe.value() == 10
    np.testing.assert_array_equal(seen(result)[:, :6], noisy[:, :6])


def test_amount_within_a_wipe(compare, result, noisy):
    """It is that of the right side, and the border stays where it is."""
    denoised = result.data
    compare.wipe.setValue(HALF)
    compare.amount.setValue(HALF)
    half = (noisy + denoised) / 2
    np.testing.assert_array_equal(seen(result)[:, :32], noisy[:, :32])
    np.testing.assert_allclose(seen(result)[:, 32:], half[:, 32:], rtol=1e-5)
    compare.wipe.setValue(0)
    np.testing.assert_allclose(result.data, half, rtol=1e-5)
    assert result.metadata["noise2self"]["amount"] == 0.5


def test_hold_within_a_wipe(compare, result, noisy):
    compare.wipe.setValue(HALF)
    wiped = seen(result)
    compare.hold.pressed.emit()
    np.testing.assert_array_equal(seen(result), noisy)
    compare.hold.released.emit()
    np.testing.assert_array_equal(seen(result), wiped)
    assert compare.wipe.value() == HALF


@pytest.mark.parametrize("amount", [HALF, 100])
@pytest.mark.parametrize("look", ["wipe", "hold"])
def test_what_is_only_looked_at_is_no_pixel_of_the_result(
    viewer, dock, compare, qtbot, result, tmp_path, tiny, amount, look
):
    """Neither in a file, nor in a duplicate, nor in what is made of it."""
    compare.amount.setValue(amount)
    pixels = np.array(result.data)
    if look == "wipe":
        compare.wipe.setValue(HALF)
    else:
        compare.hold.pressed.emit()
    assert (seen(result) != pixels).any()

    path = str(tmp_path / "result.tif")
    result.save(path)
    np.testing.assert_array_equal(tifffile.imread(path), pixels)
    viewer.layers.selection = {result}
    _duplicate_layer(viewer.layers)
    np.testing.assert_array_equal(seen(viewer.layers["cells denoised copy"]), pixels)
    np.testing.assert_array_equal(Source.capture(result).data[...], pixels)
    dock.images.value = result
    run(qtbot, dock, tiny)
    twice = viewer.layers["cells denoised denoised"]
    np.testing.assert_array_equal(twice.data, denoise(pixels, tiny))


def test_wipe_over_stacks(viewer, dock, compare, stack):
    """It stays from plane to plane."""
    source = viewer.add_image(stack)
    layer = add_result(viewer, source)
    denoised = layer.data
    compare.wipe.setValue(HALF)
    viewer.dims.set_current_step(0, 2)
    for plane in (0, 2):
        np.testing.assert_array_equal(layer.data[plane, :, :32], stack[plane, :, :32])
        np.testing.assert_array_equal(layer.data[plane, :, 32:], denoised[plane, :, 32:])


def test_wipe_over_colours(viewer, dock, compare, noisy):
    colour = np.stack([noisy // 2, noisy // 3, noisy // 4], axis=-1).clip(0, 255).astype(np.uint8)
    layer = add_result(viewer, viewer.add_image(colour, rgb=True))
    denoised = layer.data
    compare.wipe.setValue(HALF)
    np.testing.assert_array_equal(seen(layer)[:, :32], colour[:, :32])
    np.testing.assert_array_equal(seen(layer)[:, 32:], denoised[:, 32:])


@pytest.mark.parametrize("end", ["choose", "close", "turn", "3D"])
def test_what_ends_a_wipe(viewer, dock, compare, stack, end):
    source = viewer.add_image(stack)
    layer, other = add_result(viewer, source), add_result(viewer, source, "other")
    compare.choose(layer)
    denoised = layer.data
    compare.wipe.setValue(HALF)
    if end == "choose":
        compare.choose(other)
    elif end == "close":
        viewer.window.remove_dock_widget(dock.parent())
    elif end == "turn":
        viewer.dims.transpose()
    else:
        viewer.dims.ndisplay = 3
        assert not compare.wipe.isEnabled()
        assert "change to 2D" in compare.wipe.toolTip()
        viewer.dims.ndisplay = 2
        assert compare.wipe.isEnabled()
    assert layer.data is denoised
    if end != "close":
        assert compare.wipe.value() == 0
        assert compare.wipe.label.text() == "0 %"


class Slow:
    """A stack on a slow disk: notes which plane is read, and whether in the main thread."""

    def __init__(self, stack):
        self.stack, self.shape, self.ndim, self.dtype = stack, stack.shape, 3, stack.dtype
        self.reads, self.may_read, self.broken = [], Event(), False
        self.may_read.set()

    def __len__(self):
        return len(self.stack)

    def __getitem__(self, key):
        planes = range(len(self))[key[0]]
        self.reads.append((*planes, current_thread() is main_thread()))
        assert self.may_read.wait(30)
        if self.broken:
            raise OSError("the disk is gone")
        return self.stack[key]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.stack, dtype)


@pytest.fixture
def slow(viewer, dock, stack):
    """A noisy stack that is slow to read, with a result; plane 2 is on view."""
    slow = Slow(stack)
    add_result(viewer, viewer.add_image(slow, contrast_limits=(0, 500)))
    viewer.dims.set_current_step(0, 2)
    slow.reads.clear()
    yield slow
    slow.may_read.set()


def test_lazy_plane_is_read_once_and_not_in_the_main_thread(dock, compare, slow, qtbot):
    """A plane may take a third of a second to read, for each step of a slider."""
    layer, denoised = compare.layer, compare.layer.data
    slow.may_read.clear()
    for percent in (90, HALF):
        compare.amount.setValue(percent)
        dock.reset_choices()
        assert compare.amount.value() == percent  # and waits
        assert layer.data is denoised
    slow.may_read.set()
    qtbot.waitUntil(lambda: isinstance(layer.data, Mix))
    assert layer.data.amount == HALF / 100
    for percent in (90, 50, 10):
        compare.amount.setValue(percent)
        assert result_of(layer.data).amount == percent / 100
        compare.wipe.setValue(percent)
        assert isinstance(layer.data, Wiped)
        compare.hold.pressed.emit()
        compare.hold.released.emit()
    assert slow.reads == [(2, False)]


def test_wiped_when_the_lazy_plane_has_come(compare, slow, qtbot):
    compare.wipe.setValue(HALF)
    qtbot.waitUntil(lambda: isinstance(compare.layer.data, Wiped))
    assert slow.reads == [(2, False)]
    assert compare.wipe.value() == HALF


def test_lazy_plane_that_comes_after_the_button_is_up(compare, slow, qtbot):
    slow.may_read.clear()
    QTest.mousePress(compare.hold, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(compare.hold, Qt.MouseButton.LeftButton)
    slow.may_read.set()
    wait_for_threads(qtbot)
    qtbot.wait(50)
    assert isinstance(compare.layer.data, np.ndarray)
    QTest.mousePress(compare.hold, Qt.MouseButton.LeftButton)
    assert isinstance(compare.layer.data, Wiped)
    QTest.mouseRelease(compare.hold, Qt.MouseButton.LeftButton)
    assert slow.reads == [(2, False)]


def test_another_result_is_chosen_before_the_lazy_plane_comes(viewer, compare, slow, qtbot, noisy):
    first = compare.layer
    second = add_result(viewer, viewer.add_image(noisy), name="second", created="2019")
    slow.may_read.clear()
    compare.amount.setValue(HALF)
    compare.choose(second)
    slow.may_read.set()
    wait_for_threads(qtbot)
    qtbot.wait(50)
    assert not any(isinstance(layer.data, Mix) for layer in (first, second))
    assert compare.amount.value() == 100


def test_lazy_plane_that_cannot_be_read(compare, slow, qtbot, told):
    slow.broken = True
    compare.amount.setValue(HALF)
    qtbot.waitUntil(lambda: compare.amount.value() == 100)
    (note,) = told()
    assert note.message == (
        "The plane on view of the noisy image can't be read (the disk is gone); make sure that its "
        "file is still there, and whole."
    )
    assert isinstance(compare.layer.data, np.ndarray)
    slow.broken = False
    compare.amount.setValue(HALF)
    qtbot.waitUntil(lambda: isinstance(compare.layer.data, Mix))


def test_all_that_is_wished_for_comes_with_the_lazy_plane(compare, slow, qtbot):
    slow.may_read.clear()
    compare.amount.setValue(HALF)
    compare.wipe.setValue(30)
    QTest.mousePress(compare.hold, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(compare.hold, Qt.MouseButton.LeftButton)
    slow.may_read.set()
    qtbot.waitUntil(lambda: isinstance(compare.layer.data, Wiped))
    assert result_of(compare.layer.data).amount == HALF / 100
    assert (compare.amount.value(), compare.wipe.value()) == (HALF, 30)
    assert slow.reads == [(2, False)]


def test_another_plane_is_on_view_when_the_lazy_plane_comes(viewer, compare, slow, qtbot):
    viewer.layers[0].visible = False  # of which napari would read a plane
    slow.may_read.clear()
    compare.amount.setValue(HALF)
    compare.wipe.setValue(30)
    viewer.dims.set_current_step(0, 1)
    slow.may_read.set()
    qtbot.waitUntil(lambda: isinstance(compare.layer.data, Wiped))
    assert result_of(compare.layer.data).amount == HALF / 100
    assert slow.reads == [(2, False), (1, False)]


def test_turned_before_the_lazy_plane_comes(viewer, compare, slow, qtbot):
    """Nothing came of the wish: so the slider says."""
    viewer.layers[0].visible = False  # of which napari would read a plane
    slow.may_read.clear()
    compare.amount.setValue(HALF)
    viewer.dims.transpose()
    assert compare.amount.value() == 100
    slow.may_read.set()
    wait_for_threads(qtbot)
    qtbot.wait(50)
    assert isinstance(compare.layer.data, np.ndarray)


def test_all_of_the_denoised_image_needs_no_noisy_one(compare, slow):
    compare.layer.data = Mix(compare.results.noisy(compare.layer), compare.layer.data, 0.5)
    compare.refresh()
    compare.results.noisy(compare.layer)._last = None
    slow.broken = True
    compare.amount.setValue(100)
    assert isinstance(compare.layer.data, np.ndarray)


def test_wipe_ends_where_the_noisy_layer_goes(viewer, dock, compare, qtbot, noisy):
    """And lets go of its pixels."""
    data = noisy.copy()
    gone = weakref.ref(data)
    layer = add_result(viewer, viewer.add_image(data, name="noisy"))
    denoised = layer.data
    compare.wipe.setValue(HALF)
    del data
    viewer.layers.remove("noisy")
    assert layer.data is denoised
    assert compare.wipe.value() == 0
    qtbot.wait(100)
    gc.collect()
    assert gone() is None


def test_wiped_result_removed(viewer, dock, compare, noisy):
    layer = add_result(viewer, viewer.add_image(noisy))
    denoised = layer.data
    compare.wipe.setValue(HALF)
    viewer.layers.remove(layer)
    assert layer.data is denoised


@pytest.mark.parametrize("planes", [1, 20])
def test_wipe_is_instant_on_large_planes(viewer, dock, compare, planes):
    stack = np.broadcast_to(np.arange(2048, dtype=np.uint16), (planes, 2048, 2048))
    layer = Source.capture(viewer.add_image(stack, contrast_limits=(0, 2048))).result_layer(
        Outcome(np.broadcast_to(np.float32(1), stack.shape), {"method": "tv"}, Settings())
    )
    viewer.add_layer(layer)
    seconds = []
    for percent in (90, 50, 10, 60, 30):
        started = time.perf_counter()
        compare.wipe.setValue(percent)
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[2] < 0.05
