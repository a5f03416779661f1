"""Whatever goes wrong, the user is told in a sentence, and the dock can be used again."""

import warnings

import numpy as np
import pytest
import torch
from drive import begin, run, wait_for_threads, wait_for_training, wait_until_idle

from napari_noise2self import Settings
from napari_noise2self.denoiser import Denoiser
from napari_noise2self.inference.predictor import Predictor
from napari_noise2self.training.trainer import Trainer
from napari_noise2self.widgets.tasks.live import Live


def raising(error):
    """Return a function that only raises."""

    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.mark.parametrize("where", [(Trainer, "_step"), (Live, "preview"), (Predictor, "predict")])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("cuDNN is sad"), "cuDNN is sad"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to ..."), "smaller batch size"),
        (MemoryError(), "ran out of memory"),
    ],
)
def test_errors_of_the_computation(
    viewer, dock, qtbot, noisy, tiny, denoisers, told, monkeypatch, where, error, words
):
    viewer.add_image(noisy, name="cells")
    with monkeypatch.context() as patch:
        patch.setattr(*where, raising(error))
        run(qtbot, dock, tiny)

    assert words in dock.status.text()
    (notification,) = told()
    assert notification.severity == "error"
    assert notification.message == dock.status.text()
    assert notification.exception.__cause__ is error  # for "View Traceback"
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == ["cells"])
    qtbot.waitUntil(lambda: [denoiser() for denoiser in denoisers] == [None])

    run(qtbot, dock, tiny)
    assert "cells denoised" in viewer.layers


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((32, 32), bool), "mask"),
        (np.full((32, 32), np.nan, np.float32), "no finite pixels"),
    ],
)
@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
def test_images_that_cannot_be_denoised(viewer, dock, qtbot, tiny, told, data, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # napari's, on such images
        viewer.add_image(data, contrast_limits=(0, 1))
    run(qtbot, dock, tiny)
    assert words in dock.status.text()
    assert [str(n.severity) for n in told()] == ["error"]
    assert len(viewer.layers) == 1
    assert dock.start_button.isEnabled()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_missing_device(viewer, dock, qtbot, noisy, told):
    viewer.add_image(noisy)
    run(qtbot, dock, Settings(device="cuda", max_steps=1))
    assert "no cuda device" in dock.status.text()
    assert len(told()) == 1


def test_warnings_reach_the_user(viewer, dock, qtbot, noisy, tiny, told, monkeypatch):
    fit = Denoiser.fit

    def warn(*args, **kwargs):
        warnings.warn("a strange image", stacklevel=2)
        return fit(*args, **kwargs)

    monkeypatch.setattr(Denoiser, "fit", warn)
    viewer.add_image(noisy)
    run(qtbot, dock, tiny)
    assert [str(n.severity) for n in told()] == ["warning"]


def test_a_plain_run_tells_nothing(viewer, dock, qtbot, noisy, tiny, told):
    viewer.add_image(noisy)
    run(qtbot, dock, tiny)
    assert told() == []


def test_result_that_cannot_be_shown(viewer, dock, qtbot, noisy, tiny, monkeypatch):
    """An error in the main thread is Qt's to report; the dock must not stay busy."""
    from napari_noise2self.widgets.layers.source import Source

    viewer.add_image(noisy, name="cells")
    with monkeypatch.context() as patch, qtbot.capture_exceptions() as caught:
        patch.setattr(Source, "result_look", raising(RuntimeError("no room")))
        run(qtbot, dock, tiny)
    assert [str(error) for _, error, _ in caught] == ["no room"]
    run(qtbot, dock, tiny)
    assert "cells denoised" in viewer.layers


def test_error_after_cancelling_is_not_shown(
    viewer, dock, qtbot, noisy, endless, told, monkeypatch
):
    viewer.add_image(noisy)
    begin(dock, endless)
    wait_for_training(qtbot, dock)
    monkeypatch.setattr(Trainer, "_step", raising(RuntimeError("too late")))
    dock.cancel()
    wait_until_idle(qtbot, dock)
    wait_for_threads(qtbot)
    assert told() == []
    assert dock.status.text().startswith("Cancelled")
