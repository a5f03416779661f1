"""Images with fewer details than pixels, predicted on a coarse grid."""

from __future__ import annotations

import pytest
import torch

from napari_noise2self.inference.coarse_predictor import CoarsePredictor, coarse_planes
from napari_noise2self.inference.predictor import Predictor
from napari_noise2self.inference.white_predictor import WhitePredictor
from napari_noise2self.networks import create_network
from napari_noise2self.noise.coarse import fine
from napari_noise2self.partition import Partition
from napari_noise2self.settings import Settings
from simulate import awake, gaussian_noise, whitening

WHITENING = whitening()


def _predictor(network: str, coarseness: int, adjacent: int = 0) -> CoarsePredictor:
    settings = Settings(network=network, width=4, depth=2, start="fresh")  # type: ignore[arg-type]
    made = awake(create_network(settings, 1, adjacent))
    inner = Predictor(made, Partition("grid", 3), gaussian_noise(0.04))
    return CoarsePredictor(WhitePredictor(inner, (WHITENING,)), coarseness)


@pytest.mark.parametrize("network", ["unet", "dncnn"])
@pytest.mark.parametrize("coarseness", [2, 3, 4])
def test_independent_noise_of_a_pixel_does_not_change_its_prediction(
    network: str, coarseness: int
) -> None:
    """J-invariance is about what is independent: the whitened pixels of the coarse grid."""
    predictor = _predictor(network, coarseness)
    shape = (90 * coarseness, 81 * coarseness)
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    labels = predictor.predictor.predictor.partition.labels((90, 81))[0]
    rows, columns = torch.arange(90)[:, None], torch.arange(81)
    hidden = (labels == 4) & (rows > 30) & (rows < 60) & (columns > 30) & (columns < 50)
    noise = WHITENING.colour(torch.where(hidden, torch.randn(90, 81), 0))
    changed = image + torch.from_numpy(fine(noise.numpy(), coarseness, shape)).float()
    before, after = (
        WHITENING.whiten(coarse_planes(predictor.predict(each, "j-invariant")[0], coarseness)[0])
        for each in (image, changed)
    )
    change = (after - before).abs()
    assert float(change[hidden].max()) < 1e-3 * float(change.max())
    assert float(change.max()) > 0.01


@pytest.mark.parametrize("shape", [(64, 64), (71, 50), (37, 129)])
def test_all_that_is_returned_has_the_shape_of_the_image(shape: tuple[int, int]) -> None:
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    image[0, 20:24, 20:24] = torch.nan
    for part in _predictor("unet", 3).predict(image):
        assert part.shape == image.shape
        assert part.dtype == torch.float32
        assert part.isfinite().all()


def test_a_part_with_its_surroundings_is_predicted_as_in_the_whole() -> None:
    predictor = _predictor("unet", 2)
    small = torch.randn(300, 200, generator=torch.Generator().manual_seed(0))
    image = torch.from_numpy(fine(small.numpy(), 2, (600, 400))).float()[None]
    wanted = 400
    low = (wanted - predictor.reach) // 24 * 24  # where pooling and subsets begin anew
    part = predictor.predict(image[:, low:], "j-invariant", origin=(low, 0))[0]
    whole = predictor.predict(image, "j-invariant")[0]
    change = (part[:, wanted - low :] - whole[:, wanted:]).abs()
    assert 0 < low < wanted - 48
    assert float(change.max()) < 0.02 * float(whole.std())


def test_planes_beside_are_on_the_same_grid() -> None:
    predictor = _predictor("unet", 2, 4)
    image = torch.randn(1, 48, 40, generator=torch.Generator().manual_seed(0))
    beside = torch.randn(1, 4, 48, 40, generator=torch.Generator().manual_seed(1))
    found = predictor.predict(image, beside=beside)[0]
    small, around = coarse_planes(image, 2), coarse_planes(beside, 2)
    assert around.shape == (1, 4, 24, 20)
    expected = predictor.predictor.predict(small, beside=around)[0]
    torch.testing.assert_close(coarse_planes(found, 2), expected, atol=1e-5, rtol=0)
