"""A training that is watched: previews of what is on view, other partitions, rests."""

from dataclasses import replace

import numpy as np
import pytest
from drive import begin, wait_for_first_look, wait_for_training, wait_until_idle

from napari_noise2self import Denoiser, Settings
from napari_noise2self.progress import Control
from napari_noise2self.widgets.tasks import live as live_module
from napari_noise2self.widgets.tasks.first_look import FirstLook
from napari_noise2self.widgets.tasks.live import LARGEST_VIEW, Live, View


def steps(dock):
    return dock._job and dock.progress.bar.value()


@pytest.fixture
def often(monkeypatch):
    """Previews at once, and all the time."""
    monkeypatch.setattr(live_module, "_REST", 0.0)
    monkeypatch.setattr(live_module, "_SHARE", 100.0)


def test_first_look_clears_up_while_the_network_learns(viewer, dock, qtbot, noisy, endless, often):
    viewer.add_image(noisy, name="cells", scale=(2, 3))
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    first = look.data.copy()
    viewer.add_points(np.zeros((1, 2)))  # drawing tells each layer what is on view of it
    viewer.reset_view()
    seen = []

    def changed():
        if not any(np.array_equal(look.data, other) for other in [first, *seen]):
            seen.append(look.data.copy())
        return len(seen) >= 2

    qtbot.waitUntil(changed, timeout=60_000)
    assert look.name == "cells first look"
    assert len(viewer.layers) == 3
    assert look.data.shape == noisy.shape
    assert look.metadata["noise2self"]["figures"]["prediction"] == "single-pass"
    np.testing.assert_array_equal(look.scale, (2, 3))
    dock.cancel()
    qtbot.waitUntil(lambda: look not in viewer.layers)


def test_first_look_that_was_deleted_does_not_come_back(viewer, dock, qtbot, noisy, endless, often):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    look = wait_for_first_look(qtbot, dock, viewer)
    viewer.layers.remove(look)
    wait_for_training(qtbot, dock)
    qtbot.wait(1000)
    assert [layer.name for layer in viewer.layers] == ["cells"]
    dock.stop()
    wait_until_idle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["cells", "cells denoised"]


def test_other_partition_while_training(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    assert not dock.form.editor("width").isEnabled()
    size = dock.form.editor("partition_size")
    assert size.isEnabled()
    size.put(5)
    before = steps(dock)
    qtbot.waitUntil(lambda: steps(dock) > before + 20, timeout=30_000)
    dock.stop()
    wait_until_idle(qtbot, dock)
    story = viewer.layers["cells denoised"].metadata["noise2self"]
    assert story["settings"]["partition_size"] == 5
    assert story["figures"]["partition"]["size"] == 5
    [(step, partition)] = story["figures"]["partition_changes"]
    assert step > 0
    assert partition["size"] == 5


def test_rest_and_go_on(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    dock.progress.pause.click()
    qtbot.wait(400)
    resting = steps(dock)
    qtbot.wait(600)
    assert steps(dock) == resting
    assert dock.progress.stage.text().startswith("Paused")
    dock.progress.pause.click()
    qtbot.waitUntil(lambda: steps(dock) > resting, timeout=30_000)
    dock.cancel()


@pytest.mark.parametrize("way", ["stop", "cancel"])
def test_ending_a_training_that_rests(viewer, dock, qtbot, noisy, endless, way):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    dock.progress.pause.click()
    qtbot.wait(300)
    getattr(dock, way)()
    assert dock.progress.pause.text() == "Pause"
    assert dock.progress.stage.text().startswith("Training:")
    wait_until_idle(qtbot, dock)
    assert ("cells denoised" in viewer.layers) == (way == "stop")
    begin(dock, endless)
    assert not dock.progress.pause.isChecked()
    dock.cancel()


def test_view_is_what_the_window_shows(viewer):
    layer = viewer.add_image(np.zeros((5, 300, 400), np.uint8))
    viewer.dims.set_point(0, 3)
    layer.corner_pixels = np.array([[0, 50, 380], [0, 99, 450]])
    view = View.of(layer, layer.data.shape, "TYX", viewer.dims)
    assert view is not None
    assert view.window == (slice(3, 4), slice(50, 100), slice(380, 400))
    viewer.dims.ndisplay = 3
    assert View.of(layer, layer.data.shape, "TYX", viewer.dims) is None


@pytest.mark.parametrize(("first", "last", "rows"), [(0, 0, (0, 16)), (99, 100, (92, 108))])
def test_of_a_tiny_view_what_lies_around_is_shown(viewer, first, last, rows):
    layer = viewer.add_image(np.zeros((300, 9), np.uint8))
    layer.corner_pixels = np.array([[first, 3], [last, 4]])
    view = View.of(layer, layer.data.shape, "YX", viewer.dims)
    assert view is not None
    assert view.window == (slice(*rows), slice(0, 9))


def test_view_of_a_pyramid_is_one_of_its_finest_level(viewer):
    finest = np.zeros((3, 300, 400), np.uint8)
    layer = viewer.add_image([finest, finest[:, ::2, ::4]], multiscale=True)
    layer.locked_data_level = 1
    layer.corner_pixels = np.array([[0, 25, 5], [0, 74, 99]])
    view = View.of(layer, finest.shape, "TYX", viewer.dims)
    assert view is not None
    assert view.window == (slice(1, 2), slice(50, 150), slice(20, 400))


def test_nothing_is_on_view(viewer):
    layer = viewer.add_image(np.zeros((300, 400), np.uint8))
    layer.corner_pixels = np.array([[500, 500], [600, 600]])
    assert View.of(layer, layer.data.shape, "YX", viewer.dims) is None


def test_nothing_is_on_view_of_data_with_other_axes(viewer):
    layer = viewer.add_image(np.zeros((3, 300, 400), np.uint8))
    layer.data = layer.data[0]
    assert View.of(layer, (3, 300, 400), "TYX", viewer.dims) is None


def test_of_a_large_view_the_middle_is_shown(viewer):
    layer = viewer.add_image(np.zeros((2048, 1024), np.uint8))
    layer.corner_pixels = np.array([[0, 0], [2047, 1023]])
    view = View.of(layer, layer.data.shape, "YX", viewer.dims)
    assert view is not None
    assert 0.98 * LARGEST_VIEW < view.area <= LARGEST_VIEW
    rows, columns = view.window
    assert (rows.start + rows.stop) // 2 == pytest.approx(1024, abs=1)
    assert (columns.start + columns.stop) // 2 == pytest.approx(512, abs=1)


@pytest.fixture(scope="module")
def denoiser():
    noisy = np.random.default_rng(0).poisson(20, (32, 32)).astype(np.float32)
    tiny = Settings(start="fresh", width=4, depth=1, patch_size=16, batch_size=1, max_steps=2)
    return Denoiser(tiny).fit(noisy)


def _live(window):
    live = Live()
    live.view = View(window)
    return live


def test_preview_is_pasted_into_the_plane_on_view(denoiser, often):
    stack = np.random.default_rng(0).poisson(20, (3, 40, 50)).astype(np.float32)
    live = _live((slice(1, 2), slice(10, 20), slice(0, 50)))
    look = FirstLook(np.zeros((1, 40, 50), np.float32), (1, 0, 0), {})
    live.begin(look)
    shown = live.preview(denoiser, stack, "TYX", Control())
    assert shown.image.shape == look.image.shape
    assert not look.image.any(), "what is being drawn was changed"
    assert shown.image[:, 10:20].any()
    assert not shown.image[:, :10].any()
    assert not shown.image[:, 20:].any()


def test_preview_sees_what_is_beside_the_plane_on_view(often):
    stack = np.random.default_rng(0).poisson(20, (3, 32, 32)).astype(np.float32)
    tiny = Settings(start="fresh", width=4, depth=1, patch_size=16, batch_size=1, max_steps=2)
    model = Denoiser(replace(tiny, adjacent_planes="use")).fit(stack, axes="TYX")
    whole = model.denoise(stack, axes="TYX", prediction="single-pass", flips=1)
    live = _live((slice(1, 2), slice(0, 32), slice(0, 32)))
    live.begin(None)
    shown = live.preview(model, stack, "TYX", Control())
    np.testing.assert_array_equal(shown.image, whole[1:2])


def test_preview_of_another_plane_is_shown_alone(denoiser, often):
    stack = np.random.default_rng(0).poisson(20, (3, 40, 50)).astype(np.float32)
    live = _live((slice(2, 3), slice(10, 20), slice(0, 50)))
    live.begin(FirstLook(np.zeros((1, 40, 50), np.float32), (1, 0, 0), {}))
    shown = live.preview(denoiser, stack, "TYX", Control())
    assert shown.corner == (2, 10, 0)
    assert shown.image.shape == (1, 10, 50)


def test_previews_take_no_more_than_a_tenth_of_the_time(denoiser, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live_module.time, "monotonic", lambda: now[0])
    live = _live((slice(0, 32), slice(0, 32)))

    class Slow:
        def denoise(self, image, **options):
            now[0] += 1.0
            return image

    live.begin(None)
    shown = 0
    while now[0] < 1000:
        now[0] += 0.1
        shown += live.preview(Slow(), np.zeros((32, 32), np.float32), "YX", Control()) is not None
    assert 90 <= shown <= 101
