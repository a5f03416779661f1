"""How an error reaches the user of the command line: as one sentence."""

from __future__ import annotations


def is_expected(error: BaseException) -> bool:
    """Tell whether bad files, full disks or lack of memory raise it; else it is a bug of ours."""
    return isinstance(error, ValueError | OSError) or lacks_memory(error)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether there was not enough memory, be it the computer's or the GPU's."""
    of_torch = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return isinstance(error, MemoryError) or of_torch or lacks_gpu_memory(error)


def lacks_gpu_memory(error: BaseException) -> bool:
    """Tell whether the GPU has not enough memory: by names, as PyTorch may not be loaded."""
    on_mps = isinstance(error, RuntimeError) and "MPS backend out of memory" in str(error)
    return type(error).__name__ == "OutOfMemoryError" or on_mps


def one_line(error: BaseException) -> str:
    """Return an error as one sentence."""
    if lacks_gpu_memory(error):
        return "The GPU has not enough memory; use --device cpu."
    if lacks_memory(error):
        return "There is not enough memory; close other programs or use a smaller image."
    return " ".join(str(error).split()) or type(error).__name__
