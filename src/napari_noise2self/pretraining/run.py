"""A run of pre-training in a folder: its checkpoint, its log, and in the end the weights."""

from __future__ import annotations

import json
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from .. import __version__
from ..atomic import published
from ..networks.head_start import WEIGHTS
from .batches import Batches
from .held_out import HeldOut, mean_psnr
from .learning import Learner, Plan, one_thread
from .structures import LEFT_OUT, STRUCTURES

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
HEADER = "napari-noise2self head start"
"""Key of the weights' description in their file."""


class RunError(ValueError):
    """A run can't be started or resumed. The message is one sentence that says what to do."""


class Run:
    """Pre-training that may be killed at any time and resumed to the same weights.

    Parameters
    ----------
    folder : Path
        Where everything is kept; made if it is not there.
    plan : Plan
        What is to be done. On resuming, only its number of steps may have changed.
    resume : bool
        Go on from the checkpoint in the folder, if there is one.
    batches : Batches, optional
        See `Learner`.

    Raises
    ------
    RunError
        If the folder holds another run.
    """

    def __init__(
        self, folder: Path, plan: Plan, *, resume: bool = False, batches: Batches | None = None
    ) -> None:
        self._folder, self._plan = folder, plan
        self._learner = Learner(plan, batches)
        self._held_out = HeldOut()
        self._seconds = 0.0
        self._figures: dict[str, dict[str, float]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            if not resume:
                raise RunError(f"{folder} holds a run already; resume it or choose another folder.")
            self._restore()

    def run(self, evaluate_every: int = 1000, save_every: float = 180.0) -> Path:
        """Go through the plan, and return the file of the weights.

        Parameters
        ----------
        evaluate_every : int
            Steps between measurements on held-out scenes; each is a line of the log.
        save_every : float
            Seconds between checkpoints.
        """
        saved = time.monotonic()
        last = time.process_time()  # counts what was spent, whatever else the machine does
        with one_thread():
            while self._learner.steps < self._plan.steps:
                loss = self._learner.step()
                done = self._learner.steps == self._plan.steps
                now = time.process_time()
                self._seconds, last = self._seconds + now - last, now
                if done or self._learner.steps % evaluate_every == 0:
                    self._report(loss)
                if done or time.monotonic() - saved > save_every:
                    self._save()
                    saved = time.monotonic()
            return self._publish()

    def _report(self, loss: float) -> None:
        """Measure, and write a line to the log and to standard error."""
        self._figures = self._held_out.figures(self._learner.average)
        line = {
            "step": self._learner.steps,
            "processor_seconds": round(self._seconds, 1),
            "loss": round(loss, 4),
            "psnr": self._figures,
        }
        with (self._folder / LOG).open("a") as log:
            log.write(json.dumps(line) + "\n")
        means = ", ".join(f"{noise} {mean_psnr(self._figures, noise)}" for noise in self._figures)
        print(
            f"step {self._learner.steps} of {self._plan.steps}, {self._seconds:.0f} s: {means} dB",
            file=sys.stderr,
            flush=True,
        )

    def _save(self) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "plan": asdict(self._plan),
            "seconds": self._seconds,
            "figures": self._figures,
            "learner": self._learner.state(),
        }
        with published(self._folder / CHECKPOINT, overwrite=True) as part:
            torch.save(state, part)

    def _restore(self) -> None:
        """Read the checkpoint, if it is of this plan."""
        state = torch.load(self._folder / CHECKPOINT, weights_only=True)
        if replace(Plan(**state["plan"]), steps=self._plan.steps) != self._plan:
            raise RunError(f"{self._folder} holds a run of other settings; choose another folder.")
        self._seconds, self._figures = state["seconds"], state["figures"]
        self._learner.restore(state["learner"])

    def _publish(self) -> Path:
        """Write the averaged weights with all that is known of them."""
        path = self._folder / WEIGHTS[self._plan.adjacent]
        weights = {
            name: value.contiguous() for name, value in self._learner.average.state_dict().items()
        }
        with published(path, overwrite=True) as part:
            save_file(weights, part, metadata={HEADER: json.dumps(self._card())})
        return path

    def _card(self) -> dict[str, Any]:
        """Describe the weights."""
        return {
            "version": __version__,
            "torch": torch.__version__,
            "hardware": f"one thread of {platform.machine()}, {self._learner.precision}",
            "plan": asdict(self._plan),
            "saw": {kind: share for kind, (_, share) in STRUCTURES.items()},
            "never_saw": list(LEFT_OUT),
            "hours": round(self._seconds / 3600, 3),
            "psnr": self._figures,
        }
