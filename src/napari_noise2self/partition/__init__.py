"""Which pixels are hidden together, and what is put in their place.

The partition is the J of Batson & Royer (2019): it splits the pixels into subsets. A network that
sees only an image whose subset is hidden (`fill`) cannot use the noise of that subset: its
predictions there are J-invariant, whatever the network.
"""

from __future__ import annotations

from .fill import fill
from .subsets import Partition

__all__ = ["Partition", "fill"]
