"""What a denoiser took away: noisy minus denoised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...progress import Control, Report
from .task import Show, Task

_SHARE = 0.998
_SAMPLES = 100_000


@dataclass(frozen=True)
class Residual:
    """A residual, and the limit within which nearly all of it lies, on either side of zero."""

    image: NDArray[np.float32]
    limit: float


@dataclass(frozen=True)
class ResidualTask(Task):
    """Subtract a denoised image from the noisy one; of colours, the mean difference.

    Parameters
    ----------
    noisy, denoised : array
        Of the same shape.
    denoised_name, denoised_id : str
        Of the denoised image's layer.
    rgb : bool
        Whether the last axis holds colours, and maybe an alpha channel, which is left out.
    """

    kind: ClassVar[str] = "residual"

    noisy: Any
    denoised: Any
    denoised_name: str
    denoised_id: str = ""
    rgb: bool = False

    def run(self, control: Control, report: Report, show: Show) -> Residual:
        """Subtract piece by piece."""
        shape = self.noisy.shape[:-1] if self.rgb else self.noisy.shape
        image = np.empty(shape, np.float32)
        for piece in _pieces(shape):
            control.check()
            image[piece] = self._difference(piece)
        some = np.abs(image.ravel()[:: max(1, image.size // _SAMPLES)])
        some = some[np.isfinite(some)]
        limit = float(np.quantile(some, _SHARE)) if some.size else 0.0
        return Residual(image, limit if limit > 0 else 1.0)

    def _difference(self, piece: tuple[int | slice, ...]) -> NDArray[np.float64]:
        noisy, denoised = (
            np.asarray(image[piece]).astype(np.float64) for image in (self.noisy, self.denoised)
        )
        if not self.rgb:
            return noisy - denoised
        difference: NDArray[np.float64] = (noisy - denoised)[..., :3].mean(axis=-1)
        return difference


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Return the indices of the planes of an array, so that no more than one is held twice."""
    if len(shape) < 3:
        yield (slice(None),)
    else:
        yield from np.ndindex(shape[:-2])
