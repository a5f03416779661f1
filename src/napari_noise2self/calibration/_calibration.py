"""The whole way from a noisy array to one denoised by a calibrated classic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arrays import InputError, OutputDtype, check_image, finish, output_dtype
from ..choices import choose_partition
from ..measured_noise import measure_laws
from ..noise.stabilise import Stabiliser, of_plane, stabilise_plane, unstabilise_plane
from ..noise.stable_noise import StableNoise
from ..partition import Partition
from ..progress import Control, Progress, Report
from ..settings import Prediction, Settings
from ..stack_reader import StackReader
from ..training_planes import to_learn_from, training_planes
from ._classics import CLASSICS, Classic
from ._curves import Curve
from ._donut import donut, j_invariant, posterior
from ._floor import Floor, choose_classics, classic_floor


@dataclass(frozen=True, eq=False)
class Calibration:
    """Classics calibrated on an image, ready to denoise it and others like it.

    Parameters
    ----------
    settings : Settings
        Of which partition, exclusion, seed and prediction matter.
    stabilisers : tuple of Stabiliser
        One for each channel.
    partition : Partition
        Which pixels are hidden together.
    floor : Floor
        The best classic, and the curves of all.
    seconds : float
        What the calibration took.
    """

    settings: Settings
    stabilisers: tuple[Stabiliser, ...]
    partition: Partition
    floor: Floor
    seconds: float

    @property
    def method(self) -> str:
        """The best classic."""
        return self.floor.method

    @property
    def strength(self) -> float:
        """The strength of the best classic."""
        return self.floor.strength

    @property
    def curves(self) -> dict[str, Curve]:
        """The curves by their classic's name."""
        return {curve.method: curve for curve in self.floor.curves}

    @property
    def figures(self) -> dict[str, Any]:
        """What the calibration found, ready for JSON: goes into the metadata of results."""
        return {
            **self.floor.figures,
            "calibration_seconds": round(self.seconds, 3),
            "partition": asdict(self.partition),
            "noise": [asdict(stabiliser.grey_noise) for stabiliser in self.stabilisers],
        }

    def denoise(
        self,
        image: Any,
        *,
        axes: str | None = None,
        dtype: OutputDtype = "float32",
        method: str | None = None,
        prediction: Prediction | None = None,
        control: Control | None = None,
        report: Report | None = None,
    ) -> NDArray[Any]:
        """Denoise an image with a calibrated classic.

        Parameters
        ----------
        image : array
            Of any shape and real dtype, with as many channels as the image calibrated on.
        axes : str, optional
            One letter for each axis; the last two are Y and X if None.
        dtype : {"float32", "same"}
            Of the result; "same" rounds and clips to an integer dtype.
        method : str, optional
            One of `curves`; the best if None.
        prediction : {"posterior", "j-invariant", "single-pass"}, optional
            Instead of the settings' own. "j-invariant" is the donut; "single-pass" the ordinary
            filter at the donut's strength. "posterior" mixes the noisy pixel into the donut by
            its variance; where noise is correlated or not known, that is not possible, and it is
            the mean of donut and ordinary filter.
        control, report
            To cancel, and to follow, the work; reports count planes.

        Returns
        -------
        ndarray
            The shape and intensity scale of `image`. Non-finite pixels are returned as they are.

        Raises
        ------
        InputError, AxesError
            If the image can't be denoised, its axes are unclear, or the method was not calibrated.
        Cancelled
            If `control` was cancelled.
        """
        method = method or self.method
        if method not in self.curves:
            raise InputError(f"{method!r} was not calibrated; {', '.join(self.curves)} were.")
        layout = check_image(image, axes)
        if layout.n_channels != len(self.stabilisers):
            raise InputError(
                f"The classics were calibrated on {len(self.stabilisers)} channel(s), but this "
                f"image has {layout.n_channels}; calibrate them on it."
            )
        control, mode = control or Control(), prediction or self.settings.prediction
        classic, strength = CLASSICS[method], self.curves[method].best
        noise, takes = StableNoise.of(self.stabilisers), self.settings.takes_line_noise
        reader = StackReader(image, layout, self.stabilisers, noise, takes)
        result = np.empty(layout.shape, output_dtype(image, dtype))
        started = time.monotonic()
        for number in range(layout.n_planes):
            control.check()
            seen = reader.stable(number) if mode == "j-invariant" else reader.known(number)
            stable = self._predict(seen, noise, classic, strength, mode, control)
            mean = unstabilise_plane(reader.stabilisers(number), stable)
            missing = reader.missing(number).numpy()
            plane = finish(mean, reader.plane(number), missing, result.dtype)
            layout.set_plane(result, number, plane)
            if report:
                report(Progress.at_pace("predicting", number + 1, layout.n_planes, started))
        return result

    @property
    def _independent(self) -> Tensor:
        """Whether the noise of each channel is known, and that of neighbours independent."""
        white = self.partition.exclusion.radius == 0
        known = [white and stabiliser.noise.reliable for stabiliser in self.stabilisers]
        return torch.tensor(known).reshape(1, -1, 1, 1)

    def _predict(
        self,
        plane: Tensor,
        noise: StableNoise,
        classic: Classic,
        strength: float,
        mode: Prediction,
        control: Control,
    ) -> Tensor:
        """Denoise one stabilised plane (C, Y, X)."""
        scale = noise.unit.sqrt()
        stable = plane[None] / scale
        present = torch.isfinite(stable).all(dim=1, keepdim=True)
        image = torch.where(present, stable, 0)
        filtered = mean = torch.empty(0)
        if mode != "j-invariant":
            filtered = mean = donut(classic, strength, image, ~present, self.partition)
        if mode != "single-pass":
            mean = j_invariant(classic, strength, image, present, self.partition, control)
        if mode == "posterior":
            variance = noise.assumed_variance(mean * scale) / noise.unit
            mixed = posterior(mean, image, present, variance)
            mean = torch.where(self._independent, mixed, (mean + filtered) / 2)
        return (mean * scale)[0]


def calibrate(
    image: Any,
    settings: Settings | None = None,
    *,
    axes: str | None = None,
    methods: Sequence[str] | None = None,
    clean: Any = None,
    control: Control | None = None,
    report: Report | None = None,
) -> Calibration:
    """Find the best classic filter for a noisy image, and its best strength.

    Parameters
    ----------
    image : array
        Any shape and real dtype.
    settings : Settings, optional
        The defaults if None; partition, exclusion, seed and prediction matter.
    axes : str, optional
        One letter for each axis, such as ``"TZYX"``; the last two are Y and X if None.
    methods : sequence of str, optional
        Names in `CLASSICS`; all if None. `INSTANT` gives a first result at once.
    clean : array, optional
        The clean image of the same shape, where it is known: adds true errors to the curves.
    control, report
        To cancel, and to follow, the work.

    Returns
    -------
    Calibration
        With the curves, and a method that denoises.

    Raises
    ------
    InputError, AxesError
        If the image can't be denoised or its axes are unclear.
    ValueError
        If a method is unknown.
    Cancelled
        If `control` was cancelled.

    Examples
    --------
    >>> calibration = calibrate(noisy)  # doctest: +SKIP
    >>> print(calibration.method, calibration.strength)  # doctest: +SKIP
    >>> smooth = calibration.denoise(noisy)  # doctest: +SKIP
    """
    started = time.monotonic()
    choose_classics(methods)
    layout = check_image(image, axes)
    settings, control = settings or Settings(), control or Control()
    planes = training_planes(image, axes, control, settings.takes_line_noise).planes
    stabilisers = measure_laws(planes, control)
    partition, _ = choose_partition(settings, stabilisers)
    stable = to_learn_from(planes, stabilisers)
    known = None
    if clean is not None:
        if np.shape(clean) != layout.shape:
            raise InputError(f"The clean image must have the noisy one's shape, {layout.shape}.")
        cleans = training_planes(clean, axes, control).planes
        if len(cleans) != len(planes):
            raise InputError("Noisy and clean image must have finite pixels in the same planes.")
        pairs = zip(planes, cleans, strict=True)
        known = [stabilise_plane(of_plane(stabilisers, noisy), clean) for noisy, clean in pairs]
    floor = classic_floor(
        stable,
        StableNoise.of(stabilisers),
        partition,
        methods=methods,
        clean=known,
        control=control,
        report=report,
    )
    seconds = time.monotonic() - started
    return Calibration(settings, stabilisers, partition, floor, seconds)
