"""The model file: the same pixels afterwards, and no harm from any other file."""

from __future__ import annotations

import json
import os
import pickle
import resource
import struct
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from napari_noise2self import Denoiser, Settings, model_file
from napari_noise2self.devices import DeviceError
from napari_noise2self.model_file import FORMAT_VERSION, ModelError
from napari_noise2self.partition import Partition
from napari_noise2self.samples import simulate_cells
from shell import noisy
from simulate import TINY

KEY = "napari-noise2self"
IMAGE = noisy()
QUICK: dict[str, Any] = {**TINY, "max_steps": 5, "partition_size": 2}


@pytest.fixture(scope="module")
def trained() -> Denoiser:
    return Denoiser(Settings(**QUICK)).fit(IMAGE)


@pytest.fixture
def path(trained: Denoiser, tmp_path: Path) -> Path:
    """A model file."""
    path = tmp_path / "model.n2s"
    trained.save(path)
    return path


def parts(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()[KEY]), weights


def forge(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> None:
    """Change header or weights, and make the digest fit, as a stranger could."""
    header, weights = parts(path)
    change(header, weights)
    header.pop("digest", None)
    header["digest"] = model_file._digest(header, weights)
    save_file(weights, path, {KEY: json.dumps(header)})


def message(path: Path) -> str:
    """Return the one sentence that says why a model can't be loaded."""
    with pytest.raises(ModelError) as caught:
        Denoiser.load(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


# --- There and back ----------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("mixed_precision", [True, False])
@pytest.mark.parametrize(
    ("image", "axes"),
    [
        (IMAGE, "YX"),
        (np.stack([IMAGE, IMAGE // 2, IMAGE[::-1]]), "CYX"),
        (np.full((16, 16), 7, np.uint8), "YX"),
        (np.where(IMAGE > 150, np.nan, IMAGE.astype(np.float32)), "YX"),
    ],
    ids=["plain", "channels", "constant", "holes"],
)
def test_loaded_model_gives_the_same_pixels(
    tmp_path: Path, network: Any, mixed_precision: bool, image: np.ndarray, axes: str
):
    settings = QUICK | {"network": network, "mixed_precision": mixed_precision}
    denoiser = Denoiser(Settings(**settings)).fit(image, axes=axes)
    denoiser.save(tmp_path / "model")
    loaded = Denoiser.load(tmp_path / "model")
    expected = denoiser.denoise(image, axes=axes)
    np.testing.assert_array_equal(loaded.denoise(image, axes=axes), expected)


def test_weights_are_laid_out_as_the_images_are(trained: Denoiser, path: Path):
    """Else a prediction takes up to three times as long."""
    for denoiser in (trained, Denoiser.load(path)):
        kernels = [weight for weight in denoiser.network.parameters() if weight.ndim == 4]
        assert all(each.is_contiguous(memory_format=torch.channels_last) for each in kernels)


def test_model_keeps_everything_that_is_known_of_it(trained: Denoiser, path: Path):
    loaded = Denoiser.load(path, device="cpu")
    assert loaded.settings == trained.settings
    assert loaded.stabilisers == trained.stabilisers
    assert asdict(loaded.record) == asdict(trained.record)
    assert loaded.figures == trained.figures


def test_model_of_an_older_version_has_no_points_of_its_noise(tmp_path: Path):
    image, path = simulate_cells(96).noisy, tmp_path / "model.n2s"
    trained = Denoiser(Settings(**QUICK)).fit(image)
    trained.save(path)
    (noise,) = trained.figures["noise"]
    assert noise["points"]
    assert Denoiser.load(path).figures["noise"] == [noise]
    forge(path, lambda header, _: header["stabilisers"][0]["noise"].pop("points"))
    older = Denoiser.load(path)
    assert older.figures["noise"] == [noise | {"points": ()}]
    np.testing.assert_array_equal(older.denoise(image), trained.denoise(image))


def test_tails_of_the_noise_are_kept(trained: Denoiser, path: Path):
    found = replace(trained.record.noise_refinements[0], tails=(0.04, 0.01, 0.0))
    forge(path, record(noise_refinements=[asdict(found)]))
    assert Denoiser.load(path).record.noise_refinements == (found,)


def test_partition_of_an_older_model_chooses_the_held_out_pixels(trained: Denoiser, path: Path):
    forge(path, lambda header, _: (header["record"].pop("held_out_by"), header.pop("coarseness")))
    assert Denoiser.load(path).record.held_out_by == trained.partition


def test_loaded_model_can_be_saved_again(path: Path):
    again = path.with_name("again.n2s")
    Denoiser.load(path).save(again)
    expected = Denoiser.load(path).denoise(IMAGE)
    np.testing.assert_array_equal(Denoiser.load(again).denoise(IMAGE), expected)


def test_loaded_model_can_be_trained_anew(trained: Denoiser, path: Path):
    again = Denoiser.load(path).fit(IMAGE)
    np.testing.assert_array_equal(again.denoise(IMAGE), trained.denoise(IMAGE))


def test_untrained_denoiser_is_not_saved(tmp_path: Path):
    with pytest.raises(ModelError, match="train the denoiser first"):
        Denoiser().save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_existing_file_is_replaced_only_when_told_to(trained: Denoiser, tmp_path: Path):
    path = tmp_path / "model"
    path.write_text("dear")
    with pytest.raises(ModelError, match="exists already"):
        trained.save(path)
    assert path.read_text() == "dear"
    trained.save(path, overwrite=True)
    assert Denoiser.load(path).settings == trained.settings
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("place", ["missing/model", "file/model"])
def test_folder_that_cannot_be_written(trained: Denoiser, tmp_path: Path, place: str):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="check the folder") as caught:
        trained.save(tmp_path / place)
    assert str(tmp_path / place) in str(caught.value)
    assert "/." not in str(caught.value), "names a hidden file"


def test_failure_while_writing_leaves_nothing(
    trained: Denoiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full_disk(weights: Any, part: Path, metadata: Any) -> None:
        part.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(model_file, "save_file", full_disk)
    with pytest.raises(ModelError, match="No space left"):
        trained.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


# --- Damage ------------------------------------------------------------------------------------


def test_missing_file_and_folder(tmp_path: Path):
    assert "does not exist" in message(tmp_path / "nothing.n2s")
    assert "does not exist" in message(tmp_path)


def test_truncated_at_any_length(path: Path):
    whole = path.read_bytes()
    start = 8 + struct.unpack("<Q", whole[:8])[0]
    lengths = {*range(12), *range(0, len(whole), 97), start - 1, start, start + 1, len(whole) - 1}
    for length in lengths:
        path.write_bytes(whole[:length])
        assert "damaged" in message(path)


def test_longer_than_it_was(path: Path):
    path.write_bytes(path.read_bytes() + b"\0")
    assert "damaged" in message(path)


def test_any_flipped_byte_is_noticed(path: Path):
    whole, original = path.read_bytes(), Denoiser.load(path)
    random = np.random.default_rng(0)
    places = {*range(0, len(whole), 101), *random.integers(0, len(whole), 300)}
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(random.integers(8))
        path.write_bytes(changed)
        try:
            loaded = Denoiser.load(path)
        except ModelError:
            continue
        # a blank may become another blank, a last digit one that stands for the same number
        assert loaded.settings == original.settings
        assert loaded.stabilisers == original.stabilisers
        assert loaded.record == original.record
        assert loaded.floor == original.floor
        weights, expected = (one.network.state_dict() for one in (loaded, original))
        assert all(torch.equal(weight, expected[name]) for name, weight in weights.items())


def test_changed_digit_of_the_header_is_noticed(path: Path):
    whole = path.read_bytes()
    changed = whole.replace(b'\\"seed\\": 0', b'\\"seed\\": 1')
    assert changed != whole
    path.write_bytes(changed)
    assert "damaged" in message(path)


# --- Files of others ---------------------------------------------------------------------------


def test_safetensors_of_another_program(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.ones(3)}, path)
    assert "another program" in message(path)
    save_file({"weight": torch.ones(3)}, path, {"format": "pt"})
    assert "another program" in message(path)


def test_large_safetensors_of_another_program_is_not_read(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (2**33, 2**33)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 2**33)  # a sparse file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "another program" in message(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19  # KiB


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 64, bytes(range(256)) * 8])
def test_file_of_no_known_kind(tmp_path: Path, content: bytes):
    path = tmp_path / "model.n2s"
    path.write_bytes(content)
    assert "no model file" in message(path)


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize(
    "save", [torch.save, lambda bomb, path: path.write_bytes(pickle.dumps(bomb))]
)
def test_pickles_are_not_executed(tmp_path: Path, save: Callable[[Any, Path], Any]):
    trace, path = tmp_path / "executed", tmp_path / "model.n2s"
    save(Bomb(trace), path)
    assert "no model file" in message(path)
    assert not trace.exists()


def test_newer_version_says_what_to_update(path: Path):
    def change(header: dict[str, Any], _: Any) -> None:
        header.update(format_version=FORMAT_VERSION + 1, version="9.1", settings="another form")

    forge(path, change)
    assert "newer version (9.1)" in message(path)
    assert "pip install -U napari-noise2self" in message(path)


@pytest.mark.parametrize("version", [1, 4])
def test_older_version_says_to_train_again(path: Path, version: int):
    forge(path, lambda header, _: header.update(format_version=version, version="0.0.1"))
    assert "older version (0.0.1)" in message(path)
    assert "train the model again" in message(path)


def test_unavailable_device_is_not_taken_for_damage(path: Path):
    if torch.backends.mps.is_available():
        pytest.skip("there is an mps device here")
    with pytest.raises(DeviceError, match="no mps device"):
        Denoiser.load(path, device="mps")


# --- Files made to do harm ---------------------------------------------------------------------


def stabiliser(**values: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda header, _: header["stabilisers"][0].update(values)


def noise(**values: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda header, _: header["stabilisers"][0]["noise"].update(values)


def settings(**values: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda header, _: header["settings"].update(values)


def record(**values: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda header, _: header["record"].update(values)


def held_out_by(**values: Any) -> dict[str, Any]:
    return asdict(Partition()) | values


def first(change: Callable[[torch.Tensor], Any]) -> Callable[[Any, dict[str, Any]], None]:
    def apply(_: Any, weights: dict[str, Any]) -> None:
        name = min(weights)
        weights[name] = change(weights[name]).contiguous()

    return apply


_GRIDS: list[Any] = [0, -2, 2.5, 10**9, "2", None, [2]]


@pytest.mark.parametrize(
    "change",
    [
        settings(width=10**9),
        settings(width=-1),
        settings(width="4"),
        settings(depth=10**9),
        settings(network="transformer"),
        settings(unknown=1),
        settings(patch_size=None),
        settings(partition_size=10**9),
        stabiliser(scale=0),
        stabiliser(unit=float("nan")),
        stabiliser(offset="1"),
        stabiliser(centre=None),
        stabiliser(unknown=1),
        stabiliser(strength=[[1.0]]),
        noise(gain=-1),
        noise(gain=0, intercept=0),
        noise(intercept=float("inf")),
        noise(points=[[1.0, float("nan"), 1.0]]),
        noise(points=[[1.0, 2.0]]),
        noise(points=[["1", "2", "1"]]),
        noise(points=7),
        record(history=7),
        record(held_out_loss="low"),
        record(seconds=None),
        record(steps="many"),
        record(planned_steps=1.5),
        record(best_step=True),
        record(continued_after=["1"]),
        record(noise_floor="low"),
        record(history=[["1", 0.0, 1.0]]),
        record(history=[[1, 0.0, None]]),
        record(partition_changes=[["1", {}]]),
        record(noise_refinements=[{"tails": [2.0]}]),
        record(noise_refinements=[{"tails": 7}]),
        record(held_out_by={"kind": "grid", "size": 3}),
        record(held_out_by=held_out_by(size=10**9)),
        record(held_out_by=held_out_by(exclusion={"kind": "square", "radius": 10**9})),
        lambda header, _: header.pop("record"),
        lambda header, _: header.update(stabilisers=[]),
        lambda header, _: header.update(stabilisers=header["stabilisers"] * 2),
        lambda header, _: header.update(settings=[]),
        *(lambda header, _, value=value: header.update(coarseness=value) for value in _GRIDS),
        lambda header, _: header.update(format_version="1"),
        first(lambda weight: weight[None]),
        first(lambda weight: weight.double()),
        first(lambda weight: weight.half()),
        first(lambda weight: weight * np.nan),
        lambda _, weights: weights.pop(min(weights)),
        lambda _, weights: weights.update(another=torch.ones(1)),
    ],
)
def test_impossible_values_are_damage(path: Path, change: Callable[..., Any]):
    forge(path, change)
    assert "damaged" in message(path)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "7", "[" * 100_000, "{", f'{{"format_version": {FORMAT_VERSION}}}']
)
def test_header_that_is_none(path: Path, text: str):
    save_file(parts(path)[1], path, {KEY: text})
    assert "damaged" in message(path)


@pytest.mark.parametrize("change", [settings(width=256, depth=20), settings(width=256)])
def test_no_memory_is_taken_for_weights_that_are_not_there(
    path: Path, change: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    def allocate(*_: Any, **__: Any) -> None:
        pytest.fail("memory was taken for a network that is not in the file")

    forge(path, change)
    monkeypatch.setattr(torch.Tensor, "to", allocate)
    monkeypatch.setattr(torch.nn.Module, "to", allocate)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "damaged" in message(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # KiB
