"""The commands: each checks what it was given, then calls what Python users call.

Everything heavy is imported inside the commands, so that ``--help`` is instant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..settings import Device, Preset, Settings
from ._checks import (
    check_new_model,
    check_output_folder,
    choose_settings,
    errors_in_one_line,
    given,
    plan_jobs,
    wrong_usage,
)
from ._options import (
    AdjacentPlanesOption,
    DeviceOption,
    DtypeOption,
    ExclusionOption,
    ExclusionRadiusOption,
    Inputs,
    JsonOption,
    NetworkOption,
    OverwriteOption,
    PartitionOption,
    PartitionSizeOption,
    PredictionOption,
    PresetOption,
    SecondsOption,
    SeedOption,
    SkipOption,
    StartOption,
    StepsOption,
)
from ._telling import summary, tell

if TYPE_CHECKING:
    from ..denoiser import Denoiser

app = typer.Typer(
    name="napari-noise2self",
    help="Denoise microscopy images with a network trained on the noisy image itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

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
    exclusion: ExclusionOption = None,
    exclusion_radius: ExclusionRadiusOption = None,
    adjacent_planes: AdjacentPlanesOption = None,
    network: NetworkOption = None,
    start: StartOption = None,
    preset: PresetOption = None,
    max_seconds: SecondsOption = None,
    max_steps: StepsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    prediction: PredictionOption = None,
    dtype: DtypeOption = "same",
    overwrite: OverwriteOption = False,
    skip_existing: SkipOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train on each INPUT and write it denoised, as TIFF with the same name and metadata."""
    choices = given(
        partition=partition, partition_size=partition_size, exclusion=exclusion,
        exclusion_radius=exclusion_radius, adjacent_planes=adjacent_planes, network=network,
        preset=preset,
        max_seconds=max_seconds, max_steps=max_steps, seed=seed, prediction=prediction,
        start=start,
    )  # fmt: skip
    if model and choices:
        wrong_usage(f"{_options(choices)}: of no effect with --model, which was trained already.")
    if model and save_model:
        wrong_usage("--save-model has nothing to save with --model.")
    settings = choose_settings(device=device, **choices)
    check_output_folder(output)

    from .. import batch
    from .console import FilesProgress

    jobs = plan_jobs(inputs, output, overwrite=overwrite, skip_existing=skip_existing)
    if save_model and jobs:
        if len(jobs) > 1:
            wrong_usage("--save-model takes one INPUT; use the train command for several.")
        check_new_model(save_model, overwrite, (jobs[0].input, jobs[0].output), output)
    work = _load(model, device) if model else settings
    failed = False
    with FilesProgress(len(jobs)) as shown:
        for outcome in batch.run(
            jobs, work, dtype=dtype, overwrite=overwrite, save_model=save_model,
            report=shown.report,
        ):  # fmt: skip
            shown.advance()
            failed |= bool(outcome.error)
            tell(outcome, as_json)
    raise typer.Exit(int(failed))


@app.command()
def train(
    inputs: Inputs,
    model: Annotated[Path, typer.Option(help="Where to write the trained model.")],
    continue_: Annotated[
        Path | None, typer.Option("--continue", help="Train this model for longer.")
    ] = None,
    partition: PartitionOption = None,
    partition_size: PartitionSizeOption = None,
    exclusion: ExclusionOption = None,
    exclusion_radius: ExclusionRadiusOption = None,
    adjacent_planes: AdjacentPlanesOption = None,
    network: NetworkOption = None,
    start: StartOption = None,
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
    fixed = given(
        partition=partition, partition_size=partition_size, exclusion=exclusion,
        exclusion_radius=exclusion_radius, adjacent_planes=adjacent_planes, network=network,
        seed=seed, prediction=prediction,
        start=start,
    )  # fmt: skip
    if continue_ and fixed:
        wrong_usage(f"{_options(fixed)}: of no effect with --continue, the model has its own.")
    budget = given(preset=preset, max_seconds=max_seconds, max_steps=max_steps)
    settings = choose_settings(device=device, **fixed, **budget)
    from ..images import tiff_paths
    from ._training_images import read_together
    from .console import FilesProgress

    with errors_in_one_line():
        paths = tiff_paths(inputs)
        check_new_model(model, overwrite, paths)
        images = read_together(paths)
        from ..denoiser import Denoiser

        denoiser = Denoiser.load(continue_, device=device) if continue_ else Denoiser(settings)
        data, axes = [image.opaque for image in images], images[0].axes
        with FilesProgress(1, denoises=False) as shown:
            if continue_:
                denoiser.continue_training(data, settings, axes=axes, report=shown.report)
            else:
                denoiser.fit(data, axes=axes, report=shown.report)
        denoiser.save(model, overwrite=overwrite)
    figures = {"model": str(model), "inputs": len(images), **denoiser.figures}
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        typer.echo(f"{model}: trained on {len(images)} image(s), {summary(figures)}")


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
    skip_existing: SkipOption = False,
    as_json: JsonOption = False,
) -> None:
    """Denoise each INPUT with a classic filter, calibrated on it by the self-supervised loss."""
    check_output_folder(output)
    from .. import batch
    from .console import FilesProgress

    jobs = plan_jobs(inputs, output, overwrite=overwrite, skip_existing=skip_existing)
    failed = False
    with FilesProgress(len(jobs)) as shown:
        for outcome in batch.calibrate(
            jobs, Settings(), method=method, dtype=dtype, overwrite=overwrite, report=shown.report
        ):
            shown.advance()
            failed |= bool(outcome.error)
            tell(outcome, as_json)
    raise typer.Exit(int(failed))


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the images.")] = Path("demo"),
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = "fast",
) -> None:
    """Make a noisy sample whose clean image is known, denoise it, and compare."""
    check_output_folder(output)

    from .console import FilesProgress
    from .demo import run_demo

    with errors_in_one_line(), FilesProgress(1) as shown:
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

    settings = choose_settings(device=device, **given(preset=preset, seed=seed))
    rows = []
    with errors_in_one_line():
        for pair in pairs(noisy_dir, clean_dir):
            for row in compare(pair, settings):
                rows.append(row)
                typer.echo(json.dumps(row.to_dict()) if as_json else row.line())
    for row in table(rows):
        typer.echo(json.dumps(row.to_dict()) if as_json else row.line())


def _options(choices: dict[str, Any]) -> str:
    """Return the options by which choices were made."""
    return ", ".join("--" + name.replace("_", "-") for name in choices)


def _load(path: Path, device: Device) -> Denoiser:
    from ..denoiser import Denoiser

    with errors_in_one_line():
        return Denoiser.load(path, device=device)
