"""What the user is told of an error."""

import numpy as np
import pytest
import torch

from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.widgets.tasks.denoise import DenoiseTask
from napari_noise2self.widgets.tasks.residual import ResidualTask
from napari_noise2self.widgets.tasks.task import TaskError, explain


def call(task):
    return task(control=Control(), report=lambda _: None, show=lambda _: None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried ..."), "smaller batch size"),
        (MemoryError(), "crop the image"),
        (RuntimeError("cuDNN is sad.\nlong details"), "The work failed: cuDNN is sad. Try again"),
        (KeyError(), "failed: KeyError. Try again"),
    ],
)
def test_explain(error, words):
    sentence = explain(error, "work")
    assert words in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("data", [np.zeros((32, 32), bool), np.zeros((0, 32)), np.zeros(32)])
def test_unsuitable_image_is_told_in_the_words_of_the_core(data, tiny):
    axes = "YX"[-data.ndim :]
    with pytest.raises(TaskError) as caught:
        call(DenoiseTask("x", data, axes, tiny))
    assert caught.value.__cause__ is None
    assert "failed" not in str(caught.value)


def test_missing_torch_is_told(monkeypatch, tiny):
    monkeypatch.setitem(__import__("sys").modules, "napari_noise2self.denoiser", None)
    with pytest.raises(TaskError, match="PyTorch could not be loaded") as caught:
        call(DenoiseTask("x", np.zeros((32, 32)), "YX", tiny))
    assert isinstance(caught.value.__cause__, ImportError)


def test_task_is_named_for_the_list_of_tasks(tiny):
    assert str(DenoiseTask("cells", None, "YX", tiny)) == "denoising of 'cells'"


@pytest.mark.parametrize("shape", [(6, 8), (2, 6, 8), (2, 3, 6, 8)])
def test_residual(shape):
    random = np.random.default_rng(0)
    noisy, denoised = random.integers(0, 99, (2, *shape)).astype(np.uint16)
    residual = call(ResidualTask("x", noisy, denoised.astype(np.float32), "y"))
    expected = noisy.astype(float) - denoised
    np.testing.assert_array_equal(residual.image, expected)
    assert residual.image.dtype == np.float32
    assert 0.9 < (np.abs(expected) <= residual.limit).mean() <= 1


def test_residual_of_colours_is_their_mean_without_alpha():
    noisy, denoised = np.zeros((2, 6, 8, 4), np.uint8)
    noisy[..., :3], noisy[..., 3] = (3, 6, 0), 255
    residual = call(ResidualTask("x", noisy, denoised, "y", rgb=True))
    np.testing.assert_array_equal(residual.image, np.full((6, 8), 3.0))


def test_residual_of_nothing_has_limits():
    same = np.full((6, 8), np.nan)
    assert call(ResidualTask("x", same, same, "y")).limit == 1


def test_residual_can_be_cancelled():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        ResidualTask("x", np.zeros((6, 8)), np.zeros((6, 8)), "y")(
            control=control, report=print, show=print
        )
