"""Which errors are no bug, and what is said of them."""

import pytest
import torch

from napari_noise2self.errors import is_expected, lacks_gpu_memory, lacks_memory, one_line


def _of_torch() -> RuntimeError:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**58)
    return caught.value


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "close other programs"),
        (_of_torch(), "close other programs"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried ..."), "--device cpu"),
        (RuntimeError("MPS backend out of memory (MPS allocated ...)"), "--device cpu"),
    ],
)
def test_lack_of_memory(error: Exception, words: str) -> None:
    assert is_expected(error)
    assert lacks_memory(error)
    assert words in one_line(error)
    assert lacks_gpu_memory(error) == ("GPU" in one_line(error))


@pytest.mark.parametrize("error", [ValueError("first\n  second"), OSError("first second")])
def test_errors_of_the_user_are_told_as_they_are(error: Exception) -> None:
    assert is_expected(error)
    assert not lacks_memory(error)
    assert one_line(error) == "first second"


@pytest.mark.parametrize("kind", [RuntimeError, IndexError, KeyError, AssertionError])
def test_bugs_are_not_expected(kind: type[Exception]) -> None:
    """PyTorch raises RuntimeError where shapes don't fit, for example."""
    assert not is_expected(kind("mat1 and mat2 shapes cannot be multiplied"))
    assert not lacks_memory(kind())
    assert one_line(kind()) == kind.__name__
