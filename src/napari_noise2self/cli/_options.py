"""The options that several commands share; each says its default in brackets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..settings import (
    AdjacentPlanes,
    Device,
    ExclusionChoice,
    NetworkKind,
    PartitionKind,
    Prediction,
    Preset,
    Start,
)

Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT...", help="TIFF files, or folders of them.")
]
PartitionOption = Annotated[
    PartitionKind | None, typer.Option(help="How pixels are split into hidden subsets.  [grid]")
]
PartitionSizeOption = Annotated[
    int | None,
    typer.Option(help="Side of the grid (2 to 10), or number of random subsets.  [auto]"),
]
ExclusionOption = Annotated[
    ExclusionChoice | None,
    typer.Option(help="Neighbours hidden too, for correlated noise.  [auto]"),
]
ExclusionRadiusOption = Annotated[
    int | None,
    typer.Option(help="How far an exclusion that you chose reaches, 1 to 4 pixels.  [1]"),
]
AdjacentPlanesOption = Annotated[
    AdjacentPlanes | None,
    typer.Option(help="Whether the planes before and after in a stack are seen, too.  [auto]"),
]
NetworkOption = Annotated[NetworkKind | None, typer.Option(help="Kind of network.  [unet]")]
StartOption = Annotated[
    Start | None,
    typer.Option(help="Begin with pretrained weights, or with random ones.  [pretrained]"),
]
PresetOption = Annotated[Preset | None, typer.Option(help="How much time to spend.  [balanced]")]
SecondsOption = Annotated[
    float | None, typer.Option(help="Longest training, in seconds.  [from the preset]")
]
StepsOption = Annotated[
    int | None, typer.Option(help="Largest number of training steps.  [from the preset]")
]
SeedOption = Annotated[
    int | None,
    typer.Option(help="Same seed, same device, same number of steps: same result.  [0]"),
]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.")]
PredictionOption = Annotated[
    Prediction | None, typer.Option(help="How results are made from the network.  [posterior]")
]
DtypeOption = Annotated[Literal["same", "float32"], typer.Option(help="Data type of the results.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
SkipOption = Annotated[
    bool, typer.Option("--skip-existing", help="Leave out what has a result already.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
