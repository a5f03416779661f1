"""Models that are used again: applied, saved, loaded, dropped on the window; results as code."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drive import begin, open_dock, run, wait_for_threads, wait_for_training, wait_until_idle
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog
from safetensors.torch import save_file

from napari_noise2self import Denoiser, Settings


@pytest.fixture
def choose_file(monkeypatch):
    """Answer the next file dialogs with a path; return what they have offered."""
    offered = []

    def answer(path):
        def dialog(parent, title, name, kinds):
            offered.append(name)
            return str(path), kinds

        monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", dialog)
        return offered

    return answer


@pytest.fixture
def model_file(noisy, tiny, tmp_path):
    """A model in a file."""
    path = tmp_path / "cells of May.safetensors"
    Denoiser(tiny).fit(noisy).save(path)
    return path


def load(qtbot, dock, path):
    dock.load(str(path))
    assert dock.progress.stage.text() == "Loading the model"
    wait_until_idle(qtbot, dock)


def drop(viewer, path):
    """Drop a file on the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    button = Qt.MouseButton.LeftButton
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, button, Qt.KeyboardModifier.NoModifier
    )
    viewer.window._qt_viewer.dropEvent(event)


def test_buttons_say_why_they_are_disabled(viewer, dock, qtbot, noisy, model_file, endless):
    row = dock.models
    for button, words in ((row.apply, "no model"), (row.save, "no model"), (row.copy, "no result")):
        assert not button.isEnabled()
        assert words in button.toolTip()
    assert row.load.isEnabled()

    load(qtbot, dock, model_file)
    assert row.save.isEnabled()
    assert not row.apply.isEnabled()
    assert "no image" in row.apply.toolTip()

    viewer.add_image(noisy)
    assert row.apply.isEnabled()
    begin(dock, endless)
    for button in (row.apply, row.continue_training, row.save, row.load):
        assert not button.isEnabled()
        assert "at work" in button.toolTip()
    assert "drop the file" in row.load.toolTip()


def test_apply_to_another_image(viewer, dock, qtbot, stack, tiny):
    viewer.add_image(stack[0], name="cells")
    run(qtbot, dock, tiny)
    film = viewer.add_image(stack, name="film", scale=(9, 1, 1))
    dock.images.value = film
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)

    result = viewer.layers["film denoised"]
    expected = Denoiser(tiny).fit(stack[0]).denoise(stack, axes="TYX")
    np.testing.assert_array_equal(result.data, expected)
    np.testing.assert_array_equal(result.scale, (9, 1, 1))
    story = result.metadata["noise2self"]
    assert story["model"] == {"name": "cells", "path": None}
    assert "with model 'cells' → layer 'film denoised'" in dock.status.text()
    assert "Held-out loss" not in dock.figures.text  # that was the training image's
    assert "unlike" not in dock.figures.text
    assert "model cells" in dock.compare.choice.currentText()


def test_save_that_is_cancelled_does_not_say_that_there_is_no_file(
    viewer, dock, qtbot, noisy, tiny, tmp_path
):
    viewer.add_image(noisy)
    run(qtbot, dock, tiny)
    dock.save(str(tmp_path / "model.safetensors"), overwrite=False)
    assert dock.progress.stage.text() == "Saving the model"
    dock.progress.cancel.click()
    assert dock.status.text() == "Cancelled; the file may have been written by then."
    wait_for_threads(qtbot)
    dock.models.apply.click()
    dock.progress.cancel.click()
    assert dock.status.text() == "Cancelled; nothing was changed."


def test_names_are_no_markup(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="<b>x</b> <img src=y>")
    run(qtbot, dock, tiny)
    tooltip = dock.compare.choice.itemData(0, Qt.ItemDataRole.ToolTipRole)
    for text in (dock.models.apply.toolTip(), tooltip):
        assert text.startswith("<qt>")
        assert "&lt;b&gt;x&lt;/b&gt; &lt;img src=y&gt;" in text


def test_continue_training(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    first, before = dock.models.model.denoiser, viewer.layers["cells denoised"].data.copy()
    longer = replace(tiny, max_steps=30, learning_rate=0.01, width=8)
    dock.form.set_settings(longer)
    dock.models.continue_training.click()
    wait_until_idle(qtbot, dock)

    result = viewer.layers["cells denoised [1]"]
    expected = Denoiser(tiny).fit(noisy).continue_training(noisy, longer)
    np.testing.assert_array_equal(result.data, expected.denoise(noisy))
    story = result.metadata["noise2self"]
    assert story["settings"] == replace(tiny, max_steps=30, learning_rate=0.01).to_dict()
    assert (story["figures"]["steps"], story["figures"]["continued_after"]) == (35, [5])
    assert "was continued" in dock.models.copy.toolTip()
    assert first.record.steps == 5  # the first result's model stays what it was
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, before)


def test_continued_training_is_cancelled(viewer, dock, qtbot, noisy, tiny, endless):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    model = dock.models.model
    dock.form.set_settings(endless)
    dock.models.continue_training.click()
    wait_for_training(qtbot, dock)
    assert dock.progress.stop.isEnabled()
    dock.progress.cancel.click()
    assert dock.models.model is model
    assert model.denoiser.denoise(noisy).shape == noisy.shape


def test_preset_without_a_step_is_told(viewer, dock, qtbot, noisy, told):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, Settings(preset="fast", max_steps=0, device="cpu"))
    dock.models.continue_training.click()
    wait_until_idle(qtbot, dock)
    assert "settings take no step; choose" in dock.status.text()
    assert len(told()) == 1


def test_image_unlike_the_training_data_is_told(viewer, dock, qtbot, noisy, model_file):
    viewer.add_image(noisy * 20.0, name="bright")
    load(qtbot, dock, model_file)
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    assert "This image is unlike those that the model was trained on" in dock.figures.text
    notes = viewer.layers["bright denoised"].metadata["noise2self"]["figures"]["notes"]
    assert notes[0].startswith("This image is unlike")


def test_wrong_number_of_channels(viewer, dock, qtbot, noisy, model_file, told):
    colour = np.stack([noisy // 2] * 3, axis=-1).astype(np.uint8)
    viewer.add_image(colour, rgb=True)
    load(qtbot, dock, model_file)
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    assert "trained on 1 channel(s)" in dock.status.text()
    assert len(viewer.layers) == 1
    assert len(told()) == 1


def test_save_and_load(viewer, dock, qtbot, noisy, tiny, tmp_path, choose_file):
    viewer.add_image(noisy, name="cells: 1/2")
    run(qtbot, dock, tiny)
    path = tmp_path / "model.safetensors"
    path.write_text("something that is overwritten, which the dialog has asked for")
    offered = choose_file(path)
    dock.models.save.click()
    wait_until_idle(qtbot, dock)
    assert offered == ["cells_ 1_2.safetensors"]
    assert str(path) in dock.status.text()

    dock.models.model = None
    dock.models.load.click()
    wait_until_idle(qtbot, dock)
    assert "'model.safetensors' is ready" in dock.status.text()
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    first, second = (viewer.layers[f"cells: 1/2 denoised{more}"].data for more in ("", " [1]"))
    np.testing.assert_array_equal(first, second)


def test_dialogs_that_are_left_do_nothing(viewer, dock, qtbot, noisy, tiny, choose_file):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    choose_file("")
    model = dock.models.model
    dock.models.save.click()
    dock.models.load.click()
    assert dock.start_button.isEnabled()
    assert dock.models.model is model


def test_suffix_is_added_but_no_file_overwritten_unasked(
    viewer, dock, qtbot, model_file, told, choose_file
):
    load(qtbot, dock, model_file)
    choose_file(model_file.with_name("new"))
    dock.models.save.click()
    wait_until_idle(qtbot, dock)
    assert model_file.with_name("new.safetensors").exists()
    assert told() == []
    dock.models.save.click()
    wait_until_idle(qtbot, dock)
    assert "exists already" in dock.status.text()


def test_folder_that_cannot_be_written(viewer, dock, qtbot, noisy, model_file, told):
    load(qtbot, dock, model_file)
    model = dock.models.model
    dock.save(str(model_file / "below a file" / "model.safetensors"), True)
    wait_until_idle(qtbot, dock)
    assert "can't be written" in dock.status.text()
    assert len(told()) == 1
    assert dock.models.model is model


def foreign(path):
    save_file({"weight": torch.zeros(3)}, path)


def broken(path):
    path.write_bytes(b"not a model at all")


@pytest.mark.parametrize(("write", "words"), [(foreign, "another program"), (broken, "no model")])
def test_files_that_are_no_models(viewer, dock, qtbot, tmp_path, told, write, words):
    path = tmp_path / "other.safetensors"
    write(path)
    load(qtbot, dock, path)
    assert words in dock.status.text()
    (notification,) = told()
    assert notification.message == dock.status.text()
    assert dock.models.model is None


def test_model_dropped_on_the_window_opens_the_dock(make_napari_viewer, qtbot, noisy, model_file):
    viewer = make_napari_viewer()
    viewer.add_image(noisy, name="cells")
    drop(viewer, model_file)
    dock = open_dock(viewer)
    wait_until_idle(qtbot, dock)
    assert dock.models.model.name == "cells of May"
    assert len(viewer.layers) == 1
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    expected = Denoiser.load(model_file).denoise(noisy)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, expected)


def test_model_dropped_while_the_dock_is_a_tab_behind_another(
    make_napari_viewer, qtbot, model_file
):
    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    behind = dock.parent().parent()
    before = open_dock(viewer, "Calibrate classic filters").parent().parent()
    viewer.window._qt_window.tabifyDockWidget(behind, before)
    qtbot.wait(200)  # till the tabs are there
    before.raise_()
    qtbot.wait(200)
    assert dock.visibleRegion().isEmpty()
    drop(viewer, model_file)
    wait_until_idle(qtbot, dock)
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())


def test_foreign_file_dropped(make_napari_viewer, qtbot, tmp_path, told):
    viewer = make_napari_viewer()
    path = tmp_path / "other.safetensors"
    foreign(path)
    drop(viewer, path)
    dock = open_dock(viewer)
    wait_until_idle(qtbot, dock)
    assert [note.message for note in told()] == [dock.status.text()]
    assert "another program" in dock.status.text()


def test_model_dropped_while_the_dock_is_at_work(viewer, dock, qtbot, noisy, endless, told):
    viewer.add_image(noisy)
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    dock.load("some.safetensors")
    assert "at work" in told()[0].message
    dock.cancel()


def test_copied_code_gives_the_same_pixels(viewer, dock, qtbot, stack, tiny):
    viewer.add_image(np.moveaxis(stack, 0, -1), name="it's mine", rgb=False)
    viewer.dims.order = (2, 0, 1)
    run(qtbot, dock, tiny)
    dock.models.copy.click()
    names = {"viewer": viewer}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["denoised"], viewer.layers["it's mine denoised"].data)


def test_copied_code_of_a_multiscale_image(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image([noisy, noisy[::2, ::2]], multiscale=True, name="cells")
    run(qtbot, dock, tiny)
    dock.models.copy.click()
    names = {"viewer": viewer}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["denoised"], viewer.layers["cells denoised"].data)


def test_copied_code_of_an_applied_model(viewer, dock, qtbot, noisy, model_file):
    viewer.add_image(noisy[:48], name="cells")
    load(qtbot, dock, model_file)
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    dock.models.copy.click()
    names = {"viewer": viewer}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["denoised"], viewer.layers["cells denoised"].data)


def test_no_code_for_a_model_that_is_in_no_file(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    dock.models.apply.click()
    wait_until_idle(qtbot, dock)
    assert not dock.models.copy.isEnabled()
    assert "save it" in dock.models.copy.toolTip()


def test_closed_dock_keeps_no_model(viewer, dock, qtbot, noisy, tiny, denoisers):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    viewer.window.remove_dock_widget(dock.parent())
    assert [denoiser() for denoiser in denoisers] == [None]
