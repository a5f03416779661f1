"""A finished model is trained for longer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_noise2self import Cancelled, Control, Denoiser, Settings
from napari_noise2self.arrays import InputError
from napari_noise2self.samples import simulate_cells
from napari_noise2self.snippet import hindrance

NOISY = simulate_cells(64).noisy
SMALL = Settings(preset="fast", width=8, depth=1, patch_size=32, max_steps=40, device="cpu")


def test_more_training_is_added_to_what_there_was() -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    first, before = denoiser.record, denoiser.denoise(NOISY)
    denoiser.continue_training(NOISY, replace(SMALL, max_steps=60))
    record, figures = denoiser.record, denoiser.figures
    assert (record.steps, record.planned_steps) == (100, 100)
    assert record.history[: len(first.history)] == first.history
    assert [step for step, _, _ in record.history] == sorted(s for s, _, _ in record.history)
    assert record.seconds > first.seconds
    assert record.held_out_loss < first.held_out_loss
    assert figures["continued_after"] == [40]
    assert (denoiser.denoise(NOISY) != before).any()


def test_held_out_pixels_stay_the_same() -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    best = denoiser.record.held_out_loss
    denoiser.continue_training(NOISY)
    *_, where_it_goes_on = [loss for step, _, loss in denoiser.record.history if step == 40]
    assert where_it_goes_on == best


def test_held_out_pixels_stay_the_same_whatever_is_hidden_together() -> None:
    """Or those of the new partition would have been targets, and the old weights look too good."""
    denoiser = Denoiser(SMALL).fit(NOISY)
    best, partition = denoiser.record.held_out_loss, denoiser.partition
    denoiser.repartition(replace(SMALL, partition_size=4))
    denoiser.continue_training(NOISY)
    *_, where_it_goes_on = [loss for step, _, loss in denoiser.record.history if step == 40]
    assert where_it_goes_on == best
    assert denoiser.record.held_out_by == partition != denoiser.partition


def test_held_out_pixels_of_a_model_from_a_file_stay_the_same(tmp_path: Path) -> None:
    denoiser, path = Denoiser(SMALL).fit(NOISY), tmp_path / "model.safetensors"
    denoiser.repartition(replace(SMALL, partition_size=4))
    denoiser.save(path)
    loaded = Denoiser.load(path).continue_training(NOISY)
    assert loaded.record.held_out_by == denoiser.record.held_out_by != denoiser.partition
    losses = [loss for step, _, loss in loaded.record.history if step == 40]
    assert losses[-1] == pytest.approx(denoiser.record.held_out_loss)


def test_no_weights_are_lost_to_worse_ones() -> None:
    denoiser = Denoiser(replace(SMALL, max_steps=200)).fit(NOISY)
    before = denoiser.denoise(NOISY, prediction="j-invariant")
    denoiser.continue_training(NOISY, replace(SMALL, max_steps=1, learning_rate=1.0))
    np.testing.assert_array_equal(denoiser.denoise(NOISY, prediction="j-invariant"), before)
    assert denoiser.record.best_step <= 200


def test_another_image_of_the_same_kind() -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    stabilisers, partition = denoiser.stabilisers, denoiser.partition
    denoiser.continue_training([simulate_cells(48, seed=1).noisy, NOISY])
    assert (denoiser.stabilisers, denoiser.partition) == (stabilisers, partition)


def test_a_model_from_a_file(tmp_path: Path) -> None:
    Denoiser(SMALL).fit(NOISY).save(tmp_path / "first.safetensors")
    Denoiser.load(tmp_path / "first.safetensors").continue_training(NOISY).save(
        tmp_path / "second.safetensors"
    )
    assert Denoiser.load(tmp_path / "second.safetensors").figures["continued_after"] == [40]


def test_same_pixels_with_or_without_the_file(tmp_path: Path) -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    denoiser.save(tmp_path / "model.safetensors")
    loaded = Denoiser.load(tmp_path / "model.safetensors")
    results = [each.continue_training(NOISY).denoise(NOISY) for each in (denoiser, loaded)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("stage", ["calibrating", "training"])
def test_a_cancelled_one_leaves_the_model_as_it_was(stage: str) -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    before, result, control = vars(denoiser).copy(), denoiser.denoise(NOISY), Control()

    def cancel(progress):
        if progress.stage == stage and progress.done:
            control.cancel()

    with pytest.raises(Cancelled):
        denoiser.continue_training(
            NOISY, replace(SMALL, max_steps=90), report=cancel, control=control
        )
    assert vars(denoiser) == before
    np.testing.assert_array_equal(denoiser.denoise(NOISY), result)


def test_there_must_be_a_model() -> None:
    with pytest.raises(InputError, match=r"call fit\(image\) first"):
        Denoiser(SMALL).continue_training(NOISY)


def test_there_must_be_a_step_to_take() -> None:
    denoiser = Denoiser(Settings(preset="fast", max_steps=0, device="cpu")).fit(NOISY)
    with pytest.raises(InputError, match="settings take no step"):
        denoiser.continue_training(NOISY)
    assert denoiser.record.steps == 0
    denoiser.continue_training(NOISY, Settings(preset="balanced", max_steps=2))
    assert denoiser.record.steps == 2
    assert denoiser.settings.preset == "balanced"


def test_channels_must_fit() -> None:
    denoiser = Denoiser(SMALL).fit(NOISY)
    with pytest.raises(InputError, match="trained on 1 channel"):
        denoiser.continue_training(np.stack([NOISY, NOISY]), axes="CYX")


def test_code_cannot_repeat_it() -> None:
    figures = Denoiser(SMALL).fit(NOISY).continue_training(NOISY).figures
    story = {"axes": "YX", "settings": SMALL.to_dict(), "figures": figures}
    assert "save the model and apply it" in hindrance(story)
    assert hindrance({**story, "model": {"path": "model.safetensors"}}) == ""
