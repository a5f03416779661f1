"""What a trained network's residuals say of the noise, and of the network's own sureness.

A residual is the noisy pixel minus its J-invariant prediction. Its mean square is the variance of
the noise plus the network's error, which the network predicts itself, pixel by pixel: so squared
residuals lie about a line over the predicted variance. Where the network is sure, there is noise
alone; the more it doubts, the larger is its error.

- The *line* through the squared residuals shows noise that is much stronger than was measured, as
  it is where neighbours share it: the high-pass filter of the blind estimate sees little of that.
- The *doubt* is how large the network's errors are over what it predicts. A rehearsal (see
  `self_check`) says it for an image that is like its results. Of what is missing in these,
  structure that the network takes for noise, only the residuals know; but what they say is no
  better than the noise variance is known. So both are weighed by how sure they are.
- Where no noise could be measured, it is found where the network is surest. The prediction still
  carries a little of the noise of its inputs. How much is measured by adding fresh noise to
  the inputs and looking at how far the prediction moves (a Monte Carlo estimate in the spirit of
  Ramani et al. 2008).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from .tails import STRONGER, find_tails

_SUREST_SHARE = 0.25
_FEWEST_PIXELS = 100
_SMALLEST_FACTOR, _LARGEST_FACTOR = 0.05, 20.0
_UNFORESEEN = 0.5  # of the assumed variance: so much is not left of a drawing
_LARGEST_LEAK = 0.5
_BLIND_ERROR = 0.1  # of the blindly measured variance of white noise, but for rare images
_ROUNDS = 30
_OUTLIER = 25.0  # squared deviations: hot pixels count no more
_GROUPS, _STEPS = 8, 12  # of brightness; in each, of the predicted variance
_FEWEST_GROUPED = 20 * _GROUPS * _STEPS
_NOISE_ERROR = 0.06  # of the noise variance measured in one group of brightness
_DOUBT_ERROR = 0.5  # of the rehearsed doubt, where the image is like none that was pretrained on
_REHEARSAL_ERROR = 0.2  # of the rehearsed doubt, on simulated images that were pretrained on


@dataclass(frozen=True)
class Refinement:
    """What the residuals of a trained network say of one channel.

    Parameters
    ----------
    factor : float
        True noise variance over assumed.
    leak : float
        Variance of the prediction that comes from the noise of its inputs, over the noise
        variance: the smallest error that a prediction can have. Known where `factor` had to be
        found because no noise was measured; else 0.
    sureness : float
        Variance of the network's errors, over what it predicts for them, as it counts when
        predictions and noisy pixels are mixed; at most 1.
    doubt : float
        The same for the figures: the best estimate there is, more than 1 too.
    doubt_error : float
        Relative standard error of `doubt`.
    tails : tuple of float
        Shares of pixels with stronger noise; see `find_tails`.
    """

    factor: float = 1.0
    leak: float = 0.0
    sureness: float = 1.0
    doubt: float = 1.0
    doubt_error: float = 0.0
    tails: tuple[float, ...] = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make a refinement from what `dataclasses.asdict` gave, after its way through JSON.

        Raises
        ------
        ValueError
            If its tails are no shares.
        """
        tails = tuple(map(float, values.get("tails", ())))  # not in older files
        shares = all(0 <= share <= 1 for share in (*tails, sum(tails)))
        if len(tails) not in (0, len(STRONGER)) or not shares:
            raise ValueError("tails of the noise are no shares")
        return cls(**{**values, "tails": tails})


@dataclass(frozen=True, eq=False)
class Residuals:
    """J-invariant predictions of one channel at pixels that no training has seen, shape (n,).

    Parameters
    ----------
    mean, variance : ndarray
        As predicted for the clean signal.
    residual : ndarray
        Noisy pixel minus `mean`.
    assumed : ndarray
        The noise variance that was assumed.
    """

    mean: FloatArray
    variance: FloatArray
    residual: FloatArray
    assumed: FloatArray

    @property
    def squares(self) -> FloatArray:
        """Squared residuals without the excess of hot pixels."""
        most = _OUTLIER * (self.variance + self.assumed)
        return np.minimum(self.residual**2, most)

    @property
    def tails(self) -> tuple[float, ...]:
        """Shares of pixels with stronger noise, by the surer half of all."""
        doubt = self.variance / self.assumed
        sure = doubt <= np.median(doubt)
        return find_tails(self.residual[sure] ** 2, self.variance[sure], self.assumed[sure])

    @property
    def enough(self) -> bool:
        """Whether there are enough pixels to tell anything."""
        return self.residual.size >= _FEWEST_PIXELS


def refine_noise(found: Residuals, echo: FloatArray) -> Refinement | None:
    """Find the noise of a channel for which only a rough limit was assumed.

    It is that of the surest pixels. If they have none, but others can't be foreseen, they lie in
    the dark, and nothing is known of the noise that comes with light.

    Parameters
    ----------
    found : Residuals
        At least 400 for an answer.
    echo : ndarray
        Change of the prediction when noise of the assumed variance was added to the inputs,
        shape (n,).
    """
    count = round(_SUREST_SHARE * found.variance.size)
    if count < _FEWEST_PIXELS:
        return None
    surest = np.argsort(found.variance / found.assumed)[:count]
    squares = found.residual[surest] ** 2
    squares = np.minimum(squares, 2 * np.quantile(squares, 0.99))  # hot pixels
    expected = found.assumed[surest].mean()
    leak = min(float((echo[surest] ** 2).mean() / expected), _LARGEST_LEAK)
    factor = float(squares.mean() / expected / (1 + leak))
    foreseen = np.mean(found.residual**2) < _UNFORESEEN * np.mean(found.assumed)
    if factor < _SMALLEST_FACTOR and not foreseen:
        return None
    return Refinement(min(max(factor, _SMALLEST_FACTOR), _LARGEST_FACTOR), leak)


def find_excess(found: Residuals, most: float = _LARGEST_FACTOR) -> Refinement:
    """Find noise that is stronger than was measured, beyond the error of the blind estimate.

    The least-squares line ``squares = factor * assumed + sureness * variance``, each pixel weighed
    by how much its square varies. Where neighbours share noise, the prediction knows some of a
    pixel's: residuals are smaller than they should be, and most so where the network doubts. The
    slope tells that, too.

    Parameters
    ----------
    found : Residuals
        Of a channel whose noise was measured.
    most : float
        The largest factor that the correlation of the noise allows. Beyond it, these are errors of
        a network that does not know them.

    Returns
    -------
    Refinement
        That of a network that is right where there is no such excess.
    """
    squares, factor, slope = found.squares, 1.0, 1.0
    parts = np.stack([found.assumed, found.variance])
    for _ in range(_ROUNDS):
        weight = np.square(factor * found.assumed + slope * found.variance) ** -1.0
        left, right = (parts * weight) @ parts.T, (parts * weight) @ squares
        before = factor
        factor, slope = np.maximum(np.linalg.lstsq(left, right, rcond=None)[0], 0.05)
        if abs(factor - before) < 1e-4:
            break
    if not 1 + _BLIND_ERROR <= factor <= most:
        return Refinement()
    return Refinement(float(factor), sureness=min(float(slope), 1.0))


def weigh_doubt(
    found: Residuals, rehearsed: float, measure_noise: Callable[[FloatArray], FloatArray]
) -> tuple[float, float]:
    """Weigh the rehearsed doubt against what the residuals say.

    Pixels are grouped by brightness, and in each group by predicted variance. The expected mean
    square of each is the noise variance of the group plus the doubt times the predicted variance:
    a ridge regression, whose priors are the noise as measured in flat places and the rehearsed
    doubt. A group's predicted variance is right only within a factor of two; so where the network
    is sure, the residuals count for the noise, and where it is not, for the doubt.

    Parameters
    ----------
    found : Residuals
        Of white noise.
    rehearsed : float
        The doubt as rehearsed: never believed too large.
    measure_noise : callable
        Returns the noise variance over the assumed one of each group, or NaN, given the edges
        between groups of brightness; see `flat_blocks`.

    Returns
    -------
    doubt, relative error : float
    """
    if found.residual.size < _FEWEST_GROUPED:
        return rehearsed, _DOUBT_ERROR
    group, pixels, squares, assumed, variance = _grouped(found)
    edges = np.quantile(found.mean, np.arange(1, _GROUPS) / _GROUPS)
    noise = measure_noise(edges)
    missing = np.isnan(noise)
    noise[missing] = 1.0 if missing.all() else np.nanmean(noise)
    prior = np.append(noise, rehearsed)
    errors = np.append(np.where(missing, 1.0, _NOISE_ERROR), _DOUBT_ERROR * rehearsed)
    design = np.zeros((group.size, _GROUPS + 1))
    design[np.arange(group.size), group] = assumed
    design[:, -1] = variance
    found_values = prior
    for _ in range(_ROUNDS):
        expected = design @ found_values
        weight = 1 / (2 * expected**2 / pixels + (found_values[-1] * variance) ** 2)
        left = (design.T * weight) @ design + np.diag(errors**-2)
        right = (design.T * weight) @ squares + prior / errors**2
        found_values = np.maximum(np.linalg.solve(left, right), 0.05)
    doubt = max(float(found_values[-1]), rehearsed)
    error = float(np.sqrt(np.linalg.inv(left)[-1, -1])) / doubt
    return doubt, float(np.hypot(error, _REHEARSAL_ERROR))


def _grouped(
    found: Residuals,
) -> tuple[NDArray[np.intp], FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return group, number of pixels, and means of squares, noise and variance of each subgroup."""
    squares, rows = found.squares, []
    for number, group in enumerate(np.array_split(np.argsort(found.mean), _GROUPS)):
        order = np.argsort(found.variance[group] / found.assumed[group])
        for part in np.array_split(group[order], _STEPS):
            values = (each[part].mean() for each in (squares, found.assumed, found.variance))
            rows.append((number, part.size, *values))
    number, pixels, square, assumed, variance = np.array(rows).T
    return number.astype(np.intp), pixels, square, assumed, variance
