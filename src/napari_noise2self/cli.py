"""The command line: ``napari-noise2self denoise | train | calibrate | demo | doctor | benchmark``.

Everything heavy is imported inside the commands, so that ``--help`` is instant.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from .errors import EXPECTED, one_line
from .settings import Device, NetworkKind, PartitionKind, Prediction, Preset, Settings

if TYPE_CHECKING:
    from .batch import Outcome
    from .denoiser import Denoiser

app = typer.Typer(
    name="napari-noise2self",
    help="Denoise microscopy images with a network trained on the noisy image itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT...", help="TIFF files, or folders of them.")
]
PartitionOption = Annotated[
    PartitionKind | None, typer.Option(help="How pixels are split into hidden subsets.  [grid]")
]
PartitionSizeOption = Annotated[
    int | None,
    typer.Option(help="Side of the grid (2 to 10), or number of random subsets.  [4; 25]"),
]
NetworkOption = Annotated[NetworkKind | None, typer.Option(help="Kind of network.  [unet]")]
PresetOption = Annotated[Preset | None, typer.Option(help="How much time to spend.  [balanced]")]
SecondsOption = Annotated[
    float | None, typer.Option(help="Longest training, in seconds.  [from the preset]")
]
StepsOption = Annotated[
    int | None, typer.Option(help="Largest number of training steps.  [from the preset]")
]
SeedOption = Annotated[int | None, typer.Option(help="Same seed, same result.  [0]")]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.")]
PredictionOption = Annotated[
    Prediction | None, typer.Option(help="How results are made from the network.  [posterior]")
]
DtypeOption = Annotated[Literal["same", "float32"], typer.Option(help="Data type of the results.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]


def main() -> None:
    """Run the command line; a termination signal cleans up like Ctrl-C."""
    signal.signal(signal.SIGTERM, _on_terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # any file name can be printed
    try:
        app()
    except OSError as error:  # of standard output; the commands deal with all others
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try again at its end
        sys.exit(f"The output can't be written ({error.strerror}); check where it goes.")
    except ImportError as error:
        sys.exit(f"{error}; run 'napari-noise2self doctor' to see what to do.")


def _on_terminate(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Denoise microscopy images with a network trained on the noisy image itself."""


@app.command()
def denoise(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Annotated[
        Path | None, typer.Option(help="Use this trained model instead of training.")
    ] = None,
    save_model: Annotated[Path | None, typer.Option(help="Keep the trained model here.")] = None,
    partition: PartitionOption = None,
    partition_size: PartitionSizeOption = None,
    network: NetworkOption = None,
    preset: PresetOption = None,
    max_seconds: SecondsOption = None,
    max_steps: StepsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    prediction: PredictionOption = None,
    dtype: DtypeOption = "same",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train on each INPUT and write it denoised, as TIFF with the same name and metadata."""
    choices = _given(
        partition=partition, partition_size=partition_size, network=network, preset=preset,
        max_seconds=max_seconds, max_steps=max_steps, seed=seed, prediction=prediction,
    )  # fmt: skip
    if model and choices:
        options = ", ".join("--" + name.replace("_", "-") for name in choices)
        _wrong_usage(f"{options}: of no effect with --model, which was trained already.")
    if model and save_model:
        _wrong_usage("--save-model has nothing to save with --model.")
    settings = _settings(device=device, **choices)
    _check_output_folder(output)

    from . import batch
    from .console import FilesProgress

    try:
        jobs = batch.plan(inputs, output)
    except batch.PlanError as error:
        _wrong_usage(str(error))
    if save_model:
        if len(jobs) != 1:
            _wrong_usage("--save-model takes one INPUT; use the train command for several.")
        _check_new_model(save_model, overwrite, (jobs[0].input, jobs[0].output), output)
    work = _load(model, device) if model else settings
    failed = False
    with FilesProgress(len(jobs)) as shown:
        for outcome in batch.run(
            jobs, work, dtype=dtype, overwrite=overwrite, save_model=save_model,
            report=shown.report,
        ):  # fmt: skip
            shown.advance()
            failed |= bool(outcome.error)
            _tell(outcome, as_json)
    raise typer.Exit(int(failed))


@app.command()
def train(
    inputs: Inputs,
    model: Annotated[Path, typer.Option(help="Where to write the trained model.")],
    partition: PartitionOption = None,
    partition_size: PartitionSizeOption = None,
    network: NetworkOption = None,
    preset: PresetOption = None,
    max_seconds: SecondsOption = None,
    max_steps: StepsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    prediction: PredictionOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one model on all INPUTs together, for denoise --model."""
    settings = _settings(
        device=device,
        **_given(
            partition=partition, partition_size=partition_size, network=network, preset=preset,
            max_seconds=max_seconds, max_steps=max_steps, seed=seed, prediction=prediction,
        ),
    )  # fmt: skip
    from .console import FilesProgress
    from .images import read_image, tiff_paths

    with _errors_in_one_line():
        paths = tiff_paths(inputs)
        _check_new_model(model, overwrite, paths)
        images = [read_image(path) for path in paths]
        for note in (note for image in images for note in image.metadata.notes):
            typer.echo(note, err=True)
        if len({image.axes for image in images}) != 1:
            _fail("Images trained on together must have the same axes; train them apart.")
        from .denoiser import Denoiser

        denoiser = Denoiser(settings)
        with FilesProgress(1) as shown:
            denoiser.fit(
                [image.data for image in images],
                axes=images[0].axes,
                report=shown.report,
            )
        denoiser.save(model, overwrite=overwrite)
    figures = {"model": str(model), "inputs": len(images), **denoiser.figures}
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        typer.echo(f"{model}: trained on {len(images)} image(s), {_summary(figures)}")


@app.command()
def calibrate(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="Folder for the results.")],
    method: Annotated[
        Literal["auto", "gaussian", "median", "nlm", "wavelet", "tv"],
        typer.Option(help="The filter; auto takes the best for each INPUT."),
    ] = "auto",
    dtype: DtypeOption = "same",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Denoise each INPUT with a classic filter, calibrated on it by the self-supervised loss."""
    _check_output_folder(output)
    from . import batch
    from .console import FilesProgress

    try:
        jobs = batch.plan(inputs, output)
    except batch.PlanError as error:
        _wrong_usage(str(error))
    failed = False
    with FilesProgress(len(jobs)) as shown:
        for outcome in batch.calibrate(
            jobs, Settings(), method=method, dtype=dtype, overwrite=overwrite, report=shown.report
        ):
            shown.advance()
            failed |= bool(outcome.error)
            _tell(outcome, as_json)
    raise typer.Exit(int(failed))


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the images.")] = Path("demo"),
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = "fast",
) -> None:
    """Make a noisy sample whose clean image is known, denoise it, and compare."""
    _check_output_folder(output)

    from .console import FilesProgress
    from .demo import run_demo

    with _errors_in_one_line(), FilesProgress(1) as shown:
        figures = run_demo(output, Settings(preset=preset), report=shown.report)
    typer.echo("\n".join(figures.lines()))


@app.command()
def doctor() -> None:
    """Say what is installed, where computing will happen, and what to do if something lacks."""
    from .doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{finding.name:<10} {finding.value}")
        if finding.advice:
            typer.echo(f"{'':<10} -> {finding.advice}")
    raise typer.Exit(int(any(finding.serious for finding in findings)))


@app.command()
def benchmark(
    noisy_dir: Annotated[Path, typer.Argument(help="Folder of noisy TIFFs.")],
    clean_dir: Annotated[Path, typer.Argument(help="Folder of clean TIFFs of the same names.")],
    preset: PresetOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Compare with plain references: PSNR, SSIM and seconds for each file, and their mean."""
    from .benchmark import compare, pairs, table

    settings = _settings(device=device, **_given(preset=preset, seed=seed))
    rows = []
    with _errors_in_one_line():
        for pair in pairs(noisy_dir, clean_dir):
            for row in compare(pair, settings):
                rows.append(row)
                typer.echo(json.dumps(row.to_dict()) if as_json else row.line())
    for row in table(rows):
        typer.echo(json.dumps(row.to_dict()) if as_json else row.line())


def _given(**options: Any) -> dict[str, Any]:
    """Keep the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _settings(**values: Any) -> Settings:
    try:
        return Settings(**values)
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        _wrong_usage(f"--{name.replace('_', '-')} {rest}.")


def _load(path: Path, device: Device) -> Denoiser:
    from .denoiser import Denoiser

    with _errors_in_one_line():
        return Denoiser.load(path, device=device)


def _check_output_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        _wrong_usage(f"--output {path} is a file; name a folder.")


def _check_new_model(
    path: Path, overwrite: bool, images: Iterable[Path], new_folder: Path | None = None
) -> None:
    """Fail before the work if the model can't be written, or would replace one of the images."""
    if path.is_dir():
        _wrong_usage(f"{path} is a folder; name a file for the model.")
    if path.resolve() in {image.resolve() for image in images}:
        _wrong_usage(f"{path} is an image; choose another name for the model.")
    if path.exists() and not overwrite:
        _fail(f"{path} exists already; use --overwrite to replace it.")
    folder = path.absolute().parent
    if not folder.is_dir() and folder != (new_folder and new_folder.absolute()):
        _fail(f"The folder {folder} does not exist; make it first.")


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """End with one sentence where a traceback would come."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except EXPECTED as error:
        _fail(one_line(error))


def _tell(outcome: Outcome, as_json: bool) -> None:
    """Print the outcome of a file: figures to standard output, errors to standard error."""
    if as_json:
        typer.echo(json.dumps(outcome.to_dict()))
    elif not outcome.error:
        typer.echo(f"{outcome.job.output}: {_summary(outcome.to_dict())}")
    for note in outcome.notes:
        typer.echo(note, err=True)
    if outcome.error:
        name = str(outcome.job.input)
        known = outcome.error.startswith(f"{name} ")
        typer.echo(outcome.error if known else f"{name}: {outcome.error}", err=True)


def _summary(figures: dict[str, Any]) -> str:
    """Return the figures of a training or calibration in a few words."""
    seconds = figures.get("seconds", figures.get("training_seconds"))
    loss = figures["held_out_loss"]
    loss_text = "none" if loss is None else f"{loss:.4g}"
    if figures.get("method"):
        return f"{seconds:.1f} s, {figures['method']} at {figures['parameter']:g}, loss {loss_text}"
    return (
        f"{seconds:.1f} s, {figures['steps']} steps, held-out loss {loss_text}, {figures['device']}"
    )


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _wrong_usage(message: str) -> NoReturn:
    _fail(message, 2)
