"""The loop trains, reports, stops and cancels, and never learns from the held-out pixels."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_noise2self.networks import create_network
from napari_noise2self.noise.model import NoiseModel
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise, signal_variance
from napari_noise2self.partition import Partition
from napari_noise2self.progress import Cancelled, Control, Progress
from napari_noise2self.settings import Settings
from napari_noise2self.training.trainer import Trainer
from simulate import TINY, camera, gaussian_noise, stable_plane

NOISE = 0.2


def _plane(seed: int = 0, side: int = 48) -> Tensor:
    return stable_plane(NOISE, seed, side)


def _trainer(*planes: Tensor, noise: StableNoise | None = None, **changes: Any) -> Trainer:
    settings = Settings(**{**TINY, "max_steps": 40, "partition_size": 3, **changes})
    planes = planes or (_plane(),)
    channels = len(planes[0])
    network = create_network(settings, channels)
    partition = Partition.from_settings(settings)
    noise = noise or gaussian_noise(*[NOISE**2] * channels)
    return Trainer(network, planes, noise, partition, settings)


def _weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([value.detach().flatten() for value in network.state_dict().values()])


def _trained(*planes: Tensor, **changes: Any) -> Trainer:
    trainer = _trainer(*planes, **changes)
    list(trainer.run(Control()))
    return trainer


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("mixed_precision", [False, True])
def test_same_seed_same_weights(network: str, mixed_precision: bool) -> None:
    def weights(seed: int) -> Tensor:
        trainer = _trained(seed=seed, network=network, mixed_precision=mixed_precision)
        return _weights(trainer._network)

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_seed_decides_the_patches() -> None:
    one, same, other = (_trainer(seed=seed).held_out[0][0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def _pretrained_floor(plane: Tensor, noise: StableNoise) -> float:
    changes = {"start": "pretrained", "width": 32, "depth": None, "patch_size": 64}
    floor = _trained(plane, noise=noise, max_steps=0, **changes).record.noise_floor
    assert floor is not None
    return floor


def test_noise_floor_is_the_loss_of_a_perfect_image() -> None:
    plane = _plane(seed=7, side=256)
    assert _pretrained_floor(plane, gaussian_noise(NOISE**2)) == pytest.approx(1, abs=0.04)
    assert _pretrained_floor(plane, gaussian_noise(2 * NOISE**2)) == pytest.approx(0.5, abs=0.04)
    assert _trained(noise=gaussian_noise(0.0)).record.noise_floor is None


@pytest.mark.parametrize(("photons", "read_noise"), [(0.3, 0.0), (0.5, 2.5)])
def test_noise_floor_where_photons_are_few(photons: float, read_noise: float) -> None:
    stabiliser = Stabiliser(0.0, 1.0, NoiseModel(1.0, read_noise**2), 0.0, 0.2)
    plane = stabiliser.forward(camera(np.full((320, 320), photons), 1.0, read_noise)).float()
    true = float(plane.var()) / 0.2**2
    assert abs(true - 1) > 0.1, "one is no answer here"
    assert _pretrained_floor(plane[None], StableNoise.of([stabiliser])) == pytest.approx(
        true, abs=0.05
    )


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("partition", ["grid", "random"])
@pytest.mark.parametrize("fill", ["interpolate", "zero"])
def test_held_out_loss_falls(network: str, partition: str, fill: str) -> None:
    trainer = _trained(
        network=network,
        partition=partition,
        partition_size=None,
        fill=fill,
        depth=2,
        width=8,
        max_steps=100,
    )
    power = float(_plane().square().mean()) / NOISE**2  # what predicting the mean would score
    first, *_, last = (loss for _, _, loss in trainer.record.history)
    assert last < first
    assert trainer.record.held_out_loss < 0.5 * power
    assert trainer.record.held_out_loss > 0.5, "better than the noise allows"


def _targets_of_training(trainer: Trainer) -> Tensor:
    """Train, and return the values of all the pixels that the loss was taken at."""
    seen = []
    loss = trainer._loss

    def spy(image: Tensor, hidden: Tensor, target: Tensor, beside: None) -> Tensor:
        assert not (target & ~hidden).any(), "a target was visible"
        seen.append(image[target.expand_as(image)])
        return loss(image, hidden, target, beside)

    trainer._loss = spy
    list(trainer.run(Control()))
    return torch.cat(seen).unique()


def test_exclusion_is_hidden_but_no_target() -> None:
    trainer = _trainer(exclusion="horizontal", exclusion_radius=1, partition_size=5, max_steps=5)
    loss, shares = trainer._loss, []

    def spy(image: Tensor, hidden: Tensor, target: Tensor, beside: None) -> Tensor:
        shown = target[..., :-1] & ~hidden[..., 1:] | target[..., 1:] & ~hidden[..., :-1]
        assert not shown.any(), "the neighbour of a target was visible"
        shares.append((float(hidden.float().mean()), float(target.float().mean())))
        return loss(image, hidden, target, beside)

    trainer._loss = spy
    list(trainer.run(Control()))
    hidden, target = torch.tensor(shares).mean(dim=0)
    assert float(hidden) == pytest.approx(3 / 25, rel=0.2)
    assert float(target) < 1.1 / 25


@pytest.mark.parametrize(
    ("partition", "size"), [("grid", 2), ("grid", 4), ("grid", 10), ("random", 2), ("random", 25)]
)
def test_held_out_pixels_are_never_a_target(partition: str, size: int) -> None:
    """Every pixel has a value of its own here, so that values tell pixels apart."""
    plane = torch.randperm(40 * 40, generator=torch.Generator().manual_seed(0)) / 800.0 - 1
    plane[100:140] = math.nan
    trainer = _trainer(
        plane.reshape(1, 40, 40), partition=partition, partition_size=size, batch_size=32
    )
    held_out = plane[trainer._patches._held_out.flatten() & plane.isfinite()]
    targets = _targets_of_training(trainer)
    assert held_out.numel() > 0
    assert not torch.isin(held_out, targets).any()
    assert targets.isfinite().all()
    trainable = plane.isfinite().sum() - held_out.numel()
    assert targets.numel() > 0.6 * trainable, "most of the other pixels are a target sometimes"


def test_weights_are_ranked_at_pixels_that_were_never_a_target() -> None:
    trainer = _trainer(torch.randn((1, 40, 40), generator=torch.Generator().manual_seed(0)))
    ranked = torch.cat([image[target] for image, _, _, target, _ in trainer.held_out])
    assert ranked.numel() > 50
    assert not torch.isin(ranked, _targets_of_training(trainer)).any()


def test_loss_is_blind_to_pixels_that_are_not_targets() -> None:
    trainer = _trainer()
    image = torch.randn(2, 1, 16, 16)
    hidden = torch.rand(2, 1, 16, 16) < 0.3
    target = hidden & (torch.rand(2, 1, 16, 16) < 0.5)
    other = torch.where(hidden & ~target, 9.0, image)
    assert torch.equal(trainer._loss(image, hidden, target), trainer._loss(other, hidden, target))
    other = torch.where(target, 9.0, image)
    assert trainer._loss(image, hidden, target) < trainer._loss(other, hidden, target)


def test_loss_is_a_mean_over_channels() -> None:
    plane, hidden = torch.randn(2, 1, 16, 16), torch.rand(2, 1, 16, 16) < 0.3
    one, both = _trainer(_plane()), _trainer(torch.cat([_plane(), _plane()]))
    single, double = (
        one._loss(plane, hidden, hidden),
        both._loss(plane.repeat(1, 2, 1, 1), hidden, hidden),
    )
    torch.testing.assert_close(double, single)  # untrained, both predict zero


def test_the_weights_of_the_best_evaluation_are_kept() -> None:
    """Not the last ones: here the weights are spoilt after the second evaluation."""
    trainer = _trainer(max_steps=100)
    evaluate, ranked = trainer._evaluate, []

    def spy(control: Control) -> float:
        loss = evaluate(control)
        ranked.append((loss, _weights(trainer.average)))
        if len(ranked) == 2:
            with torch.no_grad():
                for parameter in [*trainer._network.parameters(), *trainer.average.parameters()]:
                    parameter.normal_(0, 3)
        return loss

    trainer._evaluate = spy
    list(trainer.run(Control()))
    losses = [loss for loss, _ in ranked]
    best = losses.index(min(losses))
    assert best < len(losses) - 1
    assert torch.equal(_weights(trainer._network), ranked[best][1])
    assert trainer.record.held_out_loss == losses[best]
    assert trainer.record.best_step == trainer.record.history[best][0]
    assert [loss for _, _, loss in trainer.record.history] == losses


def test_best_weights_do_not_follow_the_live_ones() -> None:
    trainer = _trainer()
    control = Control()
    for _ in trainer.run(control):
        if trainer.record.history:
            break
    best = copy.deepcopy(trainer._selection.weights)
    trainer._step(0.1)
    for name, value in trainer._selection.weights.items():
        assert torch.equal(value, best[name])
    assert not torch.equal(_weights(trainer._network), _weights(trainer.average))


def _after(trainer: Trainer, step: int, action: Any) -> None:
    """Have an action done from within a step of the training."""
    take = trainer._step

    def spied(learning_rate: float) -> None:
        take(learning_rate)
        if trainer.record.steps + 1 == step:
            action()

    trainer._step = spied


def test_stop_ends_at_the_next_step_and_keeps_the_best() -> None:
    trainer, control = _trainer(max_steps=1000), Control()
    _after(trainer, 7, control.stop)
    reports = list(trainer.run(control))
    assert trainer.record.steps == 7
    assert trainer.record.best_step == 7
    assert math.isfinite(trainer.record.held_out_loss)
    assert reports[-1].held_out_loss == trainer.record.held_out_loss
    assert torch.equal(_weights(trainer._network), _weights(trainer.average))


def test_cancel_ends_within_one_step() -> None:
    trainer, control = _trainer(max_steps=1000), Control()
    _after(trainer, 7, control.cancel)
    with pytest.raises(Cancelled):
        list(trainer.run(control))
    assert trainer.record.steps == 7


def test_cancel_before_the_start_and_at_the_last_step() -> None:
    control = Control()
    control.cancel()
    for max_steps in (0, 10):
        with pytest.raises(Cancelled):
            list(_trainer(max_steps=max_steps).run(control))
    trainer, control = _trainer(max_steps=10), Control()
    _after(trainer, 10, control.cancel)
    with pytest.raises(Cancelled):
        list(trainer.run(control))


def test_time_limit_is_kept_by_planning_fewer_steps() -> None:
    trainer = _trainer(max_steps=1_000_000, max_seconds=1.0)
    started = time.monotonic()
    reports = list(trainer.run(Control()))
    assert time.monotonic() - started < 4
    record = trainer.record
    assert 30 <= record.steps <= record.planned_steps < 1_000_000
    assert record.seconds >= 0.3
    assert reports[-1].total == record.planned_steps


@pytest.mark.parametrize(("side", "steps"), [(24, 40), (48, 40), (96, 80)])
def test_larger_images_are_trained_on_for_longer(
    side: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_noise2self.settings._ONE_IMAGE", 48**2)
    trainer = _trained(_plane(side=side), start="fresh", preset="fast", max_steps=None)
    assert trainer.record.planned_steps == steps * 220 // 40


def test_many_planes_are_trained_on_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_noise2self.settings._ONE_IMAGE", 48**2)
    planes = [_plane(seed) for seed in range(4)]
    trainer = _trained(*planes, start="fresh", preset="fast", max_steps=None)
    assert trainer.record.planned_steps == 2 * 220


def test_time_limit_holds_while_the_speed_is_still_unknown() -> None:
    trainer = _trainer(max_steps=1000, max_seconds=0.1)
    _after(trainer, 2, lambda: time.sleep(0.3))
    list(trainer.run(Control()))
    assert trainer.record.steps == 2
    assert trainer.record.history[-1][0] == 2


@pytest.mark.parametrize("max_steps", [0, 1, 25, 47])
def test_record_and_reports_of_a_run(max_steps: int) -> None:
    trainer = _trainer(max_steps=max_steps)
    reports: list[Progress] = list(trainer.run(Control()))
    record = trainer.record
    assert record.steps == record.planned_steps == max_steps
    assert [step for step, _, _ in record.history] == sorted(
        {step for step, _, _ in record.history}
    )
    assert record.history[-1][0] == max_steps
    assert (record.best_step, record.held_out_loss) in [(s, loss) for s, _, loss in record.history]
    assert [report.done for report in reports] == sorted(report.done for report in reports)
    assert all(report.seconds_left >= 0 and report.total == max_steps for report in reports)
    assert [r.held_out_loss for r in reports if r.held_out_loss is not None] == [
        loss for _, _, loss in record.history
    ]
    assert reports[-1].seconds_left == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 40)])
def test_constant_image_needs_no_training(shape: tuple[int, int]) -> None:
    trainer = _trained(torch.full((1, *shape), 0.5), noise=gaussian_noise(0.0))
    assert trainer.record.steps == trainer.record.planned_steps == 0
    assert (trainer._network.head.weight == 0).all()


@pytest.mark.parametrize("shape", [(1, 2), (1, 50), (50, 1), (3, 17)])
@pytest.mark.parametrize("network", ["unet", "dncnn"])
def test_narrow_images_train(shape: tuple[int, int], network: str) -> None:
    trainer = _trained(torch.randn(1, *shape), network=network, max_steps=3)
    assert trainer.record.steps == 3
    assert _weights(trainer._network).isfinite().all()


def test_images_of_different_sizes_and_with_holes_train() -> None:
    planes = [_plane(side=48), _plane(1, side=30), _plane(2, side=17)]
    planes[0][:, 5:25, 5:25] = math.nan
    trainer = _trained(*planes, max_steps=5)
    assert _weights(trainer._network).isfinite().all()
    assert math.isfinite(trainer.record.held_out_loss)


def test_each_channel_counts_in_units_of_its_noise() -> None:
    plane = _plane()
    noise = gaussian_noise((0.01 * NOISE) ** 2, (0.1 * NOISE) ** 2)
    trainer = _trainer(torch.cat([0.01 * plane, 0.1 * plane]), noise=noise, max_steps=0)
    list(trainer.run(Control()))  # an untrained network predicts 0 here
    residuals = torch.cat(
        [
            (image - trainer._network(trainer.partition.fill(image, hidden | ~present))[0])[:, 0][
                target[:, 0]
            ]
            for image, hidden, present, target, _ in trainer.held_out
        ]
    ).detach()
    power = float(residuals.square().mean()) / (0.01 * NOISE) ** 2
    assert trainer.record.held_out_loss == pytest.approx(power, rel=1e-3)


def test_signal_variance_is_positive_and_in_units_of_the_noise() -> None:
    raw = torch.linspace(-200, 50, 100).reshape(1, 1, 1, 100)
    for noise in (0.0, 1e-6, 0.04, 1.0):
        variance = signal_variance(raw, gaussian_noise(noise))
        assert (variance > 0).all()
        assert (variance.diff() >= 0).all()
    one, four = (signal_variance(raw, gaussian_noise(noise)) for noise in (1.0, 4.0))
    torch.testing.assert_close(four, 4 * one)


def test_another_partition_takes_over_at_the_next_step() -> None:
    trainer = _trainer(max_steps=40, partition_size=3)
    other = Partition("grid", 5)
    dense = []
    loss = trainer._loss

    def spy(image: Tensor, hidden: Tensor, target: Tensor, beside: None) -> Tensor:
        dense.append(float(hidden.float().mean()) > 0.08)
        return loss(image, hidden, target, beside)

    trainer._loss = spy
    _after(trainer, 10, lambda: setattr(trainer, "partition", other))
    list(trainer.run(Control()))
    assert dense == [True] * 10 + [False] * 30
    assert trainer.record.partition_changes == [(9, asdict(other))]


def test_the_same_partition_again_is_no_change() -> None:
    trainer = _trainer()
    trainer.partition = trainer.partition
    assert trainer.record.partition_changes == []


def test_held_out_pixels_stay_when_the_partition_changes() -> None:
    trainer = _trainer(torch.randn((1, 40, 40), generator=torch.Generator().manual_seed(0)))
    ranked = torch.cat([image[target] for image, _, _, target, _ in trainer.held_out])
    trainer.partition = Partition("grid", 7)
    assert not torch.isin(ranked, _targets_of_training(trainer)).any()


def test_losses_can_be_compared_when_the_exclusion_changes() -> None:
    trainer = _trained(exclusion="square", exclusion_radius=2, partition_size=8)
    loss = trainer._evaluate(Control())
    trainer.partition = Partition("grid", 3)
    assert trainer._evaluate(Control()) == loss


def test_time_of_the_reader_of_reports_is_not_training_time() -> None:
    trainer = _trainer(max_steps=20)
    started = time.monotonic()
    for _ in trainer.run(Control()):
        time.sleep(0.3)
    assert time.monotonic() - started > trainer.record.seconds + 0.25
