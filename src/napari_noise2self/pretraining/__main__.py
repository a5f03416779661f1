"""``python -m napari_noise2self.pretraining OUT``: train the weights that the package ships."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .learning import Plan
from .run import Run, RunError

_PLAN = Plan()


def main(
    out: Annotated[Path, typer.Argument(help="Folder for checkpoint, log and weights.")],
    steps: Annotated[int, typer.Option(min=1, help="Steps in all.")] = _PLAN.steps,
    width: Annotated[int, typer.Option(min=4, help="Width of the UNet.")] = _PLAN.width,
    depth: Annotated[int, typer.Option(min=1, help="Depth of the UNet.")] = _PLAN.depth,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same weights.")] = _PLAN.seed,
    batch: Annotated[int, typer.Option(min=1, help="Patches of a step.")] = _PLAN.batch,
    learning_rate: Annotated[float, typer.Option(help="The highest.")] = _PLAN.learning_rate,
    go_on: Annotated[bool, typer.Option("--go-on", help="Begin with the shipped weights.")] = False,
    stacks: Annotated[bool, typer.Option("--stacks", help="See adjacent planes, too.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run stopped.")] = False,
    evaluate_every: Annotated[int, typer.Option(min=1, help="Steps between figures.")] = 1000,
    save_every: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 180.0,
) -> None:
    """Train the weights of the head start on simulated images.

    A run that was stopped early ends well when it is resumed with fewer steps: the learning rate
    falls to zero over the last seven tenths of them.
    """
    plan = Plan(
        steps=steps,
        width=width,
        depth=depth,
        seed=seed,
        batch=batch,
        learning_rate=learning_rate,
        go_on=go_on,
        stacks=stacks,
    )
    try:
        path = Run(out, plan, resume=resume).run(evaluate_every, save_every)
    except RunError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(path)


if __name__ == "__main__":
    typer.run(main)
