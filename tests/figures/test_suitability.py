"""Models and images that suit each other, and those that don't."""

import numpy as np
import pytest

from napari_noise2self.figures.suitability import mismatch
from napari_noise2self.noise.stabilise import Stabiliser, fit_stabilisers
from napari_noise2self.pretraining.scenes import draw_scene
from napari_noise2self.probe.noise_check import check_noise
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.samples import simulate_cells
from simulate import behind_round_aperture, smooth_scene

SIZE = 192


def image_of(seed=0):
    return simulate_cells(SIZE, seed=seed).noisy


@pytest.fixture(scope="module")
def model():
    return (Stabiliser.fit([image_of()]),)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_images_of_the_same_kind_suit(model, seed):
    assert mismatch(model, image_of(seed)) == ""


def test_image_whose_noise_was_found_to_be_less_alike_than_it_looked_suits():
    """The pretrained network told a model's noise from structure; here nobody asks it."""
    random = np.random.default_rng(3)
    scene = draw_scene(random, (256, 256), "membranes").astype(float)
    image = 100 + 40 * scene + random.standard_normal(scene.shape)
    blindly = fit_stabilisers([image[None]], Control())
    checked = check_noise(blindly, [image[None]], Control())
    assert checked[0].noise.correlation != blindly[0].noise.correlation
    assert mismatch(checked, image) == ""


def test_image_whose_noise_was_found_to_be_stronger_than_it_looked_suits():
    """As that of deconvolved images is: it has none of the frequencies at which it is measured."""
    image = 100 * smooth_scene((192, 192)) + 5 * behind_round_aperture(1.0)
    blindly = fit_stabilisers([image[None]], Control())
    checked = check_noise(blindly, [image[None]], Control())
    assert checked[0].noise.intercept > 2 * blindly[0].noise.intercept
    assert mismatch(checked, image) == ""


def test_line_noise_that_a_model_left_in_its_images_suits():
    image = image_of() + 100 * np.random.default_rng(0).standard_normal((SIZE, 1))
    left = fit_stabilisers([image[None]], Control())
    assert mismatch(left, image, takes_line_noise=False) == ""
    assert "spread over" in mismatch(left, image)


def test_part_of_an_image_suits(model):
    assert mismatch(model, image_of()[:128]) == ""


def test_large_stack_is_not_read_whole(model):
    read = []

    class Disk:
        shape, dtype = (100, 1024, 600), np.dtype(np.uint16)

        def __getitem__(self, key):
            read.append(key[0])
            return np.tile(image_of(key[0]), (6, 4))[:1024, :600]

    assert mismatch(model, Disk()) == ""
    assert read == [0, 25, 50, 75]


def test_brighter_image(model):
    sentence = mismatch(model, image_of().astype(np.float32) * 8)
    assert "spread over" in sentence
    assert sentence.endswith("train on it for a better result.")


def test_other_offset(model):
    assert "mean intensity" in mismatch(model, image_of() + np.uint16(5000))


def test_noisier_image(model):
    image = image_of(1)
    rough = image + np.random.default_rng(0).normal(0, 20, image.shape)
    sentence = mismatch(model, rough)
    assert "noise of gain" in sentence
    assert "read variance" in sentence


def test_denoised_image_has_too_little_noise(model):
    smooth = simulate_cells(SIZE).clean + np.random.default_rng(0).normal(0, 2, (SIZE, SIZE))
    assert "noise of gain" in mismatch(model, smooth)


def test_stack_with_its_planes_last(model):
    stack = np.stack([image_of(seed) for seed in range(2)], axis=-1)
    assert mismatch(model, stack, "YXT") == ""
    assert "spread" in mismatch(model, stack * 9.0, "YXT")


def test_number_of_channels_is_the_denoisers_to_complain_of(model):
    assert mismatch(model, np.stack([image_of()] * 2), "CYX") == ""


def test_image_without_values(model):
    assert mismatch(model, np.full((32, 32), np.nan)) == ""


def test_can_be_cancelled(model):
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        mismatch(model, image_of(), control=control)
