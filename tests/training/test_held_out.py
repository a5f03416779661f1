"""The first subsets are held out, and a network is scored there in units of the noise."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.devices import Precision
from napari_noise2self.networks import Blindfolded
from napari_noise2self.partition import Partition
from napari_noise2self.progress import Cancelled, Control
from napari_noise2self.training.held_out import (
    HeldOut,
    held_out_pixels,
    held_out_subsets,
    score,
)
from simulate import awake_network, gaussian_noise

GRID = Partition("grid", 4)


@pytest.mark.parametrize(
    ("partition", "subsets"),
    [
        (Partition("grid", 2), 1),
        (Partition("grid", 5), 1),
        (Partition("grid", 6), 2),
        (Partition("random", 32), 1),
        (Partition("random", 33), 2),
        (Partition("random", 400), 13),
    ],
    ids=str,
)
def test_held_out_are_the_first_subsets(partition: Partition, subsets: int) -> None:
    assert held_out_subsets(partition) == range(subsets)
    labels = partition.labels((60, 70))[0]
    held_out = held_out_pixels(partition, labels)
    assert held_out.shape == labels.shape
    assert set(labels[held_out].tolist()) == set(range(subsets))


def test_large_subsets_are_thinned() -> None:
    labels = Partition("grid", 2).labels((200, 200))[0]
    share = float(held_out_pixels(Partition("grid", 2), labels).float().mean())
    assert share == pytest.approx(1 / 16, rel=0.1)


def _group(channels: int) -> HeldOut:
    random = torch.Generator().manual_seed(0)
    image = torch.randn((2, channels, 16, 20), generator=random)
    hidden = (GRID.labels((16, 20)) == 0).expand(2, 16, 20)[:, None]
    present = torch.ones_like(hidden)
    return HeldOut(image, hidden, present, hidden & (image[:, :1] > 0))


def _network(*variances: float) -> Blindfolded:
    network = awake_network(channels=len(variances)).requires_grad_(False)
    return Blindfolded(network, gaussian_noise(*variances), Precision(None, torch.channels_last))


def test_scores_are_squared_errors_at_the_targets_in_units_of_the_noise() -> None:
    group, network = _group(2), _network(0.04, 1.0)
    scores, errors = score(network, GRID, [group, group], Control())
    assert scores.shape == errors.shape == (2, 2 * int(group.target.sum()))
    mean, variance = network(GRID, group.image, group.hidden)
    for channel, unit in enumerate((0.04, 1.0)):
        at = group.target[:, 0]
        squares = (mean - group.image).square()[:, channel][at] / unit
        torch.testing.assert_close(scores[channel], squares.repeat(2))
        torch.testing.assert_close(errors[channel], (variance[:, channel][at] / unit).repeat(2))


def test_missing_pixels_are_hidden_too() -> None:
    group, network = _group(1), _network(0.04)
    present = torch.rand(group.present.shape, generator=torch.Generator().manual_seed(1)) > 0.2
    group = group._replace(present=present, target=group.target & present)
    spoilt = group._replace(image=torch.where(present, group.image, 1e3))
    one, same = (score(network, GRID, [each], Control())[0] for each in (group, spoilt))
    assert torch.equal(one, same)


def test_cancelling_ends_it() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        score(_network(0.04), GRID, [_group(1)], control)
