"""With a trained model, another partition shows at once what it changes."""

from dataclasses import replace

import numpy as np
import pytest
from drive import run, wait_for_threads

from napari_noise2self import Denoiser, Settings
from napari_noise2self.progress import Control
from napari_noise2self.widgets.tasks.live import View
from napari_noise2self.widgets.tasks.predict import Pace, PredictTask

TINY = Settings(start="fresh", width=4, depth=1, patch_size=16, batch_size=1, max_steps=2)
OTHER = Settings(start="fresh", width=4, depth=1, partition="random", partition_size=5)


def _run(task):
    return task(control=Control(), report=lambda _: None, show=lambda _: None)


@pytest.mark.parametrize("adjacent_planes", ["ignore", "use"])
def test_window_is_predicted_with_the_other_partition_and_the_rest_stays_noisy(adjacent_planes):
    """With what is beside it in the stack, but not in the plane, which would take longer."""
    stack = np.random.default_rng(0).poisson(20, (3, 40, 50)).astype(np.uint16)
    model = Denoiser(replace(TINY, adjacent_planes=adjacent_planes)).fit(stack, axes="TYX")
    own = model.partition
    window = (slice(1, 2), slice(8, 24), slice(4, 40))
    plane = _run(
        PredictTask("stack", stack, "TYX", (1, 0, 0), model, OTHER, (View(window),), Pace())
    )
    expected = model.repartitioned(OTHER).denoise(
        stack, axes="TYX", window=window, rough=True, prediction="j-invariant", flips=1
    )
    np.testing.assert_array_equal(plane[8:24, 4:40], expected[0])
    plane[8:24, 4:40] = stack[1, 8:24, 4:40]
    np.testing.assert_array_equal(plane, stack[1])
    assert model.partition == own, "the model itself was changed"


def test_each_window_is_shown_as_soon_as_it_is_there():
    image = np.random.default_rng(0).poisson(20, (40, 50)).astype(np.uint16)
    model = Denoiser(TINY).fit(image)
    views = tuple(View((slice(8, 8 + side), slice(4, 4 + side))) for side in (16, 24))
    task, seen = PredictTask("cells", image, "YX", (0, 0), model, OTHER, views, Pace()), []
    last = task(control=Control(), report=lambda _: None, show=seen.append)
    assert [int((plane != image).sum()) for plane in (*seen, last)] == [16**2, 24**2]


def test_another_pace_is_no_other_wish():
    image = np.zeros((40, 50), np.uint16)
    small, large = (View((slice(0, side), slice(0, side))) for side in (16, 40))
    tasks = [
        PredictTask("cells", image, "YX", (0, 0), None, OTHER, views, Pace())
        for views in ((small, large), (large,), (small,))
    ]
    assert tasks[0].wish == tasks[1].wish != tasks[2].wish


def test_colour():
    image = np.random.default_rng(0).integers(0, 255, (32, 40, 4)).astype(np.uint8)
    model = Denoiser(TINY).fit(image[..., :3], axes="YXS")
    view = View((slice(0, 16), slice(0, 40), slice(0, 4)))
    plane = _run(PredictTask("colour", image, "YXS", (0, 0, 0), model, OTHER, (view,), Pace()))
    assert plane.shape == (32, 40, 3)
    assert plane.dtype == np.uint8
    np.testing.assert_array_equal(plane[16:], image[16:, :, :3])
    assert (plane[:16] != image[:16, :, :3]).any()


def test_pace_is_what_was_measured_unless_that_says_little():
    pace = Pace(1e-6)
    pace.measure(seconds=1.2, pixels=1e6)
    assert pace.seconds == 1e-6, "the window would flicker"
    pace.measure(seconds=1.0, pixels=1e3)
    assert pace.seconds == 1e-6, "of so few pixels, it is not their time"
    pace.measure(seconds=0.3, pixels=1e6)
    assert pace.seconds == pytest.approx(3e-7)


@pytest.fixture
def hidden(dock):
    return dock.hidden_pixels


def test_prediction_follows_the_partition_size(viewer, dock, hidden, noisy, tiny, qtbot):
    viewer.add_image(noisy, name="cells")
    hidden.show_button.click()
    assert not hidden.predict_button.isEnabled()
    assert "no model" in hidden.predict_button.toolTip()
    hidden.show_button.click()

    run(qtbot, dock, tiny)
    viewer.layers["cells"].corner_pixels = np.array([[0, 0], [63, 63]])
    hidden.show_button.click()
    hidden.predict_button.click()
    qtbot.waitUntil(lambda: "cells predicted" in viewer.layers, timeout=30_000)
    layer = viewer.layers["cells predicted"]
    for size in (2, 5):
        dock.form.editor("partition_size").put(size)
        wait_for_threads(qtbot)
        qtbot.waitUntil(lambda: hidden.predict_button.plane._job is None, timeout=30_000)
        model = dock.models.model.denoiser.repartitioned(dock.form.settings)
        expected = model.denoise(noisy, prediction="j-invariant", flips=1)
        np.testing.assert_array_equal(np.asarray(layer.data), expected)
    hidden.predict_button.click()
    assert layer.opacity == 0
    qtbot.waitUntil(lambda: "cells predicted" not in viewer.layers)


@pytest.mark.parametrize("on_view", [True, False])
def test_pyramid_on_view_or_not(viewer, dock, hidden, noisy, tiny, qtbot, monkeypatch, on_view):
    """Where the image is out of sight, it is the middle of the plane that is predicted."""
    layer = viewer.add_image([noisy, noisy[::4, ::4]], multiscale=True, name="cells")
    run(qtbot, dock, tiny)
    layer.locked_data_level = 1
    if not on_view:
        monkeypatch.setattr(View, "of", lambda *_: None)
    hidden.show_button.click()
    hidden.predict_button.click()
    qtbot.waitUntil(lambda: "cells predicted" in viewer.layers, timeout=30_000)
    wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: hidden.predict_button.plane._job is None, timeout=30_000)
    predicted = np.asarray(viewer.layers["cells predicted"].data)
    expected = dock.models.model.denoiser.denoise(noisy, prediction="j-invariant", flips=1)
    np.testing.assert_array_equal(predicted, expected)


def test_what_is_wished_while_the_layer_appears_is_shown(viewer, dock, hidden, noisy, tiny, qtbot):
    """To add it takes a while, in which others are told: they may move the slider."""
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    viewer.layers["cells"].corner_pixels = np.array([[0, 0], [63, 63]])
    hidden.show_button.click()

    def move_slider(event):
        if event.value.name == "cells predicted":
            dock.form.editor("partition_size").put(5)

    viewer.layers.events.inserted.connect(move_slider)
    hidden.predict_button.click()
    qtbot.waitUntil(lambda: "cells predicted" in viewer.layers, timeout=30_000)
    wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: hidden.predict_button.plane._job is None, timeout=30_000)
    assert dock.form.settings.partition_size == 5
    model = dock.models.model.denoiser.repartitioned(dock.form.settings)
    expected = model.denoise(noisy, prediction="j-invariant", flips=1)
    np.testing.assert_array_equal(np.asarray(viewer.layers["cells predicted"].data), expected)


def test_no_prediction_while_another_training_runs(viewer, dock, hidden, noisy, tiny, qtbot):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    hidden.show_button.click()
    hidden.predict_button.click()
    dock.start_button.click()
    assert not hidden.predict_button.isEnabled()
    assert not hidden.predict_button.isChecked()
    dock.cancel()
    assert hidden.predict_button.isEnabled()
