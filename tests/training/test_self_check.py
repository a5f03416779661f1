"""A network that checks itself: how close its results are to clean images, told without them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings
from napari_noise2self.devices import Precision
from napari_noise2self.figures.result import Result
from napari_noise2self.networks import Blindfolded
from napari_noise2self.noise.correlation import Correlation, coloured
from napari_noise2self.noise.refinement import Refinement
from napari_noise2self.noise.stable_noise import StableNoise
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.training.patches import Patches
from napari_noise2self.training.self_check import SelfCheck
from simulate import awake_network, gaussian_noise

SIDE = 128
KINDS = ("leaves", "filaments", "membranes", "nuclei")
LAWS = ("gaussian", "photons")
ALIKE = Correlation((0.12, 0, 0), (0.12, 0, 0), 0.0144)


@cache
def _denoised(kind: str, law: str, alike: bool = False) -> tuple[Result, NDArray[np.float64]]:
    """Return the result of the pretrained network as it is, and its clean image.

    All have the range of 8-bit images.
    """
    random = np.random.default_rng(sum(kind.encode()) + 1)
    scene = draw_scene(random, (SIDE, SIDE), kind).astype(float)
    light = 40 * scene + 6
    photons = light if law == "gaussian" else random.poisson(light)
    noise = photons - light + random.standard_normal(light.shape) * (4 if law == "gaussian" else 1)
    noise = coloured(noise, ALIKE) if alike else noise
    clean = 4 * light + 20
    noisy = np.clip(np.rint(clean + 4 * noise), 0, 255).astype(np.uint8)
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    return denoiser.result(noisy), clean


def _excess(result: Result, clean: NDArray[np.float64]) -> float:
    """Return by how many dB the estimate is above the truth."""
    true = 10 * np.log10(255**2 / np.mean((result.image - clean) ** 2))
    return result.figures["estimated_psnr"] - true


def test_estimates_are_about_within_one_decibel() -> None:
    """Without rehearsal and residuals, none of these is: the network is too modest here."""
    excesses = [_excess(*_denoised(kind, law)) for kind in KINDS for law in LAWS]
    assert np.max(np.abs(excesses)) < 1.5, np.round(excesses, 2)
    assert abs(np.mean(excesses)) < 0.75


@pytest.mark.parametrize("kind", ["leaves", "nuclei"])
def test_noise_that_is_slightly_alike_spoils_neither_result_nor_estimate(kind: str) -> None:
    """Correlation below what exclusion is for; the blind estimate sees three quarters of it."""
    result, clean = _denoised(kind, "gaussian", alike=True)
    assert result.figures["partition"]["exclusion"]["kind"] == "none"
    assert abs(_excess(result, clean)) < 2.5
    white, _ = _denoised(kind, "gaussian")
    errors = [np.mean((each.image - clean) ** 2) for each in (result, white)]
    assert errors[0] < 2 * errors[1]


def _check(
    planes: list[torch.Tensor],
    noise: StableNoise | None = None,
    trained: bool = False,
    held: bool = True,
) -> SelfCheck:
    settings, partition = Settings(patch_size=32), Partition("grid", 3)
    channels = len(planes[0])
    return SelfCheck(
        Blindfolded(
            awake_network(channels=channels),
            noise or gaussian_noise(*[0.04] * channels),
            Precision(None, torch.contiguous_format),
        ),
        planes,
        Patches(planes, partition, settings, torch.device("cpu")),
        partition,
        trained,
        held,
    )


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _noise(channels: int = 1, side: int = 64) -> torch.Tensor:
    return 0.2 * torch.randn((channels, side, side), generator=_random())


@pytest.mark.parametrize("trained", [False, True])
def test_same_random_numbers_same_findings(trained: bool) -> None:
    check = _check([_noise()], trained=trained)
    one, same = (check.run(_random(), Control()) for _ in range(2))
    assert one == same
    assert one[0] is not None
    assert one[0].doubt > 0
    assert one[0].doubt_error > 0


def test_trained_network_is_judged_by_held_out_pixels_alone() -> None:
    check = _check([_noise()], trained=True)
    check.judged.network.requires_grad_(False)
    plane = check.planes[0].flatten()
    held_out = plane[check.patches._held_out.flatten()]
    (found,), _ = check._residuals(_random(), Control(), echoed=False)
    seen = torch.from_numpy(found.mean + found.residual).float()
    assert torch.isin((1e4 * seen).round(), (1e4 * held_out).round()).float().mean() > 0.99


@pytest.mark.parametrize("trained", [False, True])
def test_held_out_pixels_are_hidden_and_filled_as_when_they_were_ranked(
    trained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Partition] = []
    fill = Partition.fill

    def spy(partition: Partition, *args: torch.Tensor) -> torch.Tensor:
        used.append(partition)
        return fill(partition, *args)

    monkeypatch.setattr(Partition, "fill", spy)
    later = Partition("grid", 8, exclusion=Exclusion("square", 2))
    check = replace(_check([_noise()], trained=trained), partition=later)
    check.judged.network.requires_grad_(False)
    check._residuals(_random(), Control(), echoed=True)
    assert set(used) == {check.patches.partition if trained else later}


@pytest.mark.parametrize("held", [False, True])
def test_errors_below_what_is_known_of_the_noise_are_believed_where_a_prior_held_them(
    held: bool,
) -> None:
    check = _check([_noise(side=128)], trained=True, held=held)
    check.judged.network.requires_grad_(False)
    check.judged.network.head.bias.data[1] = -7  # sure to a thousandth of the noise
    check.judged.network.head.weight.data[1] = 0
    (found,) = check.run(_random(), Control())
    assert found is not None
    (residuals,), _ = check._residuals(_random(), Control(), echoed=False)
    error = found.doubt * residuals.variance.mean() / residuals.assumed.mean()
    assert (error < 0.03) == held


def test_channels_of_known_and_of_unknown_noise_are_told_apart() -> None:
    known, unknown = _check([_noise(2, 96)], gaussian_noise(0.04, 0.0)).run(_random(), Control())
    assert known is not None
    assert unknown is not None
    assert known.doubt_error > 0 == unknown.doubt_error
    assert unknown.factor != 1


def test_missing_pixels_do_not_count() -> None:
    plane = _noise(side=96)
    plane[:, 20:60] = torch.nan
    (found,) = _check([plane]).run(_random(), Control())
    assert found is not None
    assert np.isfinite([found.factor, found.doubt, found.doubt_error]).all()


def test_few_pixels_tell_nothing() -> None:
    assert _check([_noise(side=4)]).run(_random(), Control()) == (None,)


def test_cancelling_ends_it() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        _check([_noise()]).run(_random(), control)


def test_nothing_found_changes_nothing() -> None:
    assert Refinement() == Refinement(1, 0, 1, 1, 0)
