"""The dock in a real viewer: what comes out, and what it says meanwhile."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import dask
import dask.array
import numpy as np
from drive import begin, open_dock, run, wait_for_threads, wait_for_training, wait_until_idle

from napari_noise2self import Settings, __version__, denoise
from napari_noise2self.figures.words import loss_levels
from napari_noise2self.widgets.dock import State


def test_result_is_a_layer_that_looks_like_its_source(viewer, dock, qtbot, noisy, tiny):
    data = noisy.copy()
    metadata = {"stain": "DAPI"}
    source = viewer.add_image(
        data,
        name="cells",
        scale=(0.5, 0.25),
        translate=(3, 4),
        rotate=10,
        shear=[0.2],
        affine=np.diag([2.0, 2.0, 1.0]),
        units=("um", "um"),
        axis_labels=("row", "column"),
        colormap="magma",
        contrast_limits=(90, 300),
        gamma=0.7,
        blending="additive",
        opacity=0.8,
        interpolation2d="cubic",
        metadata=metadata,
    )

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"]
    unlike = {"name", "metadata"}
    before, after = (layer.as_layer_data_tuple()[1] for layer in (source, result))
    for key in before.keys() - unlike:
        np.testing.assert_equal(after[key], before[key], err_msg=key)
    assert result.data.dtype == np.float32
    assert result.metadata["stain"] == "DAPI"
    story = result.metadata["noise2self"]
    assert Settings.from_dict(story["settings"]) == tiny
    assert story["version"] == __version__
    assert story["figures"]["steps"] == tiny.max_steps
    np.testing.assert_array_equal(source.data, noisy)
    assert source.data is data
    assert source.metadata == {"stain": "DAPI"}


def test_dock_and_api_give_the_same_pixels(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, denoise(noisy, tiny))


def test_time_is_that_of_the_chosen_image(viewer, dock, noisy):
    time = dock.form.preset.explanation
    assert "trains for 15 s at most" in time.text()
    viewer.add_image(np.broadcast_to(noisy[:1, :1], (16, 512, 512)), name="stack")
    viewer.add_image(noisy, name="cells")
    dock.images.value = viewer.layers["stack"]
    assert "trains for 60 s at most" in time.text()
    dock.images.value = viewer.layers["cells"]
    assert "trains for 15 s at most" in time.text()
    colours = np.broadcast_to(np.uint8(0), (1024, 1024, 4))  # alpha is not denoised
    viewer.add_image(colours, rgb=True, name="colours")
    dock.images.value = viewer.layers["colours"]
    assert "trains for 52 s at most" in time.text()
    dock.images.value = viewer.layers["stack"]
    viewer.layers.clear()
    assert "trains for 15 s at most" in time.text()


def test_colour(viewer, dock, qtbot, noisy, tiny):
    colour = np.stack([noisy // 2, noisy // 3, noisy // 4], axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name="cells")

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"]
    assert result.rgb
    assert result.dtype == np.uint8
    expected = denoise(colour, tiny, axes="YXS", dtype="same")
    np.testing.assert_array_equal(result.data, expected)


def test_alpha_channel_is_kept(viewer, dock, qtbot, noisy, tiny):
    alpha = np.arange(64 * 64).reshape(64, 64) % 256
    colours = [noisy // 2, noisy // 3, noisy // 4]
    data = np.stack([*colours, alpha], axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(data, rgb=True, name="cells")

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"].data
    np.testing.assert_array_equal(result[..., 3], data[..., 3])
    assert (result[..., :3] != data[..., :3]).any()


def test_stack_with_one_model_for_all_planes(viewer, dock, qtbot, stack, tiny, denoisers):
    viewer.add_image(stack, name="cells", scale=(3, 1, 1))

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"]
    np.testing.assert_array_equal(result.data, denoise(stack, tiny, axes="TYX"))
    np.testing.assert_array_equal(result.scale, (3, 1, 1))
    assert len(denoisers) == 2  # the dock's, and the one of the line above


def test_few_planes_last_are_not_taken_for_colours(viewer, dock, qtbot, stack, tiny):
    viewer.add_image(np.moveaxis(stack, 0, -1), name="cells", rgb=False)
    viewer.dims.order = (2, 0, 1)

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"].data
    np.testing.assert_array_equal(np.moveaxis(result, -1, 0), denoise(stack, tiny, axes="TYX"))


def test_multiscale_image_at_full_resolution(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image([noisy, noisy[::2, ::2]], multiscale=True, name="cells", scale=(0.5, 0.5))

    run(qtbot, dock, tiny)

    result = viewer.layers["cells denoised"]
    assert not result.multiscale
    assert result.data.shape == noisy.shape
    np.testing.assert_array_equal(result.scale, (0.5, 0.5))


def test_lazy_array_is_read_in_the_background(viewer, dock, qtbot, stack, tiny):
    readers = set()

    def read(block):
        readers.add(threading.current_thread())
        return block

    lazy = dask.array.from_array(stack, chunks=(1, 48, 64)).map_blocks(read, dtype=stack.dtype)
    with dask.config.set(scheduler="synchronous"):  # read where the data is asked for
        viewer.add_image(lazy, name="cells", contrast_limits=(0, 500))
        readers.clear()
        run(qtbot, dock, tiny)

    assert readers
    assert threading.main_thread() not in readers
    np.testing.assert_array_equal(
        viewer.layers["cells denoised"].data, denoise(stack, tiny, axes="TYX")
    )


def test_progress_and_summary(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    begin(dock, replace(tiny, max_steps=60))
    assert dock.state is State.PREPARING
    assert dock.status.text() == "cells: 64 × 64 pixels"
    wait_for_training(qtbot, dock)
    assert "left" in dock.progress.time_left.text()
    wait_until_idle(qtbot, dock)

    figures = viewer.layers["cells denoised"].metadata["noise2self"]["figures"]
    steps, losses = zip(*dock.plot.points, strict=True)
    assert steps == (30, 60)
    assert dict(zip(steps, losses, strict=True))[dock.plot.kept] == figures["held_out_loss"]
    assert dock.status.text().startswith("Done in ")
    assert f"60 steps on {figures['device']} → layer 'cells denoised'" in dock.status.text()
    assert f"Held-out loss: {figures['held_out_loss']:.3g}" in dock.figures.text
    assert dock.plot.levels == loss_levels(figures)


def test_stop_keeps_the_best(viewer, dock, qtbot, noisy, endless):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    assert not dock.progress.stop.isEnabled()
    assert "Only the training" in dock.progress.stop.toolTip()
    wait_for_training(qtbot, dock)

    dock.progress.stop.click()

    assert dock.state in (State.STOPPING, State.PREDICTING)
    assert not dock.progress.stop.isEnabled()
    wait_until_idle(qtbot, dock)
    figures = viewer.layers["cells denoised"].metadata["noise2self"]["figures"]
    assert 0 < figures["steps"] < endless.max_steps
    assert figures["best_step"] > 0


def test_cancel_leaves_nothing_behind(viewer, dock, qtbot, noisy, endless, tiny, denoisers):
    viewer.add_image(noisy, name="cells")
    begin(dock, endless)
    wait_for_training(qtbot, dock)

    started = time.monotonic()
    dock.progress.cancel.click()
    wait_until_idle(qtbot, dock)
    assert time.monotonic() - started < 0.5

    wait_for_threads(qtbot)
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == ["cells"])
    assert dock.status.text().startswith("Cancelled")
    assert [denoiser() for denoiser in denoisers] == [None]
    run(qtbot, dock, tiny)  # the dock works again
    assert "cells denoised" in viewer.layers


def test_cancel_and_start_again_at_once(viewer, dock, qtbot, noisy, endless, tiny):
    """What the cancelled job still says must not be taken for words of the next."""
    viewer.add_image(noisy, name="cells")
    for _ in range(3):
        begin(dock, endless)
        dock.progress.cancel.click()
        assert dock.state is State.IDLE
    run(qtbot, dock, tiny)
    assert [layer.name for layer in viewer.layers] == ["cells", "cells denoised"]


def test_cancelled_as_the_result_arrives(viewer, dock, qtbot, noisy, tiny):
    """There is none then, though the plot has told its outcome."""
    viewer.add_image(noisy, name="cells")
    begin(dock, tiny)
    dock._job.arrived.connect(lambda _: dock.progress.cancel.click())
    wait_until_idle(qtbot, dock)
    qtbot.wait(200)
    assert dock.plot.levels
    assert [layer.name for layer in viewer.layers] == ["cells"]
    assert dock.models.model is None
    assert dock.figures.isHidden()
    assert dock.compare.isHidden()
    run(qtbot, dock, tiny)
    assert "cells denoised" in viewer.layers


def test_only_the_last_model_is_kept_after_a_job(viewer, dock, qtbot, noisy, tiny, denoisers):
    viewer.add_image(noisy, name="cells")
    for _ in range(2):
        run(qtbot, dock, tiny)
    first, second = denoisers
    assert first() is None
    assert second() is dock.models.model.denoiser


def test_button_says_why_it_is_disabled(viewer, dock, qtbot, noisy, endless):
    assert not dock.start_button.isEnabled()
    assert "no image layer" in dock.start_button.toolTip()

    viewer.add_labels(np.zeros((8, 8), int))
    assert not dock.start_button.isEnabled()

    viewer.add_image(noisy)
    assert dock.start_button.isEnabled()

    begin(dock, endless)
    assert not dock.start_button.isEnabled()
    assert "at work" in dock.start_button.toolTip()
    assert not dock.form.editor("width").isEnabled()
    dock.cancel()
    assert dock.start_button.isEnabled()
    assert dock.form.editor("width").isEnabled()

    viewer.layers.clear()
    assert not dock.start_button.isEnabled()


def test_choice_follows_the_viewer(viewer, dock, noisy):
    first = viewer.add_image(noisy, name="first")
    viewer.add_image(noisy, name="second")
    assert [layer.name for layer in dock.images.choices] == ["first", "second"]
    first.name = "renamed"
    shown = {dock.images.native.itemText(place) for place in range(dock.images.native.count())}
    assert shown == {"renamed", "second"}
    viewer.layers.remove("second")
    assert [layer.name for layer in dock.images.choices] == ["renamed"]
    assert dock.images.value.name == "renamed"


def test_selected_image_is_chosen_at_first(viewer, noisy):
    for name in ("first", "second", "third"):
        viewer.add_image(noisy, name=name)
    viewer.layers.selection.active = viewer.layers["second"]
    widget = open_dock(viewer)
    assert widget.images.value.name == "second"


def test_opening_the_dock_does_not_load_torch():
    code = (
        "import sys, napari\n"
        "viewer = napari.Viewer(show=False)\n"
        "viewer.window.add_plugin_dock_widget('napari-noise2self', 'Denoise')[1].dock\n"
        "viewer.close()\n"
        "assert 'torch' not in sys.modules\n"
    )
    env = {**os.environ, "NAPARI_CONFIG": ""}  # leave the settings of the user alone
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=env)
