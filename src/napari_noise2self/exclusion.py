"""The extra neighbourhood that is hidden around a target pixel when noise is correlated.

Where the noise of a neighbour is like the pixel's own, seeing the neighbour is seeing the noise:
the network would learn it. Hiding such neighbours too makes the prediction independent again
(structN2V, Broaddus et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .settings import ExclusionKind


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
        return min(10, max(4, wanted))

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
        if self.kind == "plus":
            return _dilate(targets, 0, self.radius) | _dilate(targets, self.radius, 0)
        rows = 0 if self.kind == "horizontal" else self.radius
        columns = 0 if self.kind == "vertical" else self.radius
        return _dilate(targets, rows, columns)


NO_EXCLUSION = Exclusion()
"""Nothing is hidden but the targets."""


def _dilate(targets: Tensor, rows: int, columns: int) -> Tensor:
    """Widen the targets by a rectangle."""
    size = (2 * rows + 1, 2 * columns + 1)
    widened = functional.max_pool2d(
        targets.to(torch.float32), size, stride=1, padding=(rows, columns)
    )
    return widened > 0
