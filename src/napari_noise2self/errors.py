"""How an error reaches the user of the command line: as one sentence."""

from __future__ import annotations

EXPECTED = (ValueError, OSError, MemoryError, RuntimeError)
"""What bad files, full disks and lack of memory raise; anything else is a bug of this package."""


def one_line(error: BaseException) -> str:
    """Return an error as one sentence."""
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "There is not enough memory; close other programs or use a smaller image."
    if type(error).__name__ == "OutOfMemoryError":
        return "The GPU has not enough memory; use --device cpu."
    return " ".join(str(error).split()) or type(error).__name__
