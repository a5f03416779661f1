"""The pretrained weights fit, help at once, invent nothing, and can be left out."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy import ndimage

from napari_noise2self import Denoiser, Settings, denoise
from napari_noise2self.figures.metrics import psnr
from napari_noise2self.networks import build_network, create_network
from napari_noise2self.networks.head_start import WEIGHTS
from napari_noise2self.pretraining.run import HEADER
from napari_noise2self.pretraining.structures import LEFT_OUT
from napari_noise2self.samples import simulate_cells

AT_ONCE = Settings(preset="fast", max_steps=0, device="cpu")
SAMPLE = simulate_cells(128)


def _parameters(settings: Settings, channels: int = 1) -> torch.Tensor:
    network = create_network(settings, channels)
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("adjacent", WEIGHTS)
def test_the_package_brings_weights_that_say_how_they_were_made(adjacent: int) -> None:
    path = resources.files("napari_noise2self.networks") / "weights" / WEIGHTS[adjacent]
    with resources.as_file(path) as file, safe_open(file, framework="pt") as weights:
        card = json.loads(weights.metadata()[HEADER])
        shapes = {name: weights.get_tensor(name).shape for name in weights.keys()}  # noqa: SIM118
    expected = build_network(Settings(), adjacent=adjacent).state_dict()
    assert shapes == {name: weight.shape for name, weight in expected.items()}
    assert card["plan"]["steps"] > 0
    assert card["never_saw"] == list(LEFT_OUT)


def test_all_weights_together_are_small() -> None:
    folder = resources.files("napari_noise2self.networks") / "weights"
    sizes = [len((folder / name).read_bytes()) for name in WEIGHTS.values()]
    assert sum(sizes) < 4e6


def test_pretrained_weights_are_the_same_whatever_the_seed() -> None:
    assert torch.equal(_parameters(Settings(seed=1)), _parameters(Settings(seed=2)))
    assert not torch.equal(_parameters(Settings()), _parameters(Settings(start="fresh")))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("change", [{"network": "dncnn"}, {"width": 8}])
def test_other_networks_begin_with_random_weights(change: dict[str, Any], channels: int) -> None:
    fresh = Settings(start="fresh", **change)
    assert torch.equal(_parameters(Settings(**change), channels), _parameters(fresh, channels))


def test_channels_are_seen_one_by_one() -> None:
    """So that the same weights serve images of any number of channels."""
    network = create_network(Settings(), channels=3).eval()
    image = torch.randn((2, 3, 16, 24), generator=torch.Generator().manual_seed(0))
    together = network(image)
    apart = zip(*(network(image[:, channel, None]) for channel in range(3)), strict=True)
    for whole, parts in zip(together, apart, strict=True):
        torch.testing.assert_close(whole, torch.cat(parts, dim=1))


def test_channels_of_an_image_come_out_as_if_each_were_alone() -> None:
    channels = [SAMPLE.noisy[:96, :96], 3 * SAMPLE.noisy[32:, 32:], SAMPLE.noisy[32:, :96] + 500]
    exact = replace(AT_ONCE, mixed_precision=False)  # bfloat16 rounds otherwise for more channels
    together = denoise(np.stack(channels), exact, axes="CYX")
    for channel, result in zip(channels, together, strict=True):
        np.testing.assert_allclose(result, denoise(channel, exact), rtol=1e-4)


def test_training_one_network_leaves_the_weights_of_the_next_alone() -> None:
    before = _parameters(Settings())
    denoise(SAMPLE.noisy[:48, :48], AT_ONCE, max_steps=3, batch_size=1)
    assert torch.equal(_parameters(Settings()), before)


def test_no_step_is_needed() -> None:
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(SAMPLE.noisy)
    assert denoiser.figures["start"] == "pretrained"
    assert (denoiser.record.steps, denoiser.record.best_step) == (0, 0)
    gain = psnr(SAMPLE.clean, denoiser.denoise(SAMPLE.noisy)) - psnr(SAMPLE.clean, SAMPLE.noisy)
    assert gain > 9


def test_the_weights_before_the_first_step_may_be_the_best() -> None:
    """A learning rate that spoils them: what they were before is kept."""
    spoilt = Denoiser(Settings(preset="fast", max_steps=2, learning_rate=1.0, device="cpu"))
    spoilt.fit(SAMPLE.noisy)
    assert [step for step, _, _ in spoilt.record.history] == [0, 2]
    assert spoilt.record.best_step == 0
    whole = Denoiser(AT_ONCE).fit(SAMPLE.noisy)
    np.testing.assert_array_equal(spoilt.denoise(SAMPLE.noisy), whole.denoise(SAMPLE.noisy))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("level", [0.0, 1000.0])
def test_nothing_is_invented_on_a_flat_field(seed: int, level: float) -> None:
    noise = np.random.default_rng(seed).normal(0, 10, (192, 192)).astype(np.float32)
    result = denoise(level + noise, AT_ONCE)
    assert result.std() < 0.025 * 10
    assert abs(result.mean() - (level + noise).mean()) < 0.05 * 10


@pytest.mark.parametrize("axis", [0, 1])
def test_nothing_is_invented_where_noise_is_correlated_along_lines(axis: int) -> None:
    noise = np.random.default_rng(1).standard_normal((256, 256))
    noise = ndimage.gaussian_filter1d(noise, 0.8, axis, mode="wrap")
    noise *= 10 / noise.std()
    denoiser = Denoiser(AT_ONCE).fit(100 + noise)
    assert denoiser.partition.exclusion.kind == ("vertical", "horizontal")[axis]
    assert denoiser.denoise(100 + noise).std() < 0.05 * 10


@pytest.mark.parametrize("blur", [0.58, 0.8])
def test_nothing_is_invented_where_noise_is_correlated_both_ways(blur: float) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((256, 256)), blur)
    noise *= 10 / noise.std()
    denoiser = Denoiser(Settings(preset="fast", device="cpu")).fit(100 + noise)
    assert denoiser.whitens
    assert denoiser.denoise(100 + noise).std() < 0.04 * 10


def test_correlated_noise_is_not_learned_unless_steps_are_asked_for() -> None:
    noisy = ndimage.gaussian_filter(SAMPLE.noisy.astype(np.float32), (0, 0.8))
    plain = Denoiser(Settings(device="cpu")).fit(noisy)
    assert plain.partition.exclusion.kind == "horizontal"
    assert plain.record.steps == 0
    assert any("used as it is" in note for note in plain.figures["notes"])
    asked = Denoiser(Settings(preset="fast", device="cpu", max_steps=2, batch_size=1)).fit(noisy)
    assert asked.record.steps == 2
    assert not any("used as it is" in note for note in asked.figures["notes"])
    fresh = Settings(preset="fast", device="cpu", start="fresh", max_seconds=0.1)
    assert Denoiser(fresh).fit(noisy).record.steps > 0


@pytest.mark.parametrize("start", ["pretrained", "fresh"])
def test_constant_image_stays_as_it_is(start: Any) -> None:
    image = np.full((40, 40), 7, np.uint8)
    np.testing.assert_allclose(denoise(image, AT_ONCE, start=start), 7, atol=1e-4)


@pytest.mark.parametrize("impulses", [0, 0.02])
def test_prediction_never_sees_the_pixel_it_stands_for(impulses: float) -> None:
    """J-invariance, with the weights that most users have."""
    hit = np.random.default_rng(0).random((128, 128)) < impulses
    image = np.where(hit, 5000, SAMPLE.noisy).astype(np.float32)
    denoiser = Denoiser(AT_ONCE).fit(image)
    labels = denoiser.partition.labels((128, 128))[0].numpy()
    before = denoiser.denoise(image, prediction="j-invariant")
    for subset in (0, denoiser.partition.n_subsets - 1):
        changed = np.where(labels == subset, 5000, image).astype(np.float32)
        after = denoiser.denoise(changed, prediction="j-invariant")
        np.testing.assert_array_equal(before[labels == subset], after[labels == subset])
        assert (before != after).any()
