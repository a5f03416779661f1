"""A run: what it writes, and that killing it changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from napari_noise2self.networks import create_network
from napari_noise2self.pretraining import run as run_module
from napari_noise2self.pretraining.batches import Batches
from napari_noise2self.pretraining.held_out import NOISES, HeldOut, mean_psnr
from napari_noise2self.pretraining.learning import Learner, Plan
from napari_noise2self.pretraining.run import CHECKPOINT, HEADER, LOG, WEIGHTS, Run, RunError
from napari_noise2self.pretraining.structures import LEFT_OUT, STRUCTURES

PLAN = Plan(steps=12, width=4, depth=1, batch=2)


def small_batches() -> Batches:
    return Batches(0, 2, 32, pool=4, scene_side=48, steps_per_scene=2)


def small_run(folder: Path, plan: Plan = PLAN, *, resume: bool = False) -> Run:
    return Run(folder, plan, resume=resume, batches=small_batches())


@pytest.fixture(autouse=True)
def _few_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "HeldOut", lambda: HeldOut(images=1))


def test_a_run_writes_weights_log_and_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_run(tmp_path).run(evaluate_every=6)
    weights = load_file(path)
    create_network(PLAN.settings).load_state_dict(weights)
    assert {value.dtype for value in weights.values()} == {torch.float32}
    with safe_open(path, framework="pt") as file:
        card = json.loads(file.metadata()[HEADER])
    assert card["plan"]["steps"] == 12
    assert set(card["psnr"]) == set(NOISES)
    assert set(card["psnr"]["white"]) == {*STRUCTURES, *LEFT_OUT}
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [6, 12]
    assert "step 12 of 12" in capsys.readouterr().err


def test_a_resumed_run_gives_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_file(small_run(tmp_path / "whole").run(evaluate_every=6))
    stopping = small_run(tmp_path / "parts")
    step = Learner.step

    def killed(learner: Learner) -> float:
        if learner.steps == 8:
            raise KeyboardInterrupt
        return step(learner)

    monkeypatch.setattr(Learner, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        stopping.run(evaluate_every=6, save_every=0.0)
    monkeypatch.setattr(Learner, "step", step)
    parts = load_file(small_run(tmp_path / "parts", resume=True).run(evaluate_every=6))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_killed_process_can_be_resumed(tmp_path: Path) -> None:
    plan = ["--width", "4", "--depth", "1", "--batch", "1"]
    command = [sys.executable, "-m", "napari_noise2self.pretraining", str(tmp_path), *plan]
    endless = [*command, "--steps", "100000", "--save-every", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(endless, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / CHECKPOINT).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()
    steps = torch.load(tmp_path / CHECKPOINT, weights_only=True)["learner"]["steps"]
    again = [*command, "--steps", str(steps + 2), "--resume"]
    subprocess.run(again, env=environment, check=True, timeout=120)
    with safe_open(tmp_path / WEIGHTS[0], framework="pt") as file:
        assert json.loads(file.metadata()[HEADER])["plan"]["steps"] == steps + 2


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    small_run(tmp_path).run()
    with pytest.raises(RunError, match="resume it or choose another folder"):
        small_run(tmp_path)
    with pytest.raises(RunError, match="choose another folder"):
        small_run(tmp_path, Plan(steps=12, width=5, depth=1, batch=2), resume=True)


def test_the_schedule_rises_stays_and_falls_to_zero() -> None:
    plan = Plan(steps=1000)
    assert plan.rate(0) < plan.rate(100) < plan.rate(200) == plan.rate(299) == plan.learning_rate
    assert plan.rate(650) == pytest.approx(plan.learning_rate / 2)
    assert 0 < plan.rate(999) < 0.01 * plan.learning_rate
    assert Plan(steps=5000).rate(250) == plan.rate(250)


def test_learning_goes_down(tmp_path: Path) -> None:
    learner = Learner(Plan(steps=300, width=4, depth=1, batch=2), small_batches())
    before = mean_psnr(HeldOut(2).figures(learner.average))
    for _ in range(300):
        learner.step()
    assert mean_psnr(HeldOut(2).figures(learner.average)) > before + 1


def test_held_out_figures_are_repeatable() -> None:
    network = create_network(PLAN.settings).eval()
    assert HeldOut(1).figures(network) == HeldOut(1).figures(network)
