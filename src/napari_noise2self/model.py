"""A trained model: a network with all that decides what it predicts."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .arrays import InputError, OutputDtype, check_image, finish, output_dtype
from .calibration import Floor
from .choices import choose_partition
from .figures.findings import training_figures
from .figures.result import Result, ResultFigures
from .figures.suitability import mismatch
from .inference.coarse_predictor import CoarsePredictor
from .inference.predictor import DEFAULT_TILE, Predictor
from .inference.white_predictor import WhitePredictor
from .model_file import load_model, save_model
from .networks import Network
from .noise.stabilise import Stabiliser
from .noise.stable_noise import StableNoise
from .partition import Partition
from .probe.whitening import Whitening
from .progress import Control, Report, of_planes
from .settings import Device, Prediction, Settings
from .stack import Stack
from .stack_reader import StackReader, Window
from .training.record import TrainingRecord


class Model:
    """A network, its partition, and the scale of the images it was trained on.

    Parameters
    ----------
    settings : Settings, optional
        The defaults if None.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.record = TrainingRecord()
        self.network: Network | None = None
        self.stabilisers: tuple[Stabiliser, ...] = ()
        self.partition = Partition.from_settings(self.settings)
        self.floor: Floor | None = None
        self.exclusion_note = ""
        self.whitenings: tuple[Whitening, ...] = ()
        self.coarseness = 1
        self.stack = Stack()
        self.device = ""

    def denoise(
        self,
        image: Any,
        *,
        axes: str | None = None,
        dtype: OutputDtype = "float32",
        prediction: Prediction | None = None,
        tile: int = DEFAULT_TILE,
        flips: int | None = None,
        window: Window | None = None,
        rough: bool = False,
        control: Control | None = None,
        report: Report | None = None,
    ) -> NDArray[Any]:
        """Denoise an image with the trained network.

        Parameters
        ----------
        image : array
            Of any shape and real dtype, with as many channels as the training images.
        axes : str, optional
            As in `Denoiser.fit`.
        dtype : {"float32", "same"}
            Of the result; "same" rounds and clips to an integer dtype.
        prediction : {"posterior", "j-invariant", "single-pass"}, optional
            Instead of the settings' own.
        tile : int
            Side in pixels of the windows predicted at once; halved where memory is short.
        flips : int, optional
            Over how many of the image's eight orientations to average; 1 is fastest. If None,
            what the preset says for so many pixels; see `Budget.grown`.
        window : tuple of slice, optional
            The part to denoise, a slice for each axis; all if None. All that lies beside it is
            seen, so it is denoised as in the whole. But the posterior is made as bright as the
            noisy pixels of the window and around it, which may be some hundredths of the noise
            apart from all.
        rough : bool
            See of the window's own planes nothing but the window: faster, but its border is not
            as in the whole. For previews.
        control, report
            As in `Denoiser.fit`; reports count planes.

        Returns
        -------
        ndarray
            The shape of `image` or its window, and its intensity scale. Non-finite pixels are
            returned as they are.

        Raises
        ------
        InputError, AxesError, Cancelled
            As in `Denoiser.fit`; InputError also if there is no trained network yet.
        """
        return self.result(
            image,
            axes=axes,
            dtype=dtype,
            prediction=prediction,
            tile=tile,
            flips=flips,
            window=window,
            rough=rough,
            control=control,
            report=report,
        ).image

    def result(
        self,
        image: Any,
        *,
        axes: str | None = None,
        dtype: OutputDtype = "float32",
        prediction: Prediction | None = None,
        tile: int = DEFAULT_TILE,
        flips: int | None = None,
        window: Window | None = None,
        rough: bool = False,
        control: Control | None = None,
        report: Report | None = None,
    ) -> Result:
        """Denoise as `denoise` does, and return the figures of the result beside it."""
        self.trained_network()
        control = control or Control()
        mode = prediction or self.settings.prediction
        if flips is None:
            flips = self.settings.budget_for(math.prod(check_image(image, axes).shape)).flips
        predictor: Predictor | WhitePredictor | CoarsePredictor = self.predictor(tile, flips)
        if mode == "posterior" and self.whitens:
            predictor = self.white_predictor(tile, flips)
            if self.coarseness > 1:
                predictor = CoarsePredictor(predictor, self.coarseness)
        reader = self.reader(image, axes, window, 0 if rough else predictor.reach)
        result = np.empty(reader.layout.shape, output_dtype(image, dtype))
        gathered = ResultFigures(self.stabilisers, np.dtype(image.dtype))
        started = time.monotonic()
        for done, number in enumerate(reader.order):
            known, missing = reader.known(number), reader.missing(number)
            seen = reader.stable(number) if mode == "j-invariant" else known
            stack_report = report and of_planes(report, done, reader.layout.n_planes, started)
            mean, error, noise = predictor.predict(
                seen,
                mode,
                beside=reader.beside(number),
                origin=reader.origin,
                control=control,
                report=stack_report,
            )
            wanted = (slice(None), *reader.wanted)
            known, missing = known[wanted], missing[wanted]
            predicted = mean[wanted], error[wanted], noise[wanted]
            own = reader.line_noise(number), reader.stabilisers(number)
            grey = gathered.add(known, missing, *predicted, *own)
            plane = finish(grey, reader.plane(number)[wanted], missing.numpy(), result.dtype)
            reader.layout.set_plane(result, number, plane)
        return Result(result, gathered.figures(self.figures))

    def reader(
        self,
        image: Any,
        axes: str | None = None,
        window: Window | None = None,
        margin: int = 0,
    ) -> StackReader:
        """Return the planes of an image, or of a window of it, as the network sees them.

        The window may have a margin; see `StackReader`.

        Raises
        ------
        InputError, AxesError
            As in `Denoiser.fit`.
        """
        layout = check_image(image, axes)
        self.check_channels(layout.n_channels)
        axis, takes = self.stack.axis_of(layout), self.settings.takes_line_noise
        stride = self.coarseness * self.network.stride if self.network else 1
        return StackReader(
            image,
            layout,
            self.stabilisers,
            self._noise,
            takes,
            axis,
            window,
            margin,
            stride,
        )

    def predictor(self, tile: int = DEFAULT_TILE, flips: int = 1) -> Predictor:
        """Return the trained network with all that decides its predictions; see `Predictor`."""
        return Predictor(
            self.trained_network(),
            self.partition,
            self._noise,
            self.settings.fill,
            flips,
            tile,
            self.settings.mixed_precision,
        )

    def white_predictor(self, tile: int = DEFAULT_TILE, flips: int = 1) -> WhitePredictor:
        """Return the same for images, on a coarse grid if there is one, that are whitened first."""
        predictor = replace(
            self.predictor(tile, flips),
            partition=Partition.from_settings(self.settings),
            noise=self._noise_before.whitened([each.gain for each in self.whitenings]),
        )
        return WhitePredictor(predictor, self.whitenings)

    @property
    def whitens(self) -> bool:
        """Whether noise is made white before the posterior is predicted.

        Not with a network that was trained on images that are not, nor where the user chose an
        exclusion instead.
        """
        automatic = self.settings.chooses_exclusion and not self.record.best_step
        return bool(self.whitenings) and automatic

    @property
    def posterior_coarseness(self) -> int:
        """Of the grid on which the posterior is predicted; see `noise.coarse`."""
        return self.coarseness if self.whitens else 1

    def choose_partition(self) -> None:
        """Fix the partition by settings and noise; see `choices.choose_partition`."""
        chosen = choose_partition(self.settings, self.stabilisers)
        self.partition, self.exclusion_note = chosen

    def trained_network(self) -> Network:
        """Return the network; raise InputError if there is none yet."""
        if self.network is None:
            raise InputError("This denoiser is not trained yet; call fit(image) first.")
        return self.network

    def check_channels(self, channels: int) -> None:
        """Raise InputError for an image with another number of channels."""
        if channels != len(self.stabilisers):
            raise InputError(
                f"The model was trained on {len(self.stabilisers)} channel(s), but this image "
                f"has {channels}; train a new model on it."
            )

    def mismatch(self, image: Any, axes: str | None = None, control: Control | None = None) -> str:
        """Say how an image differs from those this was trained on; see `suitability.mismatch`."""
        return mismatch(
            self.stabilisers,
            image,
            axes,
            control,
            takes_line_noise=self.settings.takes_line_noise,
            coarseness=self.posterior_coarseness,
        )

    def repartition(self, settings: Settings) -> None:
        """Hide other pixels together from now on.

        Parameters
        ----------
        settings : Settings
            Uses `partition`, `partition_size`, `exclusion` and `exclusion_radius`.
        """
        self._repartition(settings)

    def _repartition(self, settings: Settings) -> None:
        """Do so in this model alone: a training of it knows nothing of that."""
        names = ("partition", "partition_size", "exclusion", "exclusion_radius")
        changes = {name: getattr(settings, name) for name in names}
        self.settings = replace(self.settings, **changes)
        self.choose_partition()

    def repartitioned(self, settings: Settings) -> Self:
        """Return the same model, but predicting as `repartition` says."""
        other = copy.copy(self)
        other._repartition(settings)
        return other

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the trained model to one file; see `model_file.save_model`."""
        save_model(self, Path(path), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, device: Device = "auto") -> Self:
        """Read a model from a file; see `model_file.load_model`."""
        return load_model(cls, Path(path), device)

    @property
    def _noise_before(self) -> StableNoise:
        """What is known of the noise before training."""
        return StableNoise.of(self.stabilisers)

    @property
    def _noise(self) -> StableNoise:
        return StableNoise.of(self.stabilisers, self.record.noise_refinements)

    @property
    def figures(self) -> dict[str, Any]:
        """What the training found, ready for JSON; see `training_figures`."""
        return training_figures(self)
