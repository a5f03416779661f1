"""Every pixel is in one subset, and what stands in place of hidden pixels never reads them."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.partition import Partition, fill
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.settings import Settings

GRIDS = [Partition("grid", size, seed) for size in range(2, 11) for seed in (0, 7)]
RANDOMS = [Partition("random", size, seed) for size in (2, 7, 25, 60) for seed in (0, 7)]
ALL = GRIDS + RANDOMS


def _name(partition: Partition) -> str:
    return f"{partition.kind}{partition.size}-seed{partition.seed}"


@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_each_pixel_is_in_exactly_one_subset(partition: Partition) -> None:
    labels = partition.labels((120, 120))[0]
    subsets = torch.stack([labels == subset for subset in range(partition.n_subsets)])
    assert (subsets.sum(dim=0) == 1).all()
    assert subsets.flatten(1).any(dim=1).all(), "a subset has no pixels"


@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_window_has_the_labels_of_the_whole(partition: Partition) -> None:
    whole = partition.labels((50, 70))[0]
    origins = torch.tensor([[0, 0], [3, 0], [0, 5], [17, 41], [43, 58]])
    windows = partition.labels((7, 12), origins)
    for window, (row, column) in zip(windows, origins.tolist(), strict=True):
        assert torch.equal(window, whole[row : row + 7, column : column + 12])


@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_subsets_have_equal_shares(partition: Partition) -> None:
    counts = partition.labels((252, 240))[0].flatten().bincount(minlength=partition.n_subsets)
    expected = 252 * 240 * 1 / partition.n_subsets
    assert (counts - expected).abs().max() < 5 * expected**0.5


@pytest.mark.parametrize("partition", GRIDS, ids=_name)
def test_grid_subset_repeats_every_n_pixels(partition: Partition) -> None:
    labels = partition.labels((40, 40))[0]
    assert torch.equal(labels[partition.size :], labels[: -partition.size])
    assert torch.equal(labels[:, partition.size :], labels[:, : -partition.size])
    assert labels[: partition.size, : partition.size].unique().numel() == partition.n_subsets


@pytest.mark.parametrize("partition", RANDOMS, ids=_name)
@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, 1), (0, 2), (5, 3), (16, 0), (0, 64)])
def test_random_labels_of_neighbours_are_independent(
    partition: Partition, step: tuple[int, int]
) -> None:
    labels = partition.labels((240, 240))[0]
    same = labels[step[0] :, step[1] :] == labels[: 240 - step[0], : 240 - step[1]]
    share = 1 / partition.n_subsets
    deviation = (share * (1 - share) / same.numel()) ** 0.5
    assert abs(float(same.float().mean()) - share) < 5 * deviation


@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_random_origins_hide_each_place_equally_often(partition: Partition) -> None:
    origins = torch.randint(0, 2**20, (6000, 2), generator=torch.Generator().manual_seed(0))
    hidden = (partition.labels((6, 6), origins) == 0).float().mean(dim=0)
    share = 1 / partition.n_subsets
    deviation = (share * (1 - share) / 6000) ** 0.5
    assert (hidden - share).abs().max() < 5 * deviation


@pytest.mark.parametrize("size", range(2, 11))
def test_seeds_reach_every_shift_of_the_grid(size: int) -> None:
    first = [int(Partition("grid", size, seed).labels((1, 1))) for seed in range(60 * size**2)]
    counts = torch.tensor(first).bincount(minlength=size**2)
    assert counts.min() > 20
    assert counts.max() < 120


@pytest.mark.parametrize("size", [2, 25])
def test_seeds_draw_unrelated_random_partitions(size: int) -> None:
    one, other = (Partition("random", size, seed).labels((200, 200))[0] for seed in (0, 1))
    assert float((one == other).float().mean()) == pytest.approx(1 / size, abs=0.02)


def test_partition_of_the_settings() -> None:
    assert Partition.from_settings(Settings()) == Partition("grid", 3, 0)
    assert Partition.from_settings(Settings(partition="random", seed=3)) == Partition(
        "random", 25, 3
    )
    assert Partition.from_settings(Settings(partition_size=2)).n_subsets == 4


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "plus", "square"])
def test_settings_name_the_exclusion_and_auto_takes_the_measured_one(kind: str) -> None:
    measured = Exclusion("plus", 1)
    given = Settings(exclusion=kind, exclusion_radius=2)
    assert Partition.from_settings(given, measured).exclusion == Exclusion(kind, 2)
    assert Partition.from_settings(Settings(), measured).exclusion == measured
    assert Partition.from_settings(Settings(exclusion="none"), measured).exclusion == Exclusion()
    assert Partition.from_settings(Settings(exclusion=kind)).exclusion.radius == 1


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "plus", "square"])
@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("partition", ["grid", "random"])
def test_default_size_leaves_pixels_visible_beside_an_exclusion(
    kind: str, radius: int, partition: str
) -> None:
    """The larger the exclusion, the more subsets; and every hidden pixel sees a visible one."""
    settings = Settings(partition=partition, exclusion=kind, exclusion_radius=radius)
    made = Partition.from_settings(settings)
    hidden = made.hide(_hidden((60, 60), made))
    if partition == "grid":
        assert hidden.float().mean() < 0.85
    filled = made.fill(torch.ones(1, 1, 60, 60), hidden)
    assert (filled > 0).float().mean() > 0.9


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "plus", "square"])
@pytest.mark.parametrize("radius", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [2, 3, 4, 10])
def test_no_choice_of_size_hides_every_pixel(kind: str, radius: int, size: int) -> None:
    """A network that sees nothing would return a constant image."""
    settings = Settings(partition_size=size)
    made = Partition.from_settings(settings, Exclusion(kind, radius))
    assert not made.hide(_hidden((40, 40), made)).all()
    assert made.size >= size


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("horizontal", ["....", "####", "...."]),
        ("vertical", [".#..", ".#..", ".#.."]),
        ("plus", [".#..", "####", ".#.."]),
        ("square", ["####", "####", "####"]),
    ],
)
def test_exclusion_hides_neighbours(kind: str, expected: list[str]) -> None:
    target = torch.zeros(1, 1, 3, 4, dtype=torch.bool)
    target[..., 1, 1] = True
    hidden = Partition(exclusion=Exclusion(kind, 2)).hide(target)[0, 0]
    assert ["".join(".#"[value] for value in row) for row in hidden.tolist()] == expected
    assert torch.equal(Partition().hide(target), target)


def _hidden(shape: tuple[int, int], partition: Partition, subset: int = 0) -> torch.Tensor:
    return (partition.labels(shape)[0] == subset)[None, None]


@pytest.mark.parametrize("method", ["interpolate", "zero"])
@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_fill_never_reads_hidden_pixels(partition: Partition, method: str) -> None:
    image = torch.randn((1, 3, 31, 29), generator=torch.Generator().manual_seed(0))
    hidden = _hidden((31, 29), partition, subset=1)
    reference = fill(image, hidden, method)
    assert torch.isfinite(reference).all()
    for value in (0.0, 1e30, float("inf"), float("nan")):
        assert torch.equal(fill(torch.where(hidden, value, image), hidden, method), reference)


@pytest.mark.parametrize("method", ["interpolate", "zero"])
@pytest.mark.parametrize("radius", [1, 2, 4])
def test_nor_does_it_with_an_exclusion(radius: int, method: str) -> None:
    image = torch.randn((1, 2, 31, 29), generator=torch.Generator().manual_seed(0))
    partition = Partition("grid", 6, exclusion=Exclusion("plus", radius))
    hidden = partition.hide(_hidden((31, 29), partition))
    reference = partition.fill(image, hidden, method)
    assert torch.isfinite(reference).all()
    spoilt = torch.where(hidden, float("nan"), image)
    assert torch.equal(partition.fill(spoilt, hidden, method), reference)


@pytest.mark.parametrize("method", ["interpolate", "zero"])
def test_fill_leaves_visible_pixels_as_they_are(method: str) -> None:
    image = torch.randn((2, 3, 12, 13))
    hidden = torch.rand((2, 1, 12, 13)) < 0.3
    visible = ~hidden.expand_as(image)
    assert torch.equal(fill(image, hidden, method)[visible], image[visible])


def test_fill_is_the_weighted_mean_of_the_visible_neighbours() -> None:
    image = torch.tensor([[1.0, 2.0, 4.0], [8.0, 99.0, 16.0], [32.0, 64.0, 128.0]])[None, None]
    hidden = torch.zeros(1, 1, 3, 3, dtype=torch.bool)
    hidden[..., 1, 1] = True
    beside, across = 2 + 8 + 16 + 64, 1 + 4 + 32 + 128
    assert fill(image, hidden)[0, 0, 1, 1] == pytest.approx((2 * beside + across) / 12)
    hidden[..., 0, :] = True
    assert fill(image, hidden)[0, 0, 1, 1] == pytest.approx((2 * (8 + 16 + 64) + 32 + 128) / 8)


def test_fill_zero_puts_zero() -> None:
    hidden = _hidden((9, 9), Partition("grid", 3))
    assert torch.equal(fill(torch.ones(1, 1, 9, 9), hidden, "zero"), (~hidden).float())


@pytest.mark.parametrize("partition", ALL, ids=_name)
def test_interpolation_keeps_a_constant_image(partition: Partition) -> None:
    """Also at the borders: only where a pixel has no visible neighbour does it become zero."""
    image = torch.full((1, 2, 21, 22), 3.0)
    filled = fill(image, _hidden((21, 22), partition))
    kept = (filled - 3).abs() < 1e-5
    assert (kept | (filled == 0)).all()
    assert kept.float().mean() > 0.99


@pytest.mark.parametrize("partition", GRIDS, ids=_name)
def test_interpolation_keeps_a_ramp(partition: Partition) -> None:
    rows, columns = torch.meshgrid(torch.arange(21.0), torch.arange(22.0), indexing="ij")
    ramp = (3 * rows - 2 * columns + 5)[None, None]
    filled = fill(ramp, _hidden((21, 22), partition))
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(filled[inside], ramp[inside])


def test_where_nothing_is_visible_stands_zero() -> None:
    everything = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    assert torch.equal(fill(torch.full((1, 2, 5, 5), 7.0), everything), torch.zeros(1, 2, 5, 5))


def test_fill_does_not_mix_channels() -> None:
    image = torch.randn(1, 2, 10, 10)
    hidden = _hidden((10, 10), Partition("grid", 2))
    other = torch.cat((image[:, :1], torch.randn(1, 1, 10, 10)), dim=1)
    assert torch.equal(fill(image, hidden)[:, 0], fill(other, hidden)[:, 0])
    assert not torch.equal(fill(image, hidden)[:, 1], fill(other, hidden)[:, 1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("method", ["interpolate", "zero"])
def test_fill_keeps_the_dtype(dtype: torch.dtype, method: str) -> None:
    filled = fill(torch.ones(1, 1, 4, 4, dtype=dtype), _hidden((4, 4), Partition()), method)
    assert filled.dtype == dtype
