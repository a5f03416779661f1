"""One model predicts an image with each partition size."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_noise2self import Cancelled, Control, Denoiser, Settings
from napari_noise2self.arrays import InputError
from napari_noise2self.figures.words import sizes_reading
from napari_noise2self.partition_sizes import SIZES, as_figures, score_partition_sizes
from napari_noise2self.samples import simulate_cells
from simulate import camera, smooth_scene

STILL = Settings(preset="fast", max_steps=0, device="cpu")  # the pretrained network as it is


@pytest.fixture(scope="module")
def cells():
    return simulate_cells(96)


@pytest.fixture(scope="module")
def scores(cells):
    return score_partition_sizes(Denoiser(STILL).fit(cells.noisy), cells.noisy)


def test_all_sizes_are_scored(scores):
    assert [score.size for score in scores] == list(SIZES["grid"])
    assert [score.n_subsets for score in scores] == [size**2 for size in SIZES["grid"]]
    assert sum(score.n_subsets for score in scores) == 254


def test_the_loss_ranks_as_the_true_error_does(cells, scores):
    denoiser = Denoiser(STILL).fit(cells.noisy)
    errors = []
    for score in scores[:3]:
        other = denoiser.repartitioned(replace(STILL, partition_size=score.size))
        guess = other.denoise(cells.noisy, prediction="j-invariant")
        errors.append(np.mean((guess - cells.clean) ** 2))
    assert errors[0] > 1.02 * errors[2]
    assert scores[0].loss > scores[2].loss


def test_the_smallest_size_that_is_no_worse_is_enough(scores):
    (enough,) = (place for place, score in enumerate(scores) if score.enough)
    assert scores[enough].excess <= scores[enough].uncertainty
    assert all(score.excess > score.uncertainty for score in scores[:enough])
    assert min(score.excess for score in scores) == 0


def test_uncertainty_is_the_spread_between_images_of_the_same_scene(tiny):
    scene = 100 * smooth_scene((96, 96)) + 5
    denoiser = Denoiser(tiny).fit(camera(scene, read_noise=3))
    runs = [
        score_partition_sizes(denoiser, camera(scene, read_noise=3, seed=seed))
        for seed in range(1, 13)
    ]
    excesses = [scores[1].loss - scores[0].loss for scores in runs]
    uncertainties = [max(scores[0].uncertainty, scores[1].uncertainty) for scores in runs]
    assert 0.5 < np.std(excesses) / np.mean(uncertainties) < 2


def test_exclusions_leave_only_sizes_that_see_enough(cells):
    settings = replace(STILL, exclusion="square", exclusion_radius=2)
    scores = score_partition_sizes(Denoiser(settings).fit(cells.noisy), cells.noisy)
    assert [score.size for score in scores] == [6, 8, 10]


def test_random_partitions(noisy, tiny):
    denoiser = Denoiser(replace(tiny, partition="random", partition_size=9)).fit(noisy)
    scores = score_partition_sizes(denoiser, noisy)
    assert [(score.size, score.n_subsets) for score in scores] == [(n, n) for n in SIZES["random"]]
    assert denoiser.partition.size == 9


@pytest.mark.parametrize(("shape", "axes"), [((3, 40, 30), "TYX"), ((40, 30, 3), "YXS")])
def test_stacks_and_colours(shape, axes, tiny):
    image = np.random.default_rng(0).poisson(50, shape)
    scores = score_partition_sizes(Denoiser(tiny).fit(image, axes=axes), image, axes=axes)
    assert all(np.isfinite(score.loss) for score in scores)


def test_missing_pixels_count_for_nothing(noisy, tiny):
    image = noisy.astype(np.float32)
    image[5:20, 8:30] = np.nan
    scores = score_partition_sizes(Denoiser(tiny).fit(image), image)
    assert all(np.isfinite((score.loss, score.uncertainty)).all() for score in scores)
    image[:] = np.nan
    with pytest.raises(InputError, match="no finite pixels"):
        score_partition_sizes(Denoiser(tiny).fit(noisy), image)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 64), (16, 16)])
def test_small_images_leave_the_uncertainty_open(shape, noisy, tiny):
    scores = score_partition_sizes(Denoiser(tiny).fit(noisy), noisy[: shape[0], : shape[1]])
    figures = json.loads(json.dumps(as_figures("grid", scores), allow_nan=False))
    assert sum(score["enough"] for score in figures["scores"]) == 1
    assert "is enough" in sizes_reading(figures)


def test_reports_count_all_subsets_and_it_can_be_cancelled(noisy, tiny):
    denoiser, reports, control = Denoiser(tiny).fit(noisy), [], Control()
    score_partition_sizes(denoiser, noisy, report=reports.append)
    done = [report.done for report in reports]
    assert done == sorted(set(done))
    assert done[-1] == 254
    assert {4, 4 + 9, 4 + 9 + 16} <= set(done)
    assert {report.total for report in reports} == {254}
    control.cancel()
    with pytest.raises(Cancelled):
        score_partition_sizes(denoiser, noisy, control=control)


def test_there_must_be_a_model_that_fits(noisy, tiny):
    with pytest.raises(InputError, match="not trained yet"):
        score_partition_sizes(Denoiser(tiny), noisy)
    with pytest.raises(InputError, match=r"trained on 1 channel"):
        score_partition_sizes(Denoiser(tiny).fit(noisy), np.stack([noisy] * 2), axes="CYX")
