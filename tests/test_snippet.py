"""The code of a result, run for real: it gives the same pixels."""

from dataclasses import replace

import numpy as np
import pytest

from napari_noise2self import Denoiser, Settings, calibrate
from napari_noise2self.noise.correlation import coloured
from napari_noise2self.snippet import as_python, changed_settings, hindrance
from napari_noise2self.training.schedule import Schedule
from simulate import ALIKE, smooth_scene


def run(code, image):
    names = {"noisy": image}
    exec(code, names)
    return names["denoised"]


def story_of(result, settings, axes="YX", **more):
    return {"settings": settings.to_dict(), "figures": result.figures, "axes": axes, **more}


def test_training_again(noisy, tiny):
    settings = replace(tiny, seed=3)
    result = Denoiser(settings).fit(noisy).result(noisy)
    code = as_python(story_of(result, settings), "noisy")
    np.testing.assert_array_equal(run(code, noisy), result.image)


def test_steps_are_those_that_the_time_allowed(noisy, tiny, monkeypatch):
    settings = replace(tiny, max_steps=60)
    with monkeypatch.context() as slow:
        slow.setattr(Schedule, "_affordable", lambda *_: 30)
        result = Denoiser(settings).fit(noisy).result(noisy)
    code = as_python(story_of(result, settings), "noisy")
    assert "max_steps=30" in code
    np.testing.assert_array_equal(run(code, noisy), result.image)


def test_correlated_noise_is_whitened_again():
    """The network took no step, and the code says so: that must not change the way."""
    white = np.random.default_rng(0).standard_normal((128, 128))
    image = 100 + 100 * smooth_scene((128, 128)) + 20 * coloured(white, ALIKE)
    settings = Settings(preset="fast", device="cpu")
    denoiser = Denoiser(settings).fit(image)
    result = denoiser.result(image)
    code = as_python(story_of(result, settings), "noisy")
    assert denoiser.whitens
    assert "max_steps=0" in code
    np.testing.assert_array_equal(run(code, image), result.image)


def test_axes(stack, tiny):
    last = np.moveaxis(stack, 0, -1)
    result = Denoiser(tiny).fit(last, axes="YXT").result(last, axes="YXT")
    code = as_python(story_of(result, tiny, "YXT"), "noisy")
    np.testing.assert_array_equal(run(code, last), result.image)


def test_colour_without_alpha(noisy, tiny):
    image = np.stack([noisy // 3] * 3 + [noisy * 0], axis=-1).astype(np.uint8)
    colours = image[..., :3]
    result = Denoiser(tiny).fit(colours, axes="YXS").result(colours, axes="YXS", dtype="same")
    code = as_python(story_of(result, tiny, "YXS"), "noisy")
    np.testing.assert_array_equal(run(code, image), result.image)


def test_applying_again(noisy, tiny, tmp_path):
    path = str(tmp_path / "it's a model.safetensors")
    denoiser = Denoiser(tiny).fit(noisy)
    denoiser.save(path)
    other = noisy[:48]
    result = denoiser.result(other)
    story = story_of(result, tiny, model={"name": "a model", "path": path})
    np.testing.assert_array_equal(run(as_python(story, "noisy"), other), result.image)


def test_calibrating_again(noisy):
    settings = Settings(partition_size=3)
    calibration = calibrate(noisy, settings, methods=("tv",))
    calibration_of_all = calibrate(noisy, settings)
    code = as_python(story_of(calibration, settings), "noisy")
    np.testing.assert_array_equal(run(code, noisy), calibration_of_all.denoise(noisy))


def test_a_run_ended_early_is_told(noisy, tiny):
    figures = {"steps": 5, "planned_steps": 9}
    story = {"settings": tiny.to_dict(), "figures": figures, "axes": "YX"}
    assert "ended early" in as_python(story, "noisy")
    story["figures"] = {"steps": 9, "planned_steps": 9}
    assert "ended early" not in as_python(story, "noisy")


def test_a_partition_changed_on_the_way_is_told(noisy, tiny):
    figures = {"steps": 9, "planned_steps": 9, "partition_changes": [(4, {"size": 5})]}
    story = {"settings": tiny.to_dict(), "figures": figures, "axes": "YX"}
    assert "was changed during the run" in as_python(story, "noisy")


def test_only_what_differs_from_the_defaults():
    assert changed_settings(Settings().to_dict()) == {}
    changed = Settings(seed=7, network="dncnn", depth=4)
    assert changed_settings(changed.to_dict()) == {"network": "dncnn", "depth": 4, "seed": 7}


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ({"axes": "YX", "model": {"name": "m", "path": None}}, "save it"),
        ({}, "older version"),
        ({"axes": "YX", "model": {"name": "m", "path": "m.safetensors"}}, ""),
        ({"axes": "YX", "figures": {}}, ""),
        ({"axes": "YX", "figures": {"continued_after": [40]}}, "was continued"),
    ],
)
def test_hindrance(story, words):
    found = hindrance(story)
    assert (words in found) if words else not found
