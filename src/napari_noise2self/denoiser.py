"""The whole way from a noisy array to a denoised one."""

from __future__ import annotations

import copy
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .adjacent import Stack, choose_adjacent
from .arrays import (
    Beside,
    InputError,
    OutputDtype,
    check_image,
    finish,
    output_dtype,
    training_planes,
)
from .calibration import Floor, classic_floor
from .choices import choose_partition, learns_nothing
from .devices import describe_device, resolve_device
from .findings import training_figures
from .inference import DEFAULT_TILE, Predictor
from .networks import Network, build_network, create_network
from .noise_check import check_noise
from .partition import Partition
from .patches import any_detail
from .progress import Control, Report, of_planes
from .result import Result, ResultFigures
from .settings import Device, Prediction, Settings
from .stabilise import Stabiliser, fit_stabilisers, stabilise_plane
from .stable_noise import StableNoise
from .stack_reader import StackReader, Window
from .training import Trainer, TrainingRecord

_BUDGET = ("preset", "max_steps", "max_seconds", "learning_rate")


class Denoiser:
    """A network, its partition, and the scale of the images it was trained on.

    Parameters
    ----------
    settings : Settings, optional
        The defaults if None.

    Examples
    --------
    >>> denoiser = Denoiser(Settings(preset="fast")).fit(noisy)  # doctest: +SKIP
    >>> clean = denoiser.denoise(noisy)  # doctest: +SKIP
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.record = TrainingRecord()
        self.network: Network | None = None
        self.stabilisers: tuple[Stabiliser, ...] = ()
        self.partition = Partition.from_settings(self.settings)
        self.floor: Floor | None = None
        self._trainer: Trainer | None = None
        self.exclusion_note = ""
        self.stack = Stack()
        self.device = ""

    def fit(
        self,
        images: Any,
        *,
        axes: str | None = None,
        control: Control | None = None,
        report: Report | None = None,
    ) -> Denoiser:
        """Train on one or many noisy images, and on nothing else.

        Parameters
        ----------
        images : array or list of arrays
            Any real dtype and array type that slices to NumPy. A list holds several images
            that share axes and number of channels.
        axes : str, optional
            One letter for each axis, such as ``"TZYX"`` or ``"YXC"``; see `axes`. If None, the
            last two axes are Y and X and all others number planes.
        control : Control, optional
            Lets another thread stop or cancel the training.
        report : callable, optional
            Called with a `Progress` about ten times a second. It may call `denoise` of this
            object, which predicts with the weights of that moment.

        Returns
        -------
        Denoiser
            This object.

        Raises
        ------
        InputError, AxesError
            If an image cannot be denoised or its axes are unclear.
        Cancelled
            If `control` was cancelled.
        DeviceError
            If the device asked for is not there.
        """
        control = control or Control()
        training = training_planes(images, axes, control)
        stabilisers = fit_stabilisers(training.planes, control)
        self.stabilisers = check_noise(stabilisers, training.planes, control)
        self.choose_partition()
        stable = [stabilise_plane(self.stabilisers, plane) for plane in training.planes]
        along = {axis: training.beside(axis) for axis in training.stack_axes}
        choice = self.settings.adjacent_planes
        self.stack = choose_adjacent(
            stable, along, self.partition, self._noise_before, choice, control
        )
        settings = self.settings.effective
        if learns_nothing(settings, self.partition):
            settings = replace(settings, max_steps=0)
        network = create_network(settings, len(self.stabilisers), self.stack.adjacent)
        if not any_detail(stable):  # untrained, it predicts the mean
            network = build_network(settings, network.channels, network.adjacent)
        network.to(resolve_device(settings.device))
        beside = along.get(self.stack.axis)
        self._train(network, stable, beside, settings, TrainingRecord(), control, report)
        return self

    def continue_training(
        self,
        images: Any,
        settings: Settings | None = None,
        *,
        axes: str | None = None,
        control: Control | None = None,
        report: Report | None = None,
    ) -> Denoiser:
        """Train the network for longer, on the same images or on others.

        Noise model and partition stay as they are. The weights there were stay, too, if no others
        predict the held-out pixels better.

        Parameters
        ----------
        images : array or list of arrays
            With as many channels as those it was trained on.
        settings : Settings, optional
            Uses `preset`, `max_steps`, `max_seconds` and `learning_rate`; those of the first
            training if None.
        axes, control, report
            As in `fit`.

        Returns
        -------
        Denoiser
            This object; as it was before, if an error is raised.

        Raises
        ------
        InputError, AxesError, Cancelled, DeviceError
            As in `fit`; InputError also if there is no trained network yet, or the settings give
            it no step.
        """
        if self.network is None:
            raise InputError("This denoiser is not trained yet; call fit(image) first.")
        before, control = copy.copy(self), control or Control()
        changes = {name: getattr(settings or self.settings, name) for name in _BUDGET}
        self.settings = replace(self.settings, **changes)
        try:
            if not self.settings.effective.budget.max_steps:
                raise InputError(
                    "These settings take no step; choose a number of steps above 0, or none to "
                    "train as long as the preset says."
                )
            training = training_planes(images, axes, control)
            self.check_channels(training.planes[0].shape[0])
            stable = [stabilise_plane(self.stabilisers, plane) for plane in training.planes]
            network = copy.deepcopy(self.network).requires_grad_(True)
            beside = None
            if self.stack.axis:
                beside = training.beside(self.stack.axis_of(training.layouts[0]))
            settings = self.settings.effective
            self._train(network, stable, beside, settings, before.record, control, report)
        except BaseException:
            vars(self).update(vars(before))
            raise
        return self

    def _train(
        self,
        network: Network,
        stable: list[Tensor],
        beside: list[Beside] | None,
        settings: Settings,
        record: TrainingRecord,
        control: Control,
        report: Report | None,
    ) -> None:
        """Measure the classics on stabilised planes (C, Y, X), then train a network on them.

        The network may have been trained before, as `record` says.
        """
        device = next(network.parameters()).device
        self.device = describe_device(device)
        trainer = Trainer(
            network,
            stable,
            self._noise_before,
            self.partition,
            settings,
            device,
            steps_before=record.steps,
            beside=beside,
        )
        self.network, self.record, self._trainer = trainer.average, trainer.record, trainer
        try:
            self._run(trainer, stable, control, report)
        except BaseException:
            self.network = None
            raise
        finally:
            self._trainer = None
        self.network = network.eval()
        self.record = record.followed_by(trainer.record)

    def _run(
        self, trainer: Trainer, stable: list[Tensor], control: Control, report: Report | None
    ) -> None:
        """Measure the classics, then train."""
        self.floor = classic_floor(
            stable,
            self._noise_before,
            self.partition,
            methods=self.settings.budget.classics,
            held_out=trainer.held_out,
            control=control,
            report=report,
        )
        for progress in trainer.run(control):
            if report:
                report(progress)
            control.wait_while_paused()
        control.check()

    def repartition(self, settings: Settings) -> None:
        """Hide other pixels together from now on: in the prediction, and in a running training.

        While `fit` runs, call it from `report`; it takes effect at the next step.

        Parameters
        ----------
        settings : Settings
            Uses `partition`, `partition_size`, `exclusion` and `exclusion_radius`.
        """
        names = ("partition", "partition_size", "exclusion", "exclusion_radius")
        changes = {name: getattr(settings, name) for name in names}
        self.settings = replace(self.settings, **changes)
        self.choose_partition()
        if self._trainer is not None:
            self._trainer.partition = self.partition

    def repartitioned(self, settings: Settings) -> Denoiser:
        """Return the same denoiser, but predicting as `repartition` says."""
        other = copy.copy(self)
        other.repartition(settings)
        return other

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
        control: Control | None = None,
        report: Report | None = None,
    ) -> NDArray[Any]:
        """Denoise an image with the trained network.

        Parameters
        ----------
        image : array
            Of any shape and real dtype, with as many channels as the training images.
        axes : str, optional
            As in `fit`.
        dtype : {"float32", "same"}
            Of the result; "same" rounds and clips to an integer dtype.
        prediction : {"posterior", "j-invariant", "single-pass"}, optional
            Instead of the settings' own.
        tile : int
            Side in pixels of the windows predicted at once; halved where memory is short.
        flips : int, optional
            Over how many of the image's eight orientations to average, instead of the preset's
            own number; 1 is fastest.
        window : tuple of slice, optional
            The part to denoise, a slice for each axis; all if None. Planes beside it are seen.
        control, report
            As in `fit`; reports count planes.

        Returns
        -------
        ndarray
            The shape of `image` or its window, and its intensity scale. Non-finite pixels are
            returned as they are.

        Raises
        ------
        InputError, AxesError, Cancelled
            As in `fit`; InputError also if there is no trained network yet.
        """
        return self.result(
            image,
            axes=axes,
            dtype=dtype,
            prediction=prediction,
            tile=tile,
            flips=flips,
            window=window,
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
        control: Control | None = None,
        report: Report | None = None,
    ) -> Result:
        """Denoise as `denoise` does, and return the figures of the result beside it."""
        if self.network is None:
            raise InputError("This denoiser is not trained yet; call fit(image) first.")
        control = control or Control()
        reader = self.reader(image, axes, window)
        result = np.empty(reader.layout.shape, output_dtype(image, dtype))
        gathered = ResultFigures(self.stabilisers, np.dtype(image.dtype))
        predictor = self.predictor(tile, flips)
        mode = prediction or self.settings.prediction
        started = time.monotonic()
        for done, number in enumerate(reader.order):
            plane, stable = reader.plane(number), reader.stable(number)
            stack_report = report and of_planes(report, done, reader.layout.n_planes, started)
            predicted = predictor.predict(
                stable, mode, beside=reader.beside(number), control=control, report=stack_report
            )
            mean = gathered.add(stable, *predicted)
            reader.layout.set_plane(result, number, finish(mean, plane, result.dtype))
        return Result(result, gathered.figures(self.figures))

    def reader(
        self, image: Any, axes: str | None = None, window: Window | None = None
    ) -> StackReader:
        """Return the planes of an image, or of a window of it, as the network sees them.

        Raises
        ------
        InputError, AxesError
            As in `fit`.
        """
        layout = check_image(image, axes)
        self.check_channels(layout.n_channels)
        return StackReader(image, layout, self.stabilisers, self.stack.axis_of(layout), window)

    def predictor(self, tile: int = DEFAULT_TILE, flips: int | None = None) -> Predictor:
        """Return the trained network with all that decides its predictions; see `Predictor`."""
        assert self.network is not None
        return Predictor(
            self.network,
            self.partition,
            self._noise,
            self.settings.fill,
            self.settings.budget.flips if flips is None else flips,
            tile,
            self.settings.mixed_precision,
        )

    def choose_partition(self) -> None:
        """Fix the partition by settings and noise; see `choices.choose_partition`."""
        chosen = choose_partition(self.settings, self.stabilisers)
        self.partition, self.exclusion_note = chosen

    def check_channels(self, channels: int) -> None:
        """Raise InputError for an image with another number of channels."""
        if channels != len(self.stabilisers):
            raise InputError(
                f"The model was trained on {len(self.stabilisers)} channel(s), but this image "
                f"has {channels}; train a new model on it."
            )

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

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the trained model to one file; see `model_file.save_model`."""
        from .model_file import save_model

        save_model(self, Path(path), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, device: Device = "auto") -> Denoiser:
        """Read a model from a file; see `model_file.load_model`."""
        from .model_file import load_model

        return load_model(Path(path), device)


def denoise(
    image: Any,
    settings: Settings | None = None,
    *,
    axes: str | None = None,
    dtype: OutputDtype = "float32",
    control: Control | None = None,
    report: Report | None = None,
    **changes: Any,
) -> NDArray[Any]:
    """Train on an image and denoise it, in one call.

    Parameters
    ----------
    image : array
        Any shape and real dtype; the last two axes are Y and X unless `axes` says otherwise.
    settings : Settings, optional
        The defaults if None.
    axes, dtype, control, report
        As in `Denoiser.fit` and `Denoiser.denoise`.
    **changes
        Settings by name, instead of or on top of `settings`: ``denoise(image, preset="fast")``.

    Returns
    -------
    ndarray
        The denoised image, of the shape and intensity scale of `image`.

    Raises
    ------
    ValueError
        If a setting or the image is not valid; the message says what to do.
    Cancelled
        If `control` was cancelled.
    """
    unknown = sorted(set(changes) - {field.name for field in fields(Settings)})
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    check_image(image, axes)
    denoiser = Denoiser(replace(settings or Settings(), **changes))
    denoiser.fit(image, axes=axes, control=control, report=report)
    return denoiser.denoise(image, axes=axes, dtype=dtype, control=control, report=report)
