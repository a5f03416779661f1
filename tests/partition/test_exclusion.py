"""What is hidden with a pixel, and that nothing of it reaches the pixel's prediction."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.inference.predictor import Predictor
from napari_noise2self.networks import create_network
from napari_noise2self.noise.stabilise import Stabiliser
from napari_noise2self.noise.stable_noise import StableNoise
from napari_noise2self.partition import Partition
from napari_noise2self.partition.exclusion import NO_EXCLUSION, Exclusion
from napari_noise2self.settings import Settings

FOOTPRINTS = {
    "none": ["1"],
    "horizontal": ["11111"],
    "vertical": ["1", "1", "1", "1", "1"],
    "plus": ["00100", "00100", "11111", "00100", "00100"],
    "square": ["11111"] * 5,
}
KINDS = [Exclusion(kind, 2) for kind in ("horizontal", "vertical", "plus", "square")]


@pytest.mark.parametrize("kind", FOOTPRINTS)
def test_exclusion_hides_its_footprint_around_a_target(kind: str) -> None:
    targets = torch.zeros(1, 1, 9, 9, dtype=torch.bool)
    targets[0, 0, 4, 4] = True
    exclusion = NO_EXCLUSION if kind == "none" else Exclusion(kind, 2)  # type: ignore[arg-type]
    hidden = exclusion.hide(targets)[0, 0]
    expected = torch.tensor([[int(mark) for mark in row] for row in FOOTPRINTS[kind]]).bool()
    height, width = expected.shape
    rows = slice(4 - height // 2, 5 + height // 2)
    columns = slice(4 - width // 2, 5 + width // 2)
    assert torch.equal(hidden[rows, columns], expected)
    assert hidden.sum() == expected.sum()


@pytest.mark.parametrize("exclusion", KINDS, ids=lambda exclusion: exclusion.kind)
def test_smallest_grid_leaves_something_to_see(exclusion: Exclusion) -> None:
    partition = Partition("grid", exclusion.smallest_grid, exclusion=exclusion)
    targets = (partition.labels((40, 40)) == 0).unsqueeze(1)
    hidden = partition.hide(targets)
    assert float((~hidden).float().mean()) > 0.3


@pytest.mark.parametrize("kind", ["grid", "random"])
@pytest.mark.parametrize("exclusion", KINDS, ids=lambda exclusion: exclusion.kind)
def test_however_small_a_size_is_asked_for_something_is_left_to_see(
    exclusion: Exclusion, kind: str
) -> None:
    settings = Settings(
        partition=kind,  # type: ignore[arg-type]
        partition_size=2,
        exclusion=exclusion.kind,
        exclusion_radius=exclusion.radius,
    )
    partition = Partition.from_settings(settings)
    targets = (partition.labels((64, 64)) == 0).unsqueeze(1)
    assert float((~partition.hide(targets)).float().mean()) > 0.2


@pytest.mark.parametrize("exclusion", KINDS, ids=lambda exclusion: exclusion.kind)
@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("tile", [16, 512])
def test_prediction_ignores_the_pixel_and_its_exclusion(
    exclusion: Exclusion, network: str, tile: int
) -> None:
    predictor = _predictor(exclusion, network, tile)
    image = torch.randn(1, 37, 41, generator=torch.Generator().manual_seed(0))
    before = predictor.predict(image, "j-invariant")[0]
    labels = predictor.partition.labels((37, 41))[0]
    for subset in range(0, predictor.partition.n_subsets, 7):
        targets = labels == subset
        hidden = predictor.partition.hide(targets[None, None])[0, 0]
        changed = torch.where(hidden, 1e3, image)
        after = predictor.predict(changed, "j-invariant")[0]
        assert torch.equal(before[0][targets], after[0][targets])


def test_without_its_exclusion_a_neighbour_is_seen() -> None:
    """The control of the test above: it can fail."""
    predictor = _predictor(NO_EXCLUSION, "unet", 512)
    image = torch.randn(1, 37, 41, generator=torch.Generator().manual_seed(0))
    before = predictor.predict(image, "j-invariant")[0]
    changed = image.clone()
    changed[0, 20, 21] = 1e3
    after = predictor.predict(changed, "j-invariant")[0]
    assert before[0, 20, 20] != after[0, 20, 20]


@pytest.mark.parametrize("exclusion", KINDS, ids=lambda exclusion: exclusion.kind)
def test_tiles_change_nothing(exclusion: Exclusion) -> None:
    image = torch.randn(1, 150, 131, generator=torch.Generator().manual_seed(1))
    whole = _predictor(exclusion, "unet", 512).predict(image, "posterior")[0]
    tiled = _predictor(exclusion, "unet", 16).predict(image, "posterior")[0]
    assert float((whole - tiled).abs().max()) < 1e-4 * float(image.max() - image.min())


def _predictor(exclusion: Exclusion, network: str, tile: int) -> Predictor:
    """A predictor with random weights, the head's included."""
    made = create_network(Settings(network=network, width=4, depth=2))  # type: ignore[arg-type]
    with torch.no_grad():
        made.head.weight.normal_(generator=torch.Generator().manual_seed(2))
    partition = Partition("grid", exclusion.smallest_grid, 3, exclusion)
    noise = StableNoise.of([Stabiliser(0.0, 1.0, _gaussian(), 0.0, 0.2)])
    return Predictor(made.eval(), partition, noise, tile=tile)


def _gaussian():  # type: ignore[no-untyped-def]
    from napari_noise2self.noise.model import NoiseModel

    return NoiseModel(0.0, 1.0)
