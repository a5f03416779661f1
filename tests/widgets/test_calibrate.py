"""The dock of the classics in a real viewer."""

import time

import numpy as np
import pytest
from drive import open_dock, wait_for_threads, wait_until_idle

from napari_noise2self import calibrate
from napari_noise2self.calibration import CLASSICS
from napari_noise2self.samples import simulate_cells
from napari_noise2self.widgets.dock import State
from napari_noise2self.widgets.tasks.image import ImageTask


@pytest.fixture
def page(viewer, qtbot):
    """The dock, opened as a user opens it."""
    widget = open_dock(viewer, "Calibrate classic filters")
    yield widget
    widget.cancel()
    wait_for_threads(qtbot)


def press(qtbot, page):
    assert page.start_button.isEnabled()
    page.start_button.click()
    assert page.state is State.CALIBRATING
    wait_until_idle(qtbot, page, timeout=60_000)


def test_best_classic_is_added_and_its_curves_shown(viewer, page, qtbot, noisy):
    viewer.add_image(noisy, name="cells", scale=(2, 3), colormap="magma", metadata={"stain": "x"})
    press(qtbot, page)

    calibration = calibrate(noisy)
    source, result = viewer.layers
    np.testing.assert_array_equal(result.data, calibration.denoise(noisy))
    np.testing.assert_array_equal(result.scale, source.scale)
    assert result.colormap.name == "magma"
    assert result.metadata["stain"] == "x"
    story = result.metadata["noise2self"]
    assert story["figures"]["method"] == calibration.method
    assert story["figures"]["parameter"] == calibration.strength
    assert story["settings"]["prediction"] == "posterior"
    assert f"layer {result.name!r}" in page.status.text()
    assert page.methods.get() == calibration.method
    assert page.methods.currentText().endswith("(best)")
    assert not page.plot.isHidden()
    assert page.plot.minima["donut_losses"][0] == calibration.strength
    assert f"{calibration.strength:g}, the strength to choose" in page.reading.text()
    assert page.images.value is source


def test_other_classics_can_be_looked_at(viewer, page, qtbot, noisy):
    viewer.add_image(noisy)
    press(qtbot, page)
    for method in CLASSICS:
        page.methods.put(method)
        best = page._curves[method]["best"]
        assert page.plot.minima["donut_losses"][0] == best
        assert f"{best:g}, the strength" in page.reading.text()


def test_clean_image_adds_the_true_errors(viewer, page, qtbot):
    cells = simulate_cells(64)
    noisy = viewer.add_image(cells.noisy, name="cells")
    clean = viewer.add_image(cells.clean.astype(np.float32), name="clean")
    page.images.value, page.clean.value = noisy, clean
    press(qtbot, page)
    assert "donut_errors" in page.plot.minima
    assert "true error" in page.reading.text()
    np.testing.assert_array_equal(
        viewer.layers[-1].data, calibrate(cells.noisy).denoise(cells.noisy)
    )


def test_clean_image_of_another_shape(viewer, page, qtbot, noisy, told):
    viewer.add_image(noisy, name="cells")
    page.clean.value = viewer.add_image(noisy[:50], name="clean")
    page.images.value = viewer.layers["cells"]
    press(qtbot, page)
    assert "50 × 64 pixels, the noisy one 64 × 64" in page.status.text()
    assert [str(n.severity) for n in told()] == ["error"]
    assert len(viewer.layers) == 2


def test_no_clean_image_at_first(viewer, page, noisy):
    viewer.add_image(noisy)
    assert page.clean.value is None
    assert page.clean.native.currentText() == "None"


def test_colour(viewer, page, qtbot, stack):
    colour = np.stack(stack[:, :32, :32] // 3, axis=-1).clip(0, 255).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name="cells")
    press(qtbot, page)
    result = viewer.layers[-1]
    assert result.rgb
    assert result.data.dtype == np.uint8
    assert result.data.shape == colour.shape


def test_cancel(viewer, page, qtbot, monkeypatch):
    viewer.add_image(simulate_cells(256).noisy, name="cells")
    page.start_button.click()
    qtbot.waitUntil(lambda: page.progress.stage.text().startswith("Calibrating"), timeout=30_000)
    assert page.progress.stop.isHidden()
    assert not page.start_button.isEnabled()
    assert "at work" in page.start_button.toolTip()
    started = time.monotonic()
    page.progress.cancel.click()
    assert page.state is State.IDLE
    wait_for_threads(qtbot)
    assert time.monotonic() - started < 0.5
    assert page.status.text().startswith("Cancelled")
    assert len(viewer.layers) == 1


def test_curves_come_before_the_image(viewer, page, qtbot, noisy, monkeypatch):
    def wait_for_ever(*_, control, **__):
        while True:
            control.check()
            time.sleep(0.01)

    monkeypatch.setattr("napari_noise2self.calibration.Calibration.denoise", wait_for_ever)
    viewer.add_image(noisy)
    page.start_button.click()
    qtbot.waitUntil(lambda: not page.plot.isHidden(), timeout=30_000)
    assert page.state is State.CALIBRATING
    page.progress.cancel.click()
    assert not page.plot.isHidden()


def test_errors_are_told(viewer, page, qtbot, told, noisy, monkeypatch):
    monkeypatch.setattr(ImageTask, "with_alpha", None)
    viewer.add_image(noisy, name="cells")
    press(qtbot, page)
    assert "The calibration of 'cells' failed" in page.status.text()
    assert [str(n.severity) for n in told()] == ["error"]
    assert page.start_button.isEnabled()


def test_there_must_be_an_image(page):
    assert not page.start_button.isEnabled()
    assert "no image layer" in page.start_button.toolTip()
