"""The whole way from a noisy array to a denoised one."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .accuracy import ErrorEstimate, PlanePrediction
from .axes import Layout
from .correlation import Correlation, choose_exclusion
from .devices import describe_device, resolve_device
from .inference import DEFAULT_TILE, SMALLEST_TILE, Predictor
from .networks import DnCNN, UNet, create_network
from .partition import Partition
from .progress import Control, Progress, Report
from .settings import Device, Prediction, Settings
from .stabilise import Stabiliser
from .stable_noise import StableNoise
from .training import Trainer, TrainingRecord

OutputDtype = Literal["same", "float32"]

_LARGEST_TRAINING_SET = 2**28  # values, 1 GiB as float32
_STATISTICS_PLANES = 16


class InputError(ValueError):
    """The image cannot be denoised. The message says why, and what to do."""


@dataclass(frozen=True, eq=False)
class Result:
    """A denoised image, and what is believed of it without a clean one.

    Parameters
    ----------
    image : ndarray
        The denoised image.
    figures : dict
        The training's figures, and `estimated_psnr`: what PSNR in dB the image has by the
        network's own error estimate, and `estimated_psnr_before`: what the noisy one had by the
        noise model; None where unknown. Their range is 255 for 8-bit images, else the range of
        the denoised image.
    """

    image: NDArray[Any]
    figures: dict[str, Any]


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
        self.network: UNet | DnCNN | None = None
        self.stabilisers: tuple[Stabiliser, ...] = ()
        self.partition = Partition.from_settings(self.settings)
        self.exclusion_note = ""
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
            Called with a `Progress` about ten times a second.

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
        images = images if isinstance(images, list | tuple) else [images]
        layouts = [check_image(image, axes) for image in images]
        if not layouts:
            raise InputError("There is no image to train on; give at least one.")
        if len({layout.n_channels for layout in layouts}) != 1:
            raise InputError("Images trained on together must have the same number of channels.")
        control = control or Control()
        planes = _training_planes(images, layouts)
        control.check()
        self.stabilisers = _fit_stabilisers(planes)
        self.choose_partition()
        device = resolve_device(self.settings.device)
        self.device = describe_device(device)
        network = create_network(self.settings, layouts[0].n_channels)
        trainer = Trainer(
            network,
            [self._stabilise(plane) for plane in planes],
            self._noise,
            self.partition,
            self.settings,
            device,
        )
        for progress in trainer.run(control):
            if report:
                report(progress)
        control.check()
        # the layout that a model file brings back: results then agree to the last digit
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.network, self.record = network.eval(), trainer.record
        return self

    def denoise(
        self,
        image: Any,
        *,
        axes: str | None = None,
        dtype: OutputDtype = "float32",
        prediction: Prediction | None = None,
        tile: int = DEFAULT_TILE,
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
        control, report
            As in `fit`; reports count planes.

        Returns
        -------
        ndarray
            The shape and intensity scale of `image`. Non-finite pixels are returned as they are.

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
        control: Control | None = None,
        report: Report | None = None,
    ) -> Result:
        """Denoise as `denoise` does, and return the figures of the result beside it."""
        if self.network is None:
            raise InputError("This denoiser is not trained yet; call fit(image) first.")
        layout = check_image(image, axes)
        if layout.n_channels != len(self.stabilisers):
            raise InputError(
                f"The model was trained on {len(self.stabilisers)} channel(s), but this image "
                f"has {layout.n_channels}; train a new model on it."
            )
        control = control or Control()
        result = np.empty(layout.shape, _output_dtype(image, dtype))
        errors = ErrorEstimate(np.dtype(image.dtype))
        started = time.monotonic()
        for number in range(layout.n_planes):
            plane = layout.plane(image, number)
            _check_values(plane)
            stack_report = report and _count_planes(report, number, layout.n_planes, started)
            predicted = self._predict(plane, prediction, tile, control, stack_report)
            errors.add(predicted, [s.grey_noise for s in self.stabilisers])
            layout.set_plane(result, number, _finish(predicted.mean, plane, result.dtype))
        return Result(result, {**self.figures, **errors.figures()})

    def _predict(
        self,
        plane: NDArray[Any],
        prediction: Prediction | None,
        tile: int,
        control: Control,
        report: Report | None,
    ) -> PlanePrediction:
        """Predict one plane (C, Y, X), in smaller tiles if memory is short."""
        assert self.network is not None
        predictor = Predictor(
            self.network,
            self.partition,
            self._noise,
            self.settings.fill,
            self.settings.budget.flips,
            tile,
        )
        stable = self._stabilise(plane)
        mode = prediction or self.settings.prediction
        while True:
            try:
                means, error, noise = predictor.predict(
                    stable, mode, control=control, report=report
                )
                break
            except torch.OutOfMemoryError:
                if predictor.tile <= SMALLEST_TILE:
                    raise
                predictor = replace(predictor, tile=predictor.tile // 2)
        mean = [s.inverse(channel) for s, channel in zip(self.stabilisers, means, strict=True)]
        unit = self._noise.unit[0]
        return PlanePrediction(
            np.stack(mean), (error / unit).double().numpy(), (noise / unit).double().numpy()
        )

    def choose_partition(self) -> None:
        """Fix the partition: an "auto" exclusion follows the strongest noise correlation."""
        correlation = Correlation.strongest([s.noise.correlation for s in self.stabilisers])
        exclusion, self.exclusion_note = choose_exclusion(correlation)
        self.partition = Partition.from_settings(self.settings, exclusion)
        if self.settings.exclusion != "auto":
            self.exclusion_note = f"Exclusion as asked for: {self.partition.exclusion.name}."

    def _stabilise(self, plane: NDArray[Any]) -> Tensor:
        """Bring a plane (C, Y, X) to the network's range."""
        pairs = zip(self.stabilisers, plane, strict=True)
        return torch.stack([stabiliser.forward(channel) for stabiliser, channel in pairs])

    @property
    def _noise(self) -> StableNoise:
        return StableNoise.of(self.stabilisers, self.record.noise_corrections)

    @property
    def figures(self) -> dict[str, Any]:
        """What the training found, ready for JSON: goes into the metadata of results."""
        return {
            "steps": self.record.steps,
            "best_step": self.record.best_step,
            "training_seconds": round(self.record.seconds, 3),
            "held_out_loss": finite_or_none(self.record.held_out_loss),
            "device": self.device,
            "partition": asdict(self.partition),
            "exclusion_note": self.exclusion_note,
            "noise": [asdict(stabiliser.grey_noise) for stabiliser in self.stabilisers],
        }

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


def check_image(image: Any, axes: str | None = None) -> Layout:
    """Return the layout of an image that can be denoised.

    Raises
    ------
    InputError
        If it is empty, boolean or complex, or not an array.
    AxesError
        If its axes are unclear.
    """
    if not hasattr(image, "shape") or not hasattr(image, "dtype"):
        raise InputError("This is not an image array; pass a NumPy array or the like.")
    dtype = np.dtype(image.dtype)
    if dtype.kind == "b":
        raise InputError(
            "A true/false image is a mask, not a noisy image; if it holds photon counts, "
            "convert it first: image.astype('uint8')."
        )
    if dtype.kind not in "uif":
        raise InputError(
            f"Images of type {dtype} can't be denoised; convert to whole or real numbers first."
        )
    if 0 in image.shape:
        raise InputError(f"The image of shape {tuple(image.shape)} is empty.")
    return Layout.of(image.shape, axes)


def finite_or_none(value: float) -> float | None:
    """Return the value, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def _training_planes(images: Sequence[Any], layouts: Sequence[Layout]) -> list[NDArray[Any]]:
    """Read the planes to train on: all, or as many, evenly spread, as memory allows."""
    places = [(i, number) for i, layout in enumerate(layouts) for number in range(layout.n_planes)]
    values = sum(math.prod(layout.shape) for layout in layouts)
    every = max(1, math.ceil(values / _LARGEST_TRAINING_SET))
    planes = [layouts[i].plane(images[i], number) for i, number in places[::every]]
    planes = [plane for plane in planes if np.isfinite(plane).all(axis=0).any()]
    if not planes:
        raise InputError("The image has no finite pixels; there is nothing to denoise.")
    for plane in planes:
        _check_values(plane)
    return planes


def _check_values(plane: NDArray[Any]) -> None:
    """Raise InputError where finite values are too large for the float32 of the result."""
    if plane.dtype.kind == "f" and plane.dtype.itemsize > 4:
        largest = np.abs(plane, where=np.isfinite(plane), out=np.zeros_like(plane)).max()
        if largest > np.finfo(np.float32).max:
            raise InputError("The image has values beyond 3.4e38; divide it by its largest first.")


def _fit_stabilisers(planes: Sequence[NDArray[Any]]) -> tuple[Stabiliser, ...]:
    """Measure each channel on some planes, evenly spread over all."""
    some = planes[:: max(1, math.ceil(len(planes) / _STATISTICS_PLANES))]
    return tuple(Stabiliser.fit([p[channel] for p in some]) for channel in range(len(some[0])))


def _output_dtype(image: Any, choice: OutputDtype) -> np.dtype[Any]:
    """Return the dtype of the result, in native byte order."""
    return np.dtype(image.dtype).newbyteorder("=") if choice == "same" else np.dtype(np.float32)


def _finish(mean: NDArray[np.float64], plane: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Clip to a dtype, rounding to whole numbers; return non-finite pixels as they were."""
    if dtype.kind in "ui":
        whole = np.clip(np.rint(mean), np.iinfo(dtype).min, np.iinfo(dtype).max)
        full = whole >= np.iinfo(dtype).max  # as float64, 2**63 - 1 is 2**63, which won't convert
        return np.where(full, np.iinfo(dtype).max, np.where(full, 0, whole).astype(dtype))
    mean = np.clip(mean, np.finfo(dtype).min, np.finfo(dtype).max)
    if plane.dtype.kind == "f":
        mean = np.where(np.isfinite(plane), mean, plane)
    return mean.astype(dtype)


def _count_planes(report: Report, number: int, planes: int, started: float) -> Report:
    """Turn reports on one plane into reports on the whole stack."""

    def stack_report(progress: Progress) -> None:
        done = number * progress.total + progress.done
        total = planes * progress.total
        spent = time.monotonic() - started
        report(replace(
            progress, done=done, total=total, seconds=spent,
            seconds_left=spent / done * (total - done),
        ))  # fmt: skip

    return stack_report
