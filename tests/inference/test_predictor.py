"""The theorem everything rests on: a J-invariant prediction ignores the pixels it stands for.

Each test changes all the pixels of one subset, in any way, and asks that the prediction at these
pixels stays the same, bit for bit. The networks have random weights, so nothing but the hiding of
pixels can make that true; the negative controls show that it is not true without it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from napari_noise2self.inference.brightness import as_bright_as
from napari_noise2self.inference.predictor import SMALLEST_TILE, Predictor
from napari_noise2self.inference.tiles import cut
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.progress import Cancelled, Control, Progress
from simulate import awake_network, gaussian_noise

GRIDS = [Partition("grid", size, seed=size) for size in range(2, 11)]
RANDOMS = [Partition("random", size, seed=size) for size in (2, 7, 25, 60)]
MODES = ["posterior", "j-invariant", "single-pass"]
HALVES = Partition("grid", 2)
LONG_OR_SMALL = [(1, 1), (1, 190), (190, 1), (3, 2), (2, 181), (45, 191), (191, 45)]


def _predictor(
    network: str = "unet",
    partition: Partition = HALVES,
    *,
    channels: int = 1,
    depth: int = 1,
    noise: float = 0.04,
    fill: str = "interpolate",
    flips: int = 1,
    tile: int = 512,
) -> Predictor:
    made = awake_network(network, channels, depth)
    return Predictor(made, partition, gaussian_noise(*[noise] * channels), fill, flips, tile)


def _image(shape: tuple[int, int], channels: int = 1, seed: int = 0) -> Tensor:
    return torch.randn((channels, *shape), generator=torch.Generator().manual_seed(seed))


def _mean(predictor: Predictor, image: Tensor, mode: str = "posterior") -> Tensor:
    return predictor.predict(image, mode)[0]


def _calibrated(predictor: Predictor, image: Tensor) -> Tensor:
    """The J-invariant prediction with the brightness of the image, as the posterior takes it."""
    mean, _, noise = predictor.predict(image, "j-invariant")
    return torch.stack([as_bright_as(*each) for each in zip(image, mean, noise, strict=True)])


def _mean_and_variance(predictor: Predictor, image: Tensor, mode: str = "posterior") -> Tensor:
    both = torch.stack(predictor.predict(image, mode))
    assert torch.isfinite(both).all()
    assert (both[1] > 0).all()
    return both


def _at_hidden_and_elsewhere(
    predictor: Predictor, image: Tensor, mode: str = "j-invariant", value: float | None = None
) -> tuple[bool, bool]:
    """Change one subset's pixels; tell whether predictions differ there, and elsewhere."""
    labels = predictor.partition.labels((image.shape[1], image.shape[2]))[0]
    subset = labels == labels.flatten()[image.numel() // image.shape[0] // 2]
    hidden = predictor.partition.hide(subset[None, None])[0, 0]
    other = torch.flip(image, (0, 1)) * 3 + 1 if value is None else value
    changed = torch.where(hidden, other, image)
    before, after = (_mean_and_variance(predictor, each, mode) for each in (image, changed))
    differs = before != after
    return bool(differs[..., subset].any()), bool(differs[..., ~subset].any())


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("fill", ["interpolate", "zero"])
@pytest.mark.parametrize("partition", GRIDS + RANDOMS, ids=lambda p: f"{p.kind}{p.size}")
def test_hidden_pixels_do_not_change_their_prediction(
    network: str, fill: str, partition: Partition
) -> None:
    predictor = _predictor(network, partition, fill=fill)
    hidden, elsewhere = _at_hidden_and_elsewhere(predictor, _image((24, 21)))
    assert not hidden
    assert elsewhere


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predict one subset in a pass even of small images, as of large ones."""
    monkeypatch.setattr("napari_noise2self.inference.predictor._AT_ONCE", 1)


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("partition", GRIDS[:3] + RANDOMS[:3], ids=lambda p: f"{p.kind}{p.size}")
def test_nor_where_subsets_are_predicted_one_by_one(network: str, partition: Partition) -> None:
    assert _at_hidden_and_elsewhere(_predictor(network, partition), _image((24, 21))) == (
        False,
        True,
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("partition", [GRIDS[1], RANDOMS[1]], ids=lambda p: f"{p.kind}{p.size}")
@pytest.mark.parametrize("at_once", [1, 1500, 4000])  # that is 1, 3 and 8 subsets
def test_how_many_subsets_are_predicted_at_once_does_not_matter(
    mode: str, partition: Partition, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, image = _predictor(partition=partition, flips=8), _image((20, 23))
    expected = _mean_and_variance(predictor, image, mode)
    monkeypatch.setattr("napari_noise2self.inference.predictor._AT_ONCE", at_once)
    torch.testing.assert_close(
        _mean_and_variance(predictor, image, mode), expected, atol=1e-5, rtol=1e-4
    )


@pytest.fixture
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in bfloat16 where mixed precision is asked for, even if it is slow here."""
    monkeypatch.setattr("napari_noise2self.devices._fast_in_bfloat16", lambda device: True)


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("partition", GRIDS[:3] + RANDOMS[1:2], ids=lambda p: f"{p.kind}{p.size}")
@pytest.mark.parametrize("tile", [16, 512])
def test_nor_in_mixed_precision(network: str, partition: Partition, tile: int) -> None:
    predictor = replace(_predictor(network, partition, tile=tile), mixed_precision=True)
    hidden, elsewhere = _at_hidden_and_elsewhere(predictor, _image((24, 180)))
    assert not hidden
    assert elsewhere


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("network", ["unet", "dncnn"])
def test_mixed_precision_is_nearly_as_exact(network: str) -> None:
    """bfloat16 has 256 steps from one power of two to the next, but the result has none."""
    exact, image = _predictor(network), _image((40, 40))
    mixed = replace(exact, mixed_precision=True)
    expected, found = (_mean(each, image, "j-invariant") for each in (exact, mixed))
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    assert (found - expected).std() < 0.03 * expected.std()
    assert len(found.unique()) > 0.99 * found.numel()


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("tile", [1, 7, 16, 512])
@pytest.mark.parametrize("shape", LONG_OR_SMALL)
@pytest.mark.parametrize("partition", [Partition("grid", 3, 5), Partition("random", 5)], ids=str)
def test_neither_does_any_size_or_tile(
    network: str, tile: int, shape: tuple[int, int], partition: Partition
) -> None:
    if tile < 16 and min(shape) > 10:
        shape = (1, max(shape))  # many tiles are slow
    predictor = _predictor(network, partition, tile=tile)
    assert not _at_hidden_and_elsewhere(predictor, _image(shape))[0]


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("flips", [1, 2, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_nor_do_flips_and_channels(network: str, flips: int, channels: int) -> None:
    """A pixel is hidden in all channels at once: their noise may be shared."""
    predictor = _predictor(network, flips=flips, channels=channels, tile=8)
    image = _image((13, 200), channels)
    network = predictor.network
    assert len(list(cut(image.shape[-2:], 8, network.reach, network.stride))) > 1
    assert _at_hidden_and_elsewhere(predictor, image) == (False, True)


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "plus", "square"])
@pytest.mark.parametrize(("radius", "size"), [(1, 4), (2, 6), (3, 8), (4, 10)])
@pytest.mark.parametrize("network", ["unet", "dncnn"])
def test_nor_do_the_neighbours_of_an_exclusion(
    kind: str, radius: int, size: int, network: str
) -> None:
    """Where noise is correlated, a prediction must not see the neighbours of its pixel either."""
    exclusion = Exclusion(kind, radius)
    predictor = _predictor(network, Partition("grid", size, 1, exclusion), tile=16)
    assert _at_hidden_and_elsewhere(predictor, _image((9, 190))) == (False, True)
    predictor = _predictor(network, Partition("random", 30, 1, exclusion), flips=8)
    assert not _at_hidden_and_elsewhere(predictor, _image((14, 13)))[0]


def test_without_the_exclusion_the_neighbours_would() -> None:
    """The negative control of the test above."""
    plain = Partition("grid", 6, 1)
    predictor, image = _predictor(partition=plain), _image((20, 20))
    subset = plain.labels((20, 20))[0] == 3
    hidden = Exclusion("plus", 1).hide(subset[None, None])[0, 0]
    before = _mean(predictor, image, "j-invariant")
    after = _mean(predictor, torch.where(hidden, 7.0, image), "j-invariant")
    assert (before != after)[:, subset].any()


@pytest.mark.parametrize("value", [1e30, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("fill", ["interpolate", "zero"])
def test_nor_do_extreme_and_missing_values(value: float, fill: str) -> None:
    predictor = _predictor(fill=fill)
    image = _image((20, 20))
    image[:, 5:9, 5:9] = float("nan")
    labels = predictor.partition.labels((20, 20))[0]
    hidden = labels == labels[10, 10]
    before = _mean_and_variance(predictor, image, "j-invariant")
    after = _mean_and_variance(predictor, torch.where(hidden, value, image), "j-invariant")
    assert torch.equal(before[..., hidden], after[..., hidden])


@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_nor_does_any_combination(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["grid", "random"]))
    excluded = data.draw(st.sampled_from(["none", "horizontal", "vertical", "plus", "square"]))
    exclusion = Exclusion(excluded, 0 if excluded == "none" else data.draw(st.integers(1, 3)))
    size = data.draw(st.integers(2, 4 if kind == "grid" else 9))
    partition = Partition(kind, size, data.draw(st.integers(0, 99)), exclusion)
    channels = data.draw(st.integers(1, 2))
    predictor = _predictor(
        data.draw(st.sampled_from(["unet", "dncnn"])),
        partition,
        channels=channels,
        depth=data.draw(st.integers(1, 2)),
        fill=data.draw(st.sampled_from(["interpolate", "zero"])),
        flips=data.draw(st.sampled_from([1, 2, 8])),
        tile=data.draw(st.sampled_from([8, 19, 512])),
    )
    shape = (data.draw(st.integers(1, 5)), data.draw(st.integers(1, 64)))
    image = _image(data.draw(st.permutations(shape).map(tuple)), channels)
    missing = torch.rand(image.shape[1:]) < data.draw(st.sampled_from([0.0, 0.2]))
    image = torch.where(missing, float("nan"), image)
    labels = partition.labels((image.shape[1], image.shape[2]))[0]
    subset = labels == labels.flatten()[data.draw(st.integers(0, labels.numel() - 1))]
    hidden = partition.hide(subset[None, None])[0, 0]
    before = _mean_and_variance(predictor, image, "j-invariant")
    after = _mean_and_variance(predictor, torch.where(hidden, 7.0, image), "j-invariant")
    assert torch.equal(before[..., subset], after[..., subset])


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("mode", ["single-pass", "posterior"])
def test_other_predictions_do_use_the_pixel_itself(network: str, mode: str) -> None:
    """The negative control: the tests above can fail."""
    assert _at_hidden_and_elsewhere(_predictor(network), _image((20, 20)), mode)[0]


@pytest.mark.parametrize("channels", [1, 2])
def test_hiding_another_subset_is_not_enough(channels: int) -> None:
    """The negative control: a subset must be hidden as a whole, in the image's own partition."""
    predictor = _predictor(partition=Partition("grid", 4, 0), channels=channels)
    image = _image((20, 20), channels)
    hidden = Partition("grid", 2).labels((20, 20))[0] == 0  # four subsets of the predictor
    before = _mean(predictor, image, "j-invariant")
    after = _mean(predictor, torch.where(hidden, 7.0, image), "j-invariant")
    assert (before != after)[:, hidden].any()


@pytest.mark.parametrize("place", [(16, 8), (8, 16), (16, 16)])
@pytest.mark.parametrize("shape", [(17, 17), (24, 24)])
@pytest.mark.parametrize("flips", [1, 8])
@pytest.mark.parametrize("where", ["in the plane", "beside"])
def test_how_hot_a_pixel_is_does_not_matter_at_the_border_either(
    place: tuple[int, int], shape: tuple[int, int], flips: int, where: str
) -> None:
    predictor = replace(_predictor(flips=flips), network=awake_network(adjacent=4))
    results = []
    for height in (5.0, 8.0):
        image, beside = 0.1 * _image(shape), 0.1 * _image(shape, 4, seed=1)[None]
        (image if where == "in the plane" else beside[0])[0][place] = height
        results.append(predictor.predict(image, "single-pass", beside=beside)[0])
    assert torch.equal(*results)


def test_posterior_is_as_bright_as_the_image() -> None:
    predictor, image = _predictor(noise=4.0), 3 + _image((128, 128))
    predictor.network.head.bias.data[0] += 1
    alone, mixed = (_mean(predictor, image, mode) for mode in ("j-invariant", "posterior"))
    assert abs(mixed.mean() - image.mean()) < 0.2 * abs(alone.mean() - image.mean())


@pytest.mark.parametrize("noise", [1e-2, 1.0, 100.0])
def test_posterior_mixes_by_the_variances(noise: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the clean signal varies three times as much as the noise: three parts of the pixel."""
    monkeypatch.setattr("napari_noise2self.networks.base.LARGEST", math.inf)  # nothing is cut off
    predictor, image = _predictor(noise=noise), math.sqrt(noise) * _image((16, 16))
    with torch.no_grad():
        predictor.network.head.weight[:] = 0
        predictor.network.head.bias[1] = math.log(math.expm1(3.0))  # softplus of it is 3
    mixed, variance, _ = predictor.predict(image, "posterior")
    expected = 0.75 * image + 0.25 * _calibrated(predictor, image)
    torch.testing.assert_close(mixed, expected, atol=1e-3, rtol=1e-3)
    expected_variance = torch.full_like(variance, 0.75 * noise)
    torch.testing.assert_close(variance, expected_variance, atol=0, rtol=1e-3)


def test_posterior_without_known_noise_is_the_j_invariant_prediction() -> None:
    predictor, image = _predictor(noise=0.0), _image((16, 16))
    assert torch.equal(_mean(predictor, image), _mean(predictor, image, "j-invariant"))


def test_posterior_uses_the_noise_of_each_channel() -> None:
    predictor = replace(_predictor(channels=2), noise=gaussian_noise(0.0, 0.04))
    image = _image((16, 16), 2)
    mixed, alone = _mean(predictor, image), _calibrated(predictor, image)
    assert torch.equal(mixed[0], alone[0])
    nearer = (mixed[1] - image[1]).abs() < (alone[1] - image[1]).abs()
    assert nearer.all()


@pytest.mark.parametrize("mode", MODES)
def test_missing_pixels_are_predicted_from_their_surroundings(mode: str) -> None:
    predictor, image = _predictor(), _image((16, 16))
    reference = None
    for value in (float("nan"), float("inf")):
        image[:, 4:6, 7] = value
        result = _mean_and_variance(predictor, image, mode)
        assert reference is None or torch.equal(result, reference)
        reference = result


@pytest.mark.parametrize("mode", MODES[1:])
def test_missing_pixels_are_filled_and_not_shown_as_zero(mode: str) -> None:
    predictor, image = _predictor(), torch.full((1, 16, 16), 5.0)
    holed = image.clone()
    holed[:, 7, 4] = float("nan")
    expected = _mean(predictor, image, mode)
    torch.testing.assert_close(_mean(predictor, holed, mode), expected, atol=1e-5, rtol=0)


def test_posterior_of_a_missing_pixel_is_the_prediction_alone() -> None:
    predictor, image = _predictor(), _image((16, 16))
    image[:, 7, 4] = float("nan")
    mixed, alone = _mean(predictor, image), _calibrated(predictor, image)
    assert torch.equal(mixed[:, 7, 4], alone[:, 7, 4])
    assert not torch.equal(mixed, alone)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("network", "depth", "shape", "tile"),
    [
        ("unet", 1, (59, 171), 8),
        ("unet", 1, (7, 167), 10),
        ("unet", 2, (197, 13), 16),
        ("unet", 2, (6, 221), 30),
        ("unet", 3, (5, 301), 24),
        ("dncnn", 1, (23, 131), 5),
        ("dncnn", 4, (37, 151), 16),
        ("dncnn", 8, (1, 184), 32),
    ],
)
def test_tiles_give_the_result_of_the_whole(
    mode: str, network: str, depth: int, shape: tuple[int, int], tile: int
) -> None:
    image = _image(shape)
    image[:, 0, -4:] = float("nan")
    predictor = _predictor(network, Partition("grid", 3, 1), depth=depth)
    tiled = replace(predictor, tile=tile)
    cuts = list(cut(image.shape[-2:], tile, predictor.network.reach, predictor.network.stride))
    assert len(cuts) > 1
    pairs = zip(predictor.predict(image, mode)[:2], tiled.predict(image, mode)[:2], strict=True)
    for one, other in pairs:
        assert (one - other).abs().max() < 1e-4 * (one.max() - one.min())


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("flips", [1, 2, 8])
@pytest.mark.parametrize("exclusion", [Exclusion(), Exclusion("plus", 1), Exclusion("vertical", 4)])
def test_tiles_give_the_result_of_the_whole_with_flips_channels_and_exclusion(
    network: str, flips: int, exclusion: Exclusion
) -> None:
    image = _image((173, 9), channels=2)
    predictor = _predictor(network, Partition("grid", 3, 0, exclusion), channels=2, flips=flips)
    whole, tiled = _mean(predictor, image), _mean(replace(predictor, tile=8), image)
    assert (whole - tiled).abs().max() < 1e-4 * (whole.max() - whole.min())


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError(), MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate")],
)
def test_tiles_are_smaller_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    image, tried = _image((300, 20)), []
    expected = _mean(_predictor(tile=SMALLEST_TILE), image)
    predict = Predictor._predict

    def short(self: Predictor, *given: object) -> object:
        tried.append(self.tile)
        if self.tile > most:
            raise error
        return predict(self, *given)

    monkeypatch.setattr(Predictor, "_predict", short)
    most = SMALLEST_TILE
    assert torch.equal(_mean(_predictor(tile=256), image), expected)
    assert tried == [256, 128, SMALLEST_TILE]
    most = 0
    with pytest.raises(type(error)):
        _mean(_predictor(tile=128), image)


def test_other_errors_are_no_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(self: Predictor, *_: object) -> None:
        tried.append(self.tile)
        raise RuntimeError("shapes don't fit")

    monkeypatch.setattr(Predictor, "_predict", fail)
    with pytest.raises(RuntimeError, match="fit"):
        _mean(_predictor(), _image((9, 9)))
    assert tried == [512]


def test_eight_flips_make_the_prediction_equivariant() -> None:
    """Averaged over all orientations, a turned image gives the turned prediction."""
    predictor, image = _predictor(flips=8), _image((16, 16))
    result = _mean(predictor, image, "single-pass")
    for turn in (lambda i: i.flip(-1), lambda i: i.transpose(-1, -2), lambda i: i.rot90(1, (1, 2))):
        turned = _mean(predictor, turn(image), "single-pass")
        torch.testing.assert_close(turned, turn(result), atol=1e-4, rtol=1e-4)
    once = replace(predictor, flips=1)
    assert not torch.allclose(
        _mean(once, image.flip(-1), "single-pass"),
        _mean(once, image, "single-pass").flip(-1),
        atol=1e-4,
    )


def test_eight_flips_are_the_mean_of_eight_predictions() -> None:
    predictor, image = _predictor(), _image((16, 24))
    each = [
        _mean(predictor, image.rot90(turn, (1, 2)).flip(dims), "single-pass")
        .flip(dims)
        .rot90(-turn, (1, 2))
        for turn in range(4)
        for dims in ([], [2])
    ]
    averaged = _mean(replace(predictor, flips=8), image, "single-pass")
    torch.testing.assert_close(averaged, torch.stack(each).mean(dim=0), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("mode", "subsets"), [("single-pass", 1), ("posterior", 4)])
@pytest.mark.parametrize("at_once", [1, 64, 200, 10_000])  # so many pixels, of 64
def test_reports_count_subsets_and_flips(
    mode: str, subsets: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_noise2self.inference.predictor._AT_ONCE", at_once)
    reports: list[Progress] = []
    _predictor(flips=8).predict(_image((8, 8)), mode, report=reports.append)
    done = [report.done for report in reports]
    assert done == sorted(set(done))
    assert len(done) == 8 * -(-subsets // max(1, at_once // 64))
    assert done[-1] == 8 * subsets
    assert {report.total for report in reports} == {8 * subsets}
    assert {report.stage for report in reports} == {"predicting"}
    assert reports[-1].seconds_left == 0


def test_cancelled_within_one_pass_of_the_network() -> None:
    control, reports = Control(), []

    def cancel_at_second(progress: Progress) -> None:
        reports.append(progress)
        if len(reports) == 2:
            control.cancel()

    with pytest.raises(Cancelled):
        _predictor(flips=8).predict(_image((8, 8)), control=control, report=cancel_at_second)
    assert len(reports) == 2


def test_cancelled_at_the_last_pass() -> None:
    """A small image has one pass, which may be over when somebody cancels."""
    control = Control()
    with pytest.raises(Cancelled):
        _predictor().predict(_image((8, 8)), control=control, report=lambda _: control.cancel())


def test_image_is_not_changed() -> None:
    image = _image((9, 9))
    image[0, 0, 0] = float("nan")
    before = image.clone()
    _predictor().predict(image)
    torch.testing.assert_close(image, before, equal_nan=True, rtol=0, atol=0)


# --- adjacent planes --------------------------------------------------------------------------


def _stack_predictor(network: str, partition: Partition, **changes: int) -> Predictor:
    predictor = _predictor(network, partition, **changes)
    return replace(predictor, network=awake_network(network, adjacent=4))


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize(
    "partition",
    [*GRIDS[:3], RANDOMS[1], Partition("grid", 6, exclusion=Exclusion("square", 2))],
    ids=lambda p: f"{p.kind}{p.size}-{p.exclusion.kind}",
)
@pytest.mark.parametrize("tile", [16, 512])
def test_hidden_pixels_stay_hidden_when_adjacent_planes_are_seen(
    network: str, partition: Partition, tile: int
) -> None:
    """Whatever lies beside them, in planes whose noise is their own."""
    predictor = _stack_predictor(network, partition, tile=tile)
    image, beside = _image((24, 180)), _image((24, 180), channels=4, seed=1)[None]
    labels = partition.labels((24, 180))[0]
    subset = labels == labels[12, 90]
    hidden = partition.hide(subset[None, None])[0, 0]
    changed = torch.where(hidden, 3 - image, image)
    before, after = (
        predictor.predict(each, "j-invariant", beside=beside)[0] for each in (image, changed)
    )
    assert torch.equal(before[:, subset], after[:, subset])
    assert not torch.equal(before[:, ~subset], after[:, ~subset])
    other = predictor.predict(image, "j-invariant", beside=beside + subset)[0]
    assert not torch.equal(before[:, subset], other[:, subset]), "nothing beside was seen"


@pytest.mark.parametrize("flips", [1, 8])
@pytest.mark.parametrize("shape", [(171, 45), (24, 180)])
def test_tiles_change_nothing_with_adjacent_planes(flips: int, shape: tuple[int, int]) -> None:
    image, beside = _image(shape), _image(shape, channels=4, seed=1)[None]
    whole, tiled = (
        _stack_predictor("unet", HALVES, flips=flips, tile=tile).predict(image, beside=beside)[0]
        for tile in (512, 16)
    )
    torch.testing.assert_close(whole, tiled, atol=1e-5, rtol=1e-5)
