"""Which partition size is enough, in a chart on request."""

from dataclasses import replace

import numpy as np
import pytest
from drive import run, wait_for_threads, wait_until_idle

from napari_noise2self import Denoiser, Settings
from napari_noise2self.partition_sizes import SIZES, score_partition_sizes
from napari_noise2self.widgets.dock import State


@pytest.fixture
def panel(dock):
    return dock.hidden_pixels.sizes


def compare(qtbot, dock, panel):
    assert panel.switch.isEnabled()
    panel.switch.click()
    assert dock.state is State.PREDICTING
    assert dock.progress.stage.text() == "Comparing partition sizes"
    wait_until_idle(qtbot, dock)
    wait_for_threads(qtbot)


def test_scores_of_the_model_in_hand(viewer, dock, panel, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    compare(qtbot, dock, panel)
    expected = score_partition_sizes(Denoiser(tiny).fit(noisy), noisy)
    assert panel.plot.points == [(each.size, each.loss) for each in expected]
    (enough,) = (each.size for each in expected if each.enough)
    assert panel.plot.enough == enough
    assert f"Partition size {enough} is enough" in panel.reading.text()
    assert not panel.isHidden()
    assert len(viewer.layers) == 2  # a comparison makes no layer


def test_scores_of_the_pretrained_network(viewer, dock, panel, qtbot, stack):
    viewer.add_image(stack, name="film")
    viewer.dims.set_current_step(0, 2)
    dock.form.set_settings(Settings(preset="balanced", device="cpu", exclusion="none"))
    compare(qtbot, dock, panel)
    model = Denoiser(Settings(preset="fast", max_steps=0, device="cpu", exclusion="none"))
    expected = score_partition_sizes(model.fit(stack[2]), stack[2])
    assert panel.plot.points == [(each.size, each.loss) for each in expected]
    assert dock.models.model is None


def test_the_present_size_and_kind(viewer, dock, panel, qtbot, noisy, tiny):
    viewer.add_image(noisy)
    run(qtbot, dock, tiny)
    compare(qtbot, dock, panel)
    dock.form.editor("partition_size").put(7)
    dock.form.changed.emit()
    assert panel.plot.present == 7
    dock.form.set_settings(replace(tiny, partition="random", partition_size=9))
    assert panel.isHidden()
    assert not panel.switch.isChecked()
    compare(qtbot, dock, panel)
    assert [size for size, _ in panel.plot.points] == list(SIZES["random"])


def test_switched_off(viewer, dock, panel, qtbot, noisy, tiny):
    viewer.add_image(noisy)
    run(qtbot, dock, tiny)
    compare(qtbot, dock, panel)
    panel.switch.click()
    assert panel.isHidden()
    assert dock.state is State.IDLE


def test_scores_go_with_their_image(viewer, dock, panel, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    compare(qtbot, dock, panel)
    dock.images.value = viewer.add_image(noisy[::2], name="others")
    assert panel.isHidden()
    assert not panel.switch.isChecked()


def test_cancelled(viewer, dock, panel, qtbot, noisy, told):
    viewer.add_image(noisy)
    panel.switch.click()
    dock.progress.cancel.click()
    assert dock.state is State.IDLE
    assert not panel.switch.isChecked()
    assert panel.isHidden()
    wait_for_threads(qtbot)
    assert told() == []


def test_what_cannot_work_says_why(viewer, dock, panel, qtbot, noisy, stack, tiny, told):
    assert "no image layer" in panel.switch.toolTip()
    colours = np.stack([noisy // 2] * 3, axis=-1).astype(np.uint8)
    viewer.add_image(colours, rgb=True, name="colours")
    assert panel.switch.isEnabled()
    dock.form.editor("start").put("fresh")
    assert not panel.switch.isEnabled()
    assert "train one first" in panel.switch.toolTip()
    assert "Start: Pretrained" in panel.switch.toolTip()
    dock.form.editor("start").put("pretrained")
    viewer.layers.clear()
    dock.images.value = viewer.add_image(stack)
    assert panel.switch.isEnabled()
    viewer.dims.ndisplay = 3
    assert not panel.switch.isEnabled()
    assert "change to 2D" in panel.switch.toolTip()
    dock.reset_choices()
    viewer.dims.ndisplay = 2
    assert panel.switch.isEnabled()


def test_what_came_too_late_is_not_left_pressed(viewer, dock, panel, noisy):
    """As by a click before the dock has followed."""
    viewer.add_image(noisy)
    with viewer.dims.events.ndisplay.blocker(dock._refresh):
        viewer.dims.ndisplay = 3
    panel.switch.click()
    assert dock.state is State.IDLE
    assert not panel.switch.isChecked()


def test_a_model_of_other_channels_is_told(viewer, dock, panel, qtbot, noisy, tiny, told):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    colours = np.stack([noisy // 2] * 3, axis=-1).astype(np.uint8)
    dock.images.value = viewer.add_image(colours, rgb=True, name="colours")
    compare(qtbot, dock, panel)
    assert "trained on 1 channel(s)" in dock.status.text()
    assert not panel.switch.isChecked()
    assert len(told()) == 1


def test_pyramids(viewer, dock, panel, qtbot, noisy, tiny):
    viewer.add_image([noisy, noisy[::2, ::2]], multiscale=True)
    run(qtbot, dock, tiny)
    compare(qtbot, dock, panel)
    expected = score_partition_sizes(Denoiser(tiny).fit(noisy), noisy)
    assert panel.plot.points == [(each.size, each.loss) for each in expected]
