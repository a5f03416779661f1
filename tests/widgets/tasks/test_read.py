"""A part of an image, read in the background."""

import subprocess
import sys

import numpy as np
import pytest

from napari_noise2self.progress import Control
from napari_noise2self.widgets.layers.mix import LastPart
from napari_noise2self.widgets.tasks.read import ReadTask
from napari_noise2self.widgets.tasks.task import TaskError

PART = (slice(None), 1)


def read(image, part=PART):
    ReadTask("the noisy image", LastPart(image), part)(
        control=Control(), report=lambda _: None, show=lambda _: None
    )


class Broken:
    shape = (2, 3)

    def __init__(self, error):
        self.error = error

    def __getitem__(self, key):
        raise self.error


def test_part_is_kept():
    task = ReadTask("the noisy image", LastPart(np.ones((2, 3))), PART)
    assert task.image.lacks(PART)
    task(control=Control(), report=lambda _: None, show=lambda _: None)
    assert not task.image.lacks(PART)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("the disk is gone.\nMore"), r"read \(the disk is gone\); make sure"),
        (KeyError(), r"read \(KeyError\); make sure"),
        (MemoryError(), "^This computer ran out of memory"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(error, told):
    with pytest.raises(TaskError, match=told) as raised:
        read(Broken(error))
    assert raised.value.__cause__ is None


def test_reading_does_not_wait_for_torch():
    """It takes seconds to load, and a result may come from elsewhere."""
    code = (
        "import sys, numpy as np\n"
        "from napari_noise2self.progress import Control\n"
        "from napari_noise2self.widgets.layers.mix import LastPart\n"
        "from napari_noise2self.widgets.tasks.read import ReadTask\n"
        "task = ReadTask('', LastPart(np.ones((2, 3))), (slice(None), 1))\n"
        "task(control=Control(), report=print, show=print)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
