"""The whole way from a noisy array to a denoised one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from .arrays import Beside, InputError, OutputDtype, check_image, training_planes
from .calibration import classic_floor
from .choices import learns_nothing
from .devices import describe_device, resolve_device
from .inference.white_predictor import LARGEST_DOUBT
from .model import Model
from .networks import Network, build_network, create_network
from .noise.line_noise import without_line_noise
from .noise.stabilise import fit_stabilisers, stabilise_plane
from .partition import Partition
from .partition.exclusion import Exclusion
from .probe.adjacent import choose_adjacent
from .probe.noise_check import check_noise
from .probe.whitening import measure_whitenings
from .progress import Control, Progress, Report
from .settings import Settings
from .training.patches import any_detail
from .training.record import TrainingRecord
from .training.trainer import Trainer

_WEAKLY_ALIKE = Exclusion("plus", 2)
"""Hides the neighbours whose noise may be like a pixel's own if it looked white."""
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
        training = training_planes(images, axes, control)
        planes = without_line_noise(training.planes, self.settings.takes_line_noise, control)
        stabilisers = fit_stabilisers(planes, control)
        self.stabilisers = check_noise(stabilisers, planes, control)
        self.choose_partition()
        self.whitenings = ()
        if learns_nothing(self.settings, self.partition):
            self._measure_whitenings(planes, control)
        stable = [self._to_learn_from(plane) for plane in planes]
        layouts = training.layouts
        along = {axis: training.beside([axis] * len(layouts)) for axis in training.stack_axes}
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
        report = self._foretelling(report, training.n_pixels)
        self._train(network, stable, beside, settings, TrainingRecord(), control, report)
        if self.record.learned_noise:
            self._measure_whitenings(planes, control)
        self._rehearse_whitened(stable[len(stable) // 2], control)

    def _measure_whitenings(self, planes: Sequence[NDArray[Any]], control: Control) -> None:
        """See how correlated noise becomes white, for the network as it was before training."""
        if self.settings.chooses_exclusion:
            hidden = self.partition.exclusion
            partition = Partition.from_settings(
                self.settings, hidden if hidden.radius else _WEAKLY_ALIKE
            )
            self.whitenings = measure_whitenings(self.stabilisers, planes, partition, control)

    def _rehearse_whitened(self, plane: Tensor, control: Control) -> None:
        """Find out on one stabilised plane (C, Y, X) how good a result with whitening is.

        If the rehearsal fails there will be none.
        """
        if self.whitens:
            predictor, seed = self.white_predictor(), self.settings.seed
            doubts = predictor.rehearsed(plane, self._noise_before, seed, control).tolist()
            pairs = zip(self.whitenings, doubts, strict=True)
            rehearsed = tuple(replace(each, doubt=doubt) for each, doubt in pairs)
            self.whitenings = rehearsed if max(doubts) < LARGEST_DOUBT else ()

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
        if self.network is None:
            raise InputError("This denoiser is not trained yet; call fit(image) first.")
        control = control or Control()
        changes = {name: getattr(settings or self.settings, name) for name in _BUDGET}
        with self._unless_it_fails():
            self.settings = replace(self.settings, **changes)
            if not self.settings.budget.max_steps:
                raise InputError(
                    "These settings take no step; choose a number of steps above 0, or none to "
                    "train as long as the preset says."
                )
            training = training_planes(images, axes, control)
            self.check_channels(training.planes[0].shape[0])
            planes = without_line_noise(training.planes, self.settings.takes_line_noise, control)
            stable = [self._to_learn_from(plane) for plane in planes]
            network = copy.deepcopy(self.network).requires_grad_(True)
            beside = None
            if self.stack.axis:
                beside = training.beside([*map(self.stack.axis_of, training.layouts)])
            settings = self.settings.effective
            report = self._foretelling(report, training.n_pixels)
            self._train(network, stable, beside, settings, self.record, control, report)
        return self

    def _to_learn_from(self, plane: NDArray[Any]) -> Tensor:
        """Stabilise a plane (C, Y, X), without pixels that are no image of anything."""
        return self._noise_before.without_outliers(stabilise_plane(self.stabilisers, plane))

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
        self.device = describe_device(next(network.parameters()).device)
        trainer = Trainer(
            network,
            stable,
            self._noise_before,
            self.partition,
            settings,
            before=record,
            beside=beside,
        )
        self.network, self.record, self._trainer = trainer.average, trainer.record, trainer
        self._run(trainer, stable, control, report)
        self.network, self._trainer = network.eval(), None
        self.record = record.followed_by(trainer.record)

    def _foretelling(self, report: Report | None, n_pixels: int) -> Report | None:
        """Tell in reports of the training how long so many pixels take to denoise after it."""
        # no closure: the traceback of an error in `report` would keep all that is in one
        return None if report is None else partial(self._foretell, report, n_pixels)

    def _foretell(self, report: Report, n_pixels: int, progress: Progress) -> None:
        """Report, with the time that denoising takes."""
        single = self.settings.prediction == "single-pass"
        passes = 1 if single else self.partition.n_subsets
        passes *= self.settings.budget_for(n_pixels).flips
        pace = self._trainer.seconds_per_pixel if self._trainer else 0.0
        report(replace(progress, seconds_to_denoise=pace * passes * n_pixels))

    def _run(
        self, trainer: Trainer, stable: list[Tensor], control: Control, report: Report | None
    ) -> None:
        """Measure the classics, then train."""
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
    unknown = sorted(set(changes) - {field.name for field in fields(Settings)})
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    check_image(image, axes)
    denoiser = Denoiser(replace(settings or Settings(), **changes))
    denoiser.fit(image, axes=axes, control=control, report=report)
    return denoiser.denoise(image, axes=axes, dtype=dtype, control=control, report=report)
