"""Patches are true windows of the images, and held-out pixels are marked in each of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import Exclusion
from napari_noise2self.settings import Settings
from napari_noise2self.training.patches import Patches, any_detail

PARTITIONS = [Partition("grid", size) for size in range(2, 11)]
PARTITIONS += [Partition("random", size) for size in (2, 7, 25, 100, 400)]
GRID = Partition("grid", 4)
CPU = torch.device("cpu")


def _numbered(height: int, width: int, start: int = 0) -> Tensor:
    """An image each of whose pixels has a number of its own."""
    return start + torch.arange(float(height * width)).reshape(1, height, width)


def _patches(*planes: Tensor, partition: Partition = GRID, patch_size: int = 16) -> Patches:
    return Patches(planes, partition, Settings(patch_size=patch_size), CPU)


def _random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda p: f"{p.kind}{p.size}")
def test_a_small_share_of_the_pixels_is_held_out(partition: Partition) -> None:
    patches = _patches(torch.randn(1, 100, 100), partition=partition)
    share = float(patches._held_out.float().mean())
    assert 1 / 64 < share < 1 / 14


@pytest.mark.parametrize("partition", [Partition("grid", 3), Partition("random", 7)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_noise_of_the_same_seed_does_not_choose_them(partition: Partition, seed: int) -> None:
    noise = torch.randn((1, 200, 200), generator=_random(seed))
    patches = Patches([noise], partition, Settings(seed=seed), CPU)
    chosen = noise.flatten()[patches._held_out.flatten()]
    assert float(chosen.square().mean()) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda p: f"{p.kind}{p.size}")
def test_held_out_pixels_of_a_plane_are_the_same_among_others(partition: Partition) -> None:
    one, other = torch.randn(1, 40, 30), torch.randn(1, 50, 60)
    alone = _patches(one, partition=partition)._held_out
    for planes in ([one, other], [other, one]):
        among = _patches(*planes, partition=partition)._held_out
        place = slice(-alone.numel(), None) if planes[1] is one else slice(alone.numel())
        assert torch.equal(among[place], alone)


@pytest.mark.parametrize("augment", [False, True])
def test_patch_is_a_window_of_the_image_in_one_of_eight_orientations(augment: bool) -> None:
    batch = _patches(_numbered(40, 50)).draw(64, _random(), augment=augment)
    seen = set()
    for patch in batch.image[:, 0].long():
        rows, columns = patch // 50, patch % 50
        down = int(rows[1, 0] - rows[0, 0]), int(columns[1, 0] - columns[0, 0])
        right = int(rows[0, 1] - rows[0, 0]), int(columns[0, 1] - columns[0, 0])
        steps = torch.arange(16)
        across = rows[0, 0] + steps[:, None] * down[0] + steps[None] * right[0]
        along = columns[0, 0] + steps[:, None] * down[1] + steps[None] * right[1]
        assert torch.equal(rows, across)
        assert torch.equal(columns, along)
        seen.add((down, right))
    if not augment:
        assert seen == {((1, 0), (0, 1))}
    else:
        assert len(seen) == 4  # a batch is transposed as a whole


def test_half_of_the_batches_are_transposed() -> None:
    patches, random = _patches(_numbered(40, 50)), _random()
    steps = [patches.draw(1, random).image[0, 0, :2, 0] for _ in range(60)]
    transposed = sum(abs(int(step[1] - step[0])) == 1 for step in steps)
    assert 15 < transposed < 45


@pytest.mark.parametrize("partition", PARTITIONS[::3], ids=lambda p: f"{p.kind}{p.size}")
def test_labels_and_marks_belong_to_the_pixels(partition: Partition) -> None:
    plane = _numbered(40, 50)
    plane[0, 3, :10] = float("nan")
    patches = _patches(plane, partition=partition)
    batch = patches.draw(64, _random())
    numbers = batch.image[:, 0].long()[batch.present[:, 0]]
    labels = partition.labels((40, 50))[0].flatten()
    assert torch.equal(batch.labels[batch.present[:, 0]].long(), labels[numbers])
    held_out = patches._held_out[numbers]
    assert torch.equal(batch.trainable[batch.present], ~held_out)
    assert held_out.any()
    assert not held_out.all()


def test_missing_pixels_are_zero_and_never_trained_on() -> None:
    plane = torch.stack([torch.ones(20, 20), torch.ones(20, 20)])
    plane[1, 4:9, 4:9] = float("inf")
    batch = _patches(plane).draw(32, _random())
    assert (~batch.present).any()
    assert (batch.image[~batch.present.expand_as(batch.image)] == 0).all()
    assert (batch.image[batch.present.expand_as(batch.image)] == 1).all()
    assert not (batch.trainable & ~batch.present).any()


def test_every_place_is_drawn_equally_often_from_images_of_all_sizes() -> None:
    patches = _patches(_numbered(20, 18), _numbered(33, 16, start=1000), _numbered(16, 16, 2000))
    first = patches.draw(9000, _random(), augment=False).image[:, 0, 0, 0].long()
    places, counts = first.unique(return_counts=True)
    assert places.numel() == 5 * 3 + 18 * 1 + 1
    expected = 9000 / places.numel()
    assert (counts - expected).abs().max() < 5 * expected**0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 40)])
def test_patches_of_small_images_are_as_large_as_the_image(shape: tuple[int, int]) -> None:
    batch = _patches(_numbered(*shape)).draw(3, _random())
    assert batch.image.shape == (3, 1, *(min(side, 16) for side in shape))


def test_any_detail() -> None:
    constant, missing = torch.full((1, 9, 9), 4.0), torch.full((1, 9, 9), float("nan"))
    assert not any_detail([constant])
    assert not any_detail([constant, missing])
    assert not any_detail([missing])
    assert any_detail([constant, constant + 1])
    assert any_detail([torch.cat((constant, _numbered(9, 9)))])


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda p: f"{p.kind}{p.size}")
def test_weights_are_ranked_at_hidden_held_out_pixels_alone(partition: Partition) -> None:
    plane = _numbered(60, 60)
    plane[0, 30, 30:40] = float("nan")
    patches = _patches(plane, partition=partition)
    labels = partition.labels((60, 60))[0].flatten()
    total = 0
    for image, hidden, present, target, _ in patches.held_out(_random()):
        assert not (target & ~hidden).any()
        assert not (target & ~present).any()
        numbers = image[target].long()
        assert patches._held_out[numbers].all()
        # a whole subset is hidden, and nothing else
        subset = labels[image[hidden & present].long()].unique()
        assert subset.numel() <= 1
        assert not torch.isin(labels[image[~hidden & present].long()], subset).any()
        total += int(target.sum())
    assert total > 50


@pytest.mark.parametrize(("kind", "transposed"), [("horizontal", False), ("plus", True)])
def test_patches_are_not_turned_where_rows_and_columns_differ(kind: str, transposed: bool) -> None:
    partition = Partition("grid", 4, exclusion=Exclusion(kind, 1))
    patches, random = _patches(_numbered(40, 50), partition=partition), _random()
    steps = [patches.draw(1, random).image[0, 0, :2, 0].diff().abs() for _ in range(40)]
    assert any(int(step) == 1 for step in steps) == transposed


def test_weights_are_ranked_with_the_exclusion_hidden() -> None:
    partition = Partition("grid", 5, exclusion=Exclusion("horizontal", 1))
    for _, hidden, _, target, _ in _patches(_numbered(60, 60), partition=partition).held_out(
        _random()
    ):
        neighbours = target[..., :-1] & ~hidden[..., 1:] | target[..., 1:] & ~hidden[..., :-1]
        assert target.any()
        assert not neighbours.any()


def test_same_seed_draws_the_same() -> None:
    patches = _patches(_numbered(40, 40))
    one, same, other = (patches.draw(4, _random(seed)).image for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_random_labels_differ_between_patches_and_draws() -> None:
    partition, random = Partition("grid", 4), _random()
    patches = _patches(_numbered(40, 40))
    batch = patches.draw(20, random)
    one, other = (patches.random_labels(partition, batch, random) for _ in range(2))
    assert one.shape == (20, 16, 16)
    assert len(one[:, 0, 0].unique()) > 4
    assert not torch.equal(one, other)


@pytest.mark.parametrize("augment", [False, True])
def test_what_is_beside_a_patch_lies_at_the_same_place(augment: bool) -> None:
    """In the same orientation, in planes of any size; and is 0 where there is nothing."""
    small, large = (30, 24), (40, 50)
    planes = [_numbered(*small, start=10_000 * n + 1) for n in range(3)]
    planes += [_numbered(*large, start=10_000 * n + 1) for n in (3, 4)]
    beside = [(None, None, 1, 2), (None, 0, 2, None), (0, 1, None, None)]
    beside += [(None, None, 4, None), (None, 3, None, None)]
    batch = Patches(planes, GRID, Settings(patch_size=16), CPU, beside).draw(
        64, _random(), augment=augment
    )
    assert batch.beside is not None
    assert batch.beside.shape == (64, 1, 4, 16, 16)
    for image, seen in zip(batch.image[:, 0], batch.beside[:, 0], strict=True):
        number = int(image[0, 0]) // 10_000
        for plane, other in zip(seen, beside[number], strict=True):
            expected = torch.zeros_like(image)
            if other is not None:
                expected = image + 10_000 * (other - number)
            assert torch.equal(plane, expected)


def test_held_out_pixels_come_with_what_is_beside_them() -> None:
    planes = [_numbered(40, 40), _numbered(40, 40, 10_000)]
    patches = Patches(
        planes, GRID, Settings(patch_size=16), CPU, [(None, None, 1, None), (None, 0, None, None)]
    )
    for group in patches.held_out(_random()):
        assert group.beside is not None
        assert len(group.beside) == len(group.image)
        assert ((group.beside != 0).sum(dim=(1, 2, 3, 4)) >= 16 * 16 - 1).all()
    assert all(group.beside is None for group in _patches(*planes).held_out(_random()))
