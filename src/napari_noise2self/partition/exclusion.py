"""The extra neighbourhood that is hidden around a target pixel when noise is correlated.

Where the noise of a neighbour is like the pixel's own, seeing the neighbour is seeing the noise:
the network would learn it. Hiding such neighbours too makes the prediction independent again
(structN2V, Broaddus et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from ..settings import ExclusionKind

if TYPE_CHECKING:
    from torch import Tensor  # loaded where tensors are made: the docks do without


@dataclass(frozen=True)
class Exclusion:
    """Which neighbours are hidden with a pixel.

    Parameters
    ----------
    kind : {"none", "horizontal", "vertical", "plus", "square"}
        A line through the pixel, both lines, or all around it.
    radius : int
        How far it reaches, in pixels; 0 with "none".
    """

    kind: ExclusionKind = "none"
    radius: int = 0

    @property
    def name(self) -> str:
        """The exclusion in words, such as ``"horizontal line, 2 pixels each way"``."""
        if self.kind == "none":
            return "none"
        line = " line" if self.kind in ("horizontal", "vertical") else ""
        plural = "" if self.radius == 1 else "s"
        return f"{self.kind}{line}, {self.radius} pixel{plural} each way"

    @property
    def turns(self) -> bool:
        """Whether the exclusion is the same when rows and columns are exchanged."""
        return self.kind not in ("horizontal", "vertical")

    @property
    def area(self) -> int:
        """Number of pixels hidden with a pixel, itself included."""
        line = 2 * self.radius + 1
        return {"plus": 2 * line - 1, "square": line**2}.get(self.kind, line)

    @property
    def smallest_grid(self) -> int:
        """Side of the grid partition that leaves enough visible between hidden pixels."""
        wanted = 2 * self.radius + 2 if not self.turns else 3 * self.radius + 2
        return min(10, wanted)

    @property
    def rectangles(self) -> tuple[tuple[int, int], ...]:
        """How far up and down, and to either side, the rectangles reach whose union it is."""
        radius = self.radius
        return {
            "none": ((0, 0),),
            "horizontal": ((0, radius),),
            "vertical": ((radius, 0),),
            "plus": ((0, radius), (radius, 0)),
            "square": ((radius, radius),),
        }[self.kind]

    def hide(self, targets: Tensor) -> Tensor:
        """Add the neighbours of the targets.

        Parameters
        ----------
        targets : Tensor
            bool of shape (B, 1, H, W).

        Returns
        -------
        Tensor
            bool of the same shape: the targets and all that is hidden with them.
        """
        if self.radius == 0:
            return targets
        return reduce(or_, (_dilate(targets, *reach) for reach in self.rectangles))


NO_EXCLUSION = Exclusion()
"""Nothing is hidden but the targets."""


def _dilate(targets: Tensor, rows: int, columns: int) -> Tensor:
    """Widen the targets by a rectangle."""
    import torch
    from torch.nn import functional

    size = (2 * rows + 1, 2 * columns + 1)
    widened = functional.max_pool2d(
        targets.to(torch.float32), size, stride=1, padding=(rows, columns)
    )
    return widened > 0
