"""The whole way from a noisy array to a denoised one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from .arrays import InputError, OutputDtype, check_image
from .axes import Beside
from .calibration import classic_floor
from .choices import learns_nothing
from .devices import describe_device, resolve_device
from .inference.coarse_predictor import coarse_planes
from .measured_noise import find_whitenings, measure_noise
from .model import Model
from .networks import build_network, create_network
from .partition import Partition
from .probe.adjacent import choose_adjacent
from .progress import Control, Report
from .settings import Settings
from .stack import Stack
from .training.patches import any_detail
from .training.record import TrainingRecord
from .training.trainer import Trainer
from .training_planes import to_learn_from, training_planes

_BUDGET = ("preset", "max_steps", "max_seconds", "learning_rate")


class Denoiser(Model):
    """A model that is trained on noisy images; see `Model` for what it predicts.

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
        super().__init__(settings)
        self._trainer: Trainer | None = None

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
            This object; as it was before, if an error is raised.

        Raises
        ------
        InputError, AxesError
            If an image cannot be denoised or its axes are unclear.
        Cancelled
            If `control` was cancelled.
        DeviceError
            If the device asked for is not there.
        """
        with self._unless_it_fails():
            self._fit(images, axes, control or Control(), report)
        return self

    @contextmanager
    def _unless_it_fails(self) -> Iterator[None]:
        """Make this object again what it was before, if an error is raised."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            vars(self).update(before)
            raise

    def _fit(self, images: Any, axes: str | None, control: Control, report: Report | None) -> None:
        """Train on images, whose noise is measured first."""
        training = training_planes(images, axes, control, self.settings.takes_line_noise)
        planes, along = training.planes, training.along
        self.stabilisers, self.whitenings, self.coarseness = measure_noise(
            planes, self.settings, control
        )
        self.choose_partition()
        stable = to_learn_from(planes, self.stabilisers)
        self.stack = self._choose_adjacent(stable, along, control)
        untrained = self.coarseness > 1 or learns_nothing(self.settings, self.partition)
        settings = self.settings.effective
        if untrained:
            settings = replace(settings, max_steps=0)
        network = create_network(settings, len(self.stabilisers), self.stack.adjacent)
        if not any_detail(stable):  # untrained, it predicts the mean
            network = build_network(settings, network.channels, network.adjacent)
        network.to(resolve_device(settings.device))
        beside = along.get(self.stack.axis)
        noise = self._noise_before
        trainer = Trainer(network, stable, noise, self.partition, settings, beside=beside)
        self.record = TrainingRecord()
        self._train(trainer, stable, training.n_pixels, control, report)
        if self.record.learned_noise:
            self.whitenings = find_whitenings(self.stabilisers, planes, self.settings, control)
        if self.whitens:
            plane, seed = stable[len(stable) // 2], self.settings.seed
            plane = coarse_planes(plane, self.coarseness)
            self.whitenings = self.white_predictor().rehearsed(plane, noise, seed, control)

    def _choose_adjacent(
        self, stable: Sequence[Tensor], along: dict[str, list[Beside]], control: Control
    ) -> Stack:
        """See whether adjacent planes help; on a coarse grid, if that is where they are seen."""
        partition = self.partition
        if self.coarseness > 1:
            stable = [coarse_planes(plane, self.coarseness) for plane in stable]
            partition = Partition.from_settings(self.settings)
        choice = self.settings.adjacent_planes
        return choose_adjacent(stable, along, partition, self._noise_before, choice, control)

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
        predict the held-out pixels as well; see `selection`.

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
        network, control = self.trained_network(), control or Control()
        changes = {name: getattr(settings or self.settings, name) for name in _BUDGET}
        with self._unless_it_fails():
            self.settings = replace(self.settings, **changes)
            if not self.settings.budget.max_steps:
                raise InputError(
                    "These settings take no step; choose a number of steps above 0, or none to "
                    "train as long as the preset says."
                )
            training = training_planes(images, axes, control, self.settings.takes_line_noise)
            self.check_channels(len(training.planes[0]))
            stable = to_learn_from(training.planes, self.stabilisers)
            axes_of_stacks = [self.stack.axis_of(layout) for layout in training.layouts]
            beside = training.beside(axes_of_stacks) if self.stack.axis else None
            trainer = Trainer(
                copy.deepcopy(network).requires_grad_(True),
                stable,
                self._noise_before,
                self.partition,
                self.settings.effective,
                self.record,
                beside,
            )
            self._train(trainer, stable, training.n_pixels, control, report)
        return self

    def _train(
        self,
        trainer: Trainer,
        stable: Sequence[Tensor],
        n_pixels: int,
        control: Control,
        report: Report | None,
    ) -> None:
        """Measure the classics on stabilised planes (C, Y, X), then train a network on them.

        Reports foretell how long so many pixels take to denoise after it.
        """
        before = self.record
        self.network, self.record, self._trainer = trainer.average, trainer.record, trainer
        self.device = describe_device(next(trainer.average.parameters()).device)
        self.floor = classic_floor(
            stable,
            self._noise_before,
            trainer.held_out_by,
            methods=self.settings.budget.classics,
            held_out=trainer.held_out,
            control=control,
            report=report,
        )
        for progress in trainer.run(control):
            if report:
                seconds = trainer.seconds_per_pixel * n_pixels * self._passes(n_pixels)
                report(replace(progress, seconds_to_denoise=seconds))
            control.wait_while_paused()
        control.check()
        self._trainer, self.record = None, before.followed_by(trainer.record)

    def _passes(self, n_pixels: int) -> int:
        """Return how many times the network will see each of so many pixels that are denoised."""
        single = self.settings.prediction == "single-pass"
        subsets = 1 if single else self.partition.n_subsets
        return subsets * self.settings.budget_for(n_pixels).flips

    def repartition(self, settings: Settings) -> None:
        """Hide other pixels together from now on: in the prediction, and in a running training.

        While `fit` runs, call it from `report`; it takes effect at the next step.

        Parameters
        ----------
        settings : Settings
            Uses `partition`, `partition_size`, `exclusion` and `exclusion_radius`.
        """
        super().repartition(settings)
        if self._trainer is not None:
            self._trainer.partition = self.partition


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
    chosen = Settings.from_dict({**(settings or Settings()).to_dict(), **changes})
    check_image(image, axes)
    denoiser = Denoiser(chosen)
    denoiser.fit(image, axes=axes, control=control, report=report)
    return denoiser.denoise(image, axes=axes, dtype=dtype, control=control, report=report)
