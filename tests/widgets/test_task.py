"""What the user is told of an error."""

import numpy as np
import pytest
import torch

from napari_noise2self.progress import Control
from napari_noise2self.widgets.task import DenoiseTask, TaskError, explain


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried ..."), "smaller batch size"),
        (MemoryError(), "crop the image"),
        (RuntimeError("cuDNN is sad.\nlong details"), "failed: cuDNN is sad. Try again"),
        (KeyError(), "failed: KeyError. Try again"),
    ],
)
def test_explain(error, words):
    sentence = explain(error)
    assert words in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("data", [np.zeros((32, 32), bool), np.zeros((0, 32)), np.zeros(32)])
def test_unsuitable_image_is_told_in_the_words_of_the_core(data, tiny):
    axes = "YX"[-data.ndim :]
    with pytest.raises(TaskError) as caught:
        DenoiseTask("x")(data, axes, tiny, control=Control(), report=lambda _: None)
    assert caught.value.__cause__ is None
    assert "failed" not in str(caught.value)


def test_missing_torch_is_told(monkeypatch, tiny):
    monkeypatch.setitem(__import__("sys").modules, "napari_noise2self.denoiser", None)
    with pytest.raises(TaskError, match="PyTorch could not be loaded") as caught:
        DenoiseTask("x")(np.zeros((32, 32)), "YX", tiny, control=Control(), report=print)
    assert isinstance(caught.value.__cause__, ImportError)


def test_task_is_named_for_the_list_of_tasks():
    assert str(DenoiseTask("cells")) == "denoising of 'cells'"
