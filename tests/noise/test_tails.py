"""Noise that is much stronger at some pixels: as the pixels of an sCMOS camera have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_noise2self import Denoiser, Settings
from napari_noise2self.figures.words import tails_note
from napari_noise2self.noise.refinement import Refinement
from napari_noise2self.noise.tails import find_tails, moments, noise_given
from simulate import smooth_scene

N = 20_000
NONE = np.zeros(N)


def _squares(strength: np.ndarray | float = 1.0) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(N) ** 2 * strength


@pytest.mark.parametrize("share", [0.05, 0.1])
@pytest.mark.parametrize("assumed", [0.5, 1.0])
def test_the_share_of_noisier_pixels_is_found(share: float, assumed: float) -> None:
    stronger = np.random.default_rng(1).random(N) < share
    found = find_tails(_squares(np.where(stronger, 64.0, 1.0)), NONE, np.full(N, assumed))
    assert sum(found) == pytest.approx(share, rel=0.3)


@pytest.mark.parametrize("error", [0.0, 0.5])
@pytest.mark.parametrize("usual", [0.8, 1.0, 2.0])
def test_gaussian_noise_has_none_even_if_it_is_stronger_than_was_measured(
    usual: float, error: float
) -> None:
    variance = np.full(N, error)
    assert find_tails(_squares(usual + error), variance, np.ones(N)) == ()


def test_few_pixels_tell_nothing() -> None:
    assert find_tails(np.full(200, 50.0), np.zeros(200), np.ones(200)) == ()


def test_there_are_none_where_no_pixel_has_the_usual_noise() -> None:
    """Then it is the network that is wrong, and a sum of shares beyond 1 would make NaN of all."""
    assert find_tails(_squares(2000.0), np.ones(N), np.full(N, 1e-4)) == ()


def test_moments_are_those_of_the_mixture() -> None:
    assert moments(()) == (1.0, 0.0)
    noise = np.random.default_rng(0).standard_normal(2_000_000)
    noise *= np.where(np.random.default_rng(1).random(noise.size) < 0.1, np.sqrt(8), 1)
    mean, kurtosis = moments((0.1, 0.0, 0.0))
    assert mean == pytest.approx(noise.var(), rel=0.02)
    assert kurtosis == pytest.approx(np.mean(noise**4) / noise.var() ** 2 - 3, rel=0.05)


def test_a_pixel_far_from_its_prediction_is_taken_for_a_noisy_one() -> None:
    residual = torch.tensor([0.0, 2.0, 8.0, torch.nan])
    given = noise_given(residual, torch.tensor(0.1), torch.ones(4), (0.05, 0.0, 0.0))
    assert given[0] < 1.2
    assert 1.2 < given[1] < 4
    assert given[2] == pytest.approx(8, rel=0.01)
    assert given[3] == 1


def test_nor_is_it_if_the_prediction_may_be_as_far_off() -> None:
    given = noise_given(torch.tensor([8.0]), torch.tensor([64.0]), torch.ones(1), (0.05, 0.0, 0.0))
    assert given < 1.5


def test_without_tails_the_noise_is_the_usual_one() -> None:
    noise = torch.rand(5)
    assert noise_given(torch.full((5,), 9.0), torch.ones(5), noise, ()) is noise


@pytest.mark.parametrize(
    "tails", [(-0.1, 0.0, 0.0), (0.9, 0.9, 0.0), (0.1,) * 4, (0.1,), (float("nan"), 0.0, 0.0)]
)
def test_tails_of_a_file_must_be_shares(tails: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shares"):
        Refinement.from_dict({"tails": tails})


def test_an_image_of_an_scmos_camera() -> None:
    """Without tails, 17.6 dB where a prediction that sees no pixel itself has 20. It is told."""
    random = np.random.default_rng(0)
    clean = 100 + 20 * smooth_scene((160, 160))
    read = np.where(random.random(clean.shape) < 0.15, 20.0, 2.0)
    noisy = (clean + read * random.standard_normal(clean.shape)).astype(np.float32)
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    (found,) = denoiser.record.noise_refinements
    assert found is not None
    assert sum(found.tails) > 0.03
    results = {
        prediction: denoiser.result(noisy, prediction=prediction)
        for prediction in ("posterior", "j-invariant")
    }
    errors = {name: np.mean((result.image - clean) ** 2) for name, result in results.items()}
    assert errors["posterior"] < errors["j-invariant"]
    for result in results.values():
        assert result.figures["noise"][0]["tails"] == pytest.approx(sum(found.tails), abs=1e-4)
        assert tails_note(sum(found.tails)) in result.figures["notes"]


def test_all_noise_counts_in_the_estimates_of_each_prediction() -> None:
    noisy = 100 + 20 * smooth_scene((64, 64)) + np.random.default_rng(0).standard_normal((64, 64))
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(noisy)
    (found,) = denoiser.record.noise_refinements
    assert found is not None
    before = {}
    for tails in ((), (0.1, 0.0, 0.0)):
        denoiser.record.noise_refinements = (replace(found, tails=tails),)
        figures = denoiser.result(noisy, prediction="j-invariant").figures
        before[tails] = figures["estimated_psnr_before"]
        assert ("far stronger noise" in " ".join(figures["notes"])) == bool(tails)
    less = 10 * np.log10(moments((0.1, 0.0, 0.0))[0])
    assert before[()] - before[0.1, 0.0, 0.0] == pytest.approx(less, abs=0.02)
