"""How close an image is to a clean one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_noise2self.figures.metrics import data_range, psnr, ssim
from simulate import smooth_scene


@pytest.fixture
def clean() -> np.ndarray:
    return 200 * smooth_scene()


def test_range_is_255_for_8_bit_images_and_else_that_of_the_clean_image():
    assert data_range(np.array([10, 20], np.uint8)) == 255
    assert data_range(np.array([10, 20], np.uint16)) == 10
    assert data_range(np.array([-1, 1], np.float32)) == 2


def test_psnr_of_a_known_error():
    clean = np.zeros((8, 8), np.uint8)
    assert psnr(clean, clean + 1) == pytest.approx(20 * math.log10(255))
    assert psnr(np.eye(8), np.eye(8) + 0.1) == pytest.approx(20)


def test_integers_do_not_wrap_around():
    black, white = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert psnr(black, white) == pytest.approx(0)
    assert psnr(white, black) == pytest.approx(0)


def test_psnr_of_a_perfect_image_and_of_a_constant_one(clean: np.ndarray):
    assert psnr(clean, clean) == math.inf
    assert math.isnan(psnr(np.ones((8, 8)), np.zeros((8, 8))))


def test_ssim_is_one_for_the_same_image_and_falls_with_noise(clean: np.ndarray):
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    assert ssim(clean, clean) == pytest.approx(1)
    assert 1 > ssim(clean, clean + noise) > ssim(clean, clean + 10 * noise) > 0
