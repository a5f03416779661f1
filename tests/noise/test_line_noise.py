"""Offsets that lines share are found and taken away; what optics let through is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_noise2self import Denoiser, Settings, calibrate
from napari_noise2self.noise.line_noise import LineNoise, without_line_noise
from napari_noise2self.progress import Cancelled, Control
from simulate import psnr, smooth_scene

NOISE = 10.0
SHAPE = (192, 256)


def _clean() -> NDArray[np.float64]:
    """Grey levels 50 to 250."""
    scene = smooth_scene(SHAPE)
    return 50 + 200 * (scene - scene.min()) / np.ptp(scene)


def _noisy(rows: float = 0.0, columns: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """Add noise, and offsets with these standard deviations in units of it."""
    random = np.random.default_rng(seed)
    lines = rows * random.normal(0, NOISE, (SHAPE[0], 1))
    lines = lines + columns * random.normal(0, NOISE, (1, SHAPE[1]))
    return _clean() + random.normal(0, NOISE, SHAPE) + lines


def _offsets(rows: float, seed: int = 0) -> NDArray[np.float64]:
    """Return the offsets of rows that `_noisy` makes."""
    return rows * np.random.default_rng(seed).normal(0, NOISE, SHAPE[0])


@pytest.mark.parametrize("strength", [0.25, 0.5, 1, 3])
def test_offsets_of_rows_are_found(strength: float) -> None:
    found = LineNoise.of(_noisy(rows=strength)[None])
    error = found.rows[0] - _offsets(strength)
    assert error.std() < 0.6 * strength * NOISE
    assert found.left == pytest.approx(error.var(), rel=0.6)
    assert not found.columns.any()


def test_those_of_columns_too() -> None:
    noisy = _noisy(rows=0.5, columns=1)
    found, turned = LineNoise.of(noisy[None]), LineNoise.of(noisy.T[None])
    assert found.column_std == pytest.approx(NOISE, rel=0.2)
    assert found.row_std == pytest.approx(0.5 * NOISE, rel=0.2)
    assert turned.column_std == pytest.approx(found.row_std, rel=0.05)


def test_each_channel_has_its_own() -> None:
    found = LineNoise.of(np.stack([_noisy(), _noisy(rows=1)]))
    assert not found.rows[0].any()
    assert found.rows[1].any()


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_none(seed: int) -> None:
    assert not LineNoise.of(_noisy(seed=seed)[None])


def test_things_along_a_line_are_none() -> None:
    """A fibre along a row, a frame, and steps that reach across: none is random from row to row."""
    image = _noisy()
    image[90] += 20 * NOISE
    image[:2] = 0
    image[120:, :] += 10 * NOISE
    assert not LineNoise.of(image[None])


@pytest.mark.parametrize("period", [2, 4, 8, 12])
def test_stripes_that_come_back_are_none(period: int) -> None:
    """Half of the contrast of stripes of four pixels each was taken away."""
    stripes = 60.0 * (np.arange(SHAPE[1]) % period >= period / 2)
    noisy = np.random.default_rng(0).poisson(10 + np.broadcast_to(stripes, SHAPE))
    assert not LineNoise.of(noisy[None])


def test_scale_and_offset_of_grey_levels_do_not_matter() -> None:
    noisy = _noisy(rows=1)[None]
    other = LineNoise.of(1e-4 * noisy - 7)
    np.testing.assert_allclose(other.rows, 1e-4 * LineNoise.of(noisy).rows, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_what_is_cut_off_stays_as_it_is(dtype: type) -> None:
    noisy = np.clip(_noisy(rows=1), 40, 220).astype(dtype)[None]
    even = LineNoise.of(noisy).taken_from(noisy)
    assert even.dtype == (np.float64 if dtype in (np.int32, np.float64) else np.float32)
    for end in (noisy.min(), noisy.max()):
        np.testing.assert_array_equal(even[noisy == end], end)
    assert np.std((even - _clean()).mean(axis=2)) < 0.6 * np.std((noisy - _clean()).mean(axis=2))


def test_single_missing_pixels_hardly_matter() -> None:
    noisy = _noisy(rows=1)
    noisy[np.random.default_rng(0).random(SHAPE) < 0.05] = np.nan
    found = LineNoise.of(noisy[None])
    assert np.std(found.rows[0] - _offsets(1)) < 0.5 * NOISE


def test_missing_pixels_stay_missing() -> None:
    noisy = _noisy(rows=1)[None]
    noisy[:, 20:40, 30:60] = np.nan
    noisy[:, 100, 100:102] = np.inf, -np.inf
    even = LineNoise.of(noisy).taken_from(noisy)
    missing = ~np.isfinite(noisy)
    np.testing.assert_array_equal(even[missing], noisy[missing])
    assert not np.array_equal(even, noisy, equal_nan=True)


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((1, 200, 200)),
        np.full((1, 200, 200), np.nan),
        np.ones((1, 1, 1)),
        np.zeros((1, 300, 3)),
        np.indices((256, 256), dtype=float)[:1] % 2,
        np.full((2, 64, 64), 255, np.uint8),
    ],
    ids=["zero", "missing", "one-pixel", "narrow", "every-second-row", "full"],
)
def test_images_that_tell_nothing_stay_as_they_are(plane: NDArray[np.generic]) -> None:
    assert LineNoise.of(plane).taken_from(plane) is plane


def test_a_pixel_has_hardly_a_say_in_its_line() -> None:
    """So what is predicted of a hidden pixel knows no more of it than that."""
    noisy = _noisy(rows=1)
    other = noisy.copy()
    other[70, 100] += 3 * NOISE
    before, after = (LineNoise.of(image[None]).rows for image in (noisy, other))
    assert np.abs(after - before).max() < 2 * 3 * NOISE / SHAPE[1]


def test_an_exclusion_of_ones_own_keeps_lines() -> None:
    planes = [_noisy(rows=1)[None]]
    assert (
        without_line_noise(planes, Settings(exclusion="none").takes_line_noise, Control()) is planes
    )
    assert without_line_noise(planes, Settings().takes_line_noise, Control())[0] is not planes[0]


def test_it_can_be_cancelled() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        without_line_noise([_noisy()[None]], True, control)


def test_a_result_has_no_lines_and_says_so() -> None:
    noisy, settings = _noisy(rows=1).astype(np.float32), Settings(preset="fast", max_steps=0)
    result = Denoiser(settings).fit(noisy).result(noisy)
    kept = Denoiser(Settings(preset="fast", max_steps=0, exclusion="none")).fit(noisy).result(noisy)
    gained = psnr(_clean(), result.image) - psnr(_clean(), kept.image)
    assert gained > 2
    assert result.figures["line_noise"]["rows"] == pytest.approx(NOISE, rel=0.2)
    assert result.figures["line_noise"]["columns"] == 0
    assert any("Line noise was taken away" in note for note in result.figures["notes"])
    assert kept.figures["line_noise"] == {"rows": 0, "columns": 0}
    before, after = (result.figures[f"estimated_psnr{each}"] for each in ("_before", ""))
    assert before == pytest.approx(psnr(_clean(), noisy), abs=2.5)
    assert after == pytest.approx(psnr(_clean(), result.image), abs=2)


def test_classics_have_none_either() -> None:
    noisy = _noisy(rows=1)
    calibrated = calibrate(noisy, methods=["gaussian"])
    kept = calibrate(noisy, Settings(exclusion="none"), methods=["gaussian"])
    results = [psnr(_clean(), each.denoise(noisy)) for each in (calibrated, kept)]
    assert results[0] > results[1] + 1
