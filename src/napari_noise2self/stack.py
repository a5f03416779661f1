"""How a network sees a stack: along which axis, and what lies beside a plane there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .axes import BESIDE, Beside, Layout


@dataclass(frozen=True)
class Stack:
    """Along which axis of a stack a network sees adjacent planes.

    Parameters
    ----------
    axis : str
        Its letter; nothing where planes are denoised one by one.
    note : str
        Why that is so, in one sentence; nothing where there is no stack, or it was not asked.
    """

    axis: str = ""
    note: str = ""

    @property
    def adjacent(self) -> int:
        """How many adjacent planes are seen."""
        return len(BESIDE) if self.axis else 0

    def axis_of(self, layout: Layout) -> str:
        """Return the letter of the axis in an image, or nothing if it has none such.

        The name may be another than that in the training images, if it is the only one.
        """
        if not self.axis or self.axis in layout.stack_axes:
            return self.axis
        return layout.stack_axes if len(layout.stack_axes) == 1 else ""


def beside_plane(number: int, beside: Beside, planes: Callable[[int], Tensor]) -> Tensor:
    """Return the planes beside one, of shape (C, places in `BESIDE`, H, W), 0 where missing.

    Parameters
    ----------
    number : int
        Of the plane.
    beside : tuple
        Numbers of those beside it.
    planes : callable
        Returns a stabilised plane (C, H, W).
    """
    nothing = torch.zeros_like(planes(number))
    stack = torch.stack([nothing if n is None else planes(n) for n in beside], dim=1)
    return torch.where(torch.isfinite(stack), stack, 0)
