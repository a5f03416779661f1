"""The networks take images of any size and see no farther than they say."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from napari_noise2self.networks import DnCNN, Network, UNet, build_network, create_network
from napari_noise2self.networks.base import LARGEST
from napari_noise2self.networks.layers import UpConvolution, convolution
from napari_noise2self.noise.local_mean import CELL, LOCAL_REACH, local_excess
from napari_noise2self.noise.outliers import limited
from napari_noise2self.noise.stabilise import NOISE_STD
from napari_noise2self.settings import Settings
from simulate import awake, awake_network

KINDS_AND_DEPTHS = [("unet", 1), ("unet", 2), ("unet", 3), ("dncnn", 1), ("dncnn", 4), ("dncnn", 8)]


@pytest.mark.parametrize(("kind", "depth"), KINDS_AND_DEPTHS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 6), (16, 24)])
@pytest.mark.parametrize("channels", [1, 3])
def test_mean_and_variance_have_the_shape_of_the_image(
    kind: str, depth: int, shape: tuple[int, int], channels: int
) -> None:
    image = torch.randn(2, channels, *shape)
    mean, variance = awake_network(kind, channels, depth)(image)
    assert mean.shape == variance.shape == image.shape
    assert torch.isfinite(mean).all()
    assert mean.dtype == variance.dtype == torch.float32


def _span_of_change(network: Network, place: int, extent: int, contrast: float) -> tuple[int, int]:
    """How far left and right of a changed input pixel the outputs change, in a 1-D-like image."""
    shape, generator = (1, 1, network.stride, extent), torch.Generator().manual_seed(1)
    image = contrast * torch.randn(shape, generator=generator)
    changed = image.clone()
    changed[..., place] += 100.0
    with torch.inference_mode():
        pairs = zip(network(image), network(changed), strict=True)
        differ = torch.stack([(a != b).flatten(0, -2).any(dim=0) for a, b in pairs]).any(dim=0)
    places = differ.nonzero().flatten()
    return place - int(places.min()), int(places.max()) - place


@pytest.mark.parametrize("contrast", [1.0, 30.0])
@pytest.mark.parametrize(("kind", "depth"), KINDS_AND_DEPTHS)
def test_no_output_depends_on_a_pixel_beyond_the_reach(
    kind: str, depth: int, contrast: float
) -> None:
    network = awake_network(kind, depth=depth)
    middle = network.reach + 4 * network.stride
    spans = [
        span
        for shift in range(network.stride)  # each place relative to the pooling windows
        for span in _span_of_change(network, middle + shift, 2 * middle + network.stride, contrast)
    ]
    assert max(spans) <= network.reach
    assert max(spans) >= network.reach / 2, "the reach is far too cautious: tiles cost time"


@pytest.mark.parametrize(("kind", "depth"), KINDS_AND_DEPTHS)
def test_untrained_network_predicts_what_it_sees_the_image_relative_to(
    kind: str, depth: int
) -> None:
    network = create_network(Settings(network=kind, width=4, depth=depth))
    image = 5 + torch.randn(1, 1, 16, 16)
    mean, variance = network(image)
    assert torch.equal(mean, local_excess(limited(image, NOISE_STD)))
    assert (variance == -3).all()


@pytest.mark.parametrize("kind", ["unet", "dncnn"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("adjacent", [0, 4])
def test_brighter_everywhere_means_brighter_predictions_and_no_other_change(
    kind: str, channels: int, adjacent: int
) -> None:
    """Where an image is so bright that networks see it relative to its surroundings."""
    network = awake(build_network(Settings(network=kind, width=4, depth=1), channels, adjacent))
    image = 10 + torch.randn(2, channels, 16, 24)
    beside = 10 + torch.randn(2, channels, adjacent, 16, 24) if adjacent else None
    if beside is not None:
        beside[:, :, 1] = 0  # is missing, and stays so
    mean, variance = network(image, beside)
    there = beside is not None and torch.where(beside == 0, 0, beside + 100)
    brighter, same = network(image + 100, there if adjacent else None)
    torch.testing.assert_close(brighter - 100, mean, atol=1e-3, rtol=0)
    torch.testing.assert_close(same, variance, atol=1e-3, rtol=0)


@pytest.mark.parametrize("bright", [10.0, 1e2, 1e4, 1e8])
def test_no_prediction_is_brighter_than_a_blinding_spot(bright: float) -> None:
    """Pretrained weights made a hundred times as much of what was beyond their range."""
    image = 0.2 * torch.randn((1, 1, 64, 256), generator=torch.Generator().manual_seed(0))
    image[..., 30:34, 30:34] = bright
    with torch.inference_mode():
        mean, _ = create_network(Settings())(image)
    assert -0.5 * bright < mean.min()
    assert mean.max() < 1.5 * bright
    assert mean[..., 160:].abs().max() < 0.2


@pytest.mark.parametrize("kind", ["unet", "dncnn"])
def test_no_network_is_sure_of_what_is_cut_off_where_it_cannot_be_guessed(kind: str) -> None:
    """A plateau can be, and so can a slope; the top of a bead can't."""
    network, flat = create_network(Settings(network=kind, width=4, depth=1)), torch.zeros(64, 64)
    slope = flat + 50 * torch.linspace(-1, 1, 64)
    across = torch.exp(-((torch.arange(64.0) - 32) ** 2) / 8)
    bead, dim = 50 * torch.outer(across, across), LARGEST * torch.outer(across, across)
    plateau = flat.clone()
    plateau[24:40, 24:40] = 50
    _, variance = network(torch.stack([slope, bead, plateau, dim])[:, None])
    doubt = (variance + 3)[:, 0]  # beyond that of an untrained network
    assert (doubt >= 0).all()
    assert 0 < doubt[0, :, 60].max() < 0.5
    assert doubt[1, 30:35, 30:35].min() > 100  # the noisy pixel has 99 %
    assert doubt[2, 28:36, 28:36].max() < 0.05  # the local mean is curved
    assert doubt[2, 24, 32] > 100
    assert doubt[3].max() == 0


@pytest.mark.parametrize("kind", ["unet", "dncnn"])
def test_channels_come_out_in_the_order_mean_then_variance(kind: str) -> None:
    network = create_network(Settings(network=kind, width=4, depth=1), channels=2)
    network.head.bias.data = torch.tensor([1.0, 2.0, 3.0, 4.0])
    mean, variance = network(torch.linspace(-5, 5, 64).reshape(1, 1, 8, 8).expand(1, 2, 8, 8))
    assert mean[0, :, 0, 0].tolist() == [1, 2]
    assert variance[0, :, 0, 0].tolist() == [3, 4]


@pytest.mark.parametrize("depth", [1, 2])
def test_padding_to_the_stride_repeats_the_border(depth: int) -> None:
    network = awake_network("unet", depth=depth)
    image = 0.2 * torch.randn(1, 1, 3, 5)
    padded = torch.nn.functional.pad(image, (0, -5 % 2**depth, 0, -3 % 2**depth), mode="replicate")
    for part, whole in zip(network(image), network(padded), strict=True):
        torch.testing.assert_close(part, whole[..., :3, :5])


@pytest.mark.parametrize("kind", ["unet", "dncnn"])
def test_seed_decides_the_weights(kind: str) -> None:
    def weights(seed: int) -> torch.Tensor:
        network = create_network(Settings(network=kind, width=4, seed=seed))
        return torch.cat([parameter.flatten() for parameter in network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_creating_a_network_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    create_network(Settings(width=4))
    assert torch.equal(torch.rand(3), expected)


def test_settings_choose_the_network() -> None:
    unet, dncnn = (create_network(Settings(network=kind, width=4)) for kind in ("unet", "dncnn"))
    assert isinstance(unet, UNet)
    assert unet.stride == 8
    assert isinstance(dncnn, DnCNN)
    assert (dncnn.stride, dncnn.reach) == (CELL, 8 + LOCAL_REACH + 1)
    assert create_network(Settings(width=4, depth=3)).stride == 8


def test_network_without_body_says_so() -> None:
    with pytest.raises(RuntimeError, match="Network has no body"):
        Network().body(torch.zeros(1, 1, 4, 4), lambda: None)


@pytest.mark.parametrize("kind", ["unet", "dncnn"])
@pytest.mark.parametrize("channels", [1, 3])
def test_adjacent_planes_are_seen(kind: str, channels: int) -> None:
    network = awake_network(kind, channels, adjacent=4)
    image, beside = torch.randn(2, channels, 9, 12), torch.randn(2, channels, 4, 9, 12)
    mean, _ = network(image, beside)
    assert mean.shape == image.shape
    for place in range(4):
        other = beside.clone()
        other[:, :, place] += 1
        assert not torch.equal(network(image, other)[0], mean)
    nothing = torch.zeros_like(beside)
    assert torch.equal(network(image)[0], network(image, nothing)[0])


def test_each_channel_sees_its_own_adjacent_planes() -> None:
    """Where channels are seen one by one."""
    network = awake_network(adjacent=4)
    image, beside = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 4, 8, 8)
    together = network(image, beside)[0]
    for channel in range(3):
        alone = network(image[:, channel, None], beside[:, channel, None])[0]
        torch.testing.assert_close(together[:, channel, None], alone)


@pytest.mark.parametrize(("kind", "depth"), KINDS_AND_DEPTHS)
def test_pass_can_be_ended_between_any_two_layers(kind: str, depth: int) -> None:
    network, calls = awake_network(kind, depth=depth), 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        network(torch.zeros(1, 1, 8, 8), None, check)


def test_convolution_of_two_levels_is_that_of_the_coarse_one_upsampled_beside_the_fine() -> None:
    layer = convolution(5 + 3, 4, UpConvolution)
    coarse, fine = torch.randn(2, 5, 6, 7), torch.randn(2, 3, 12, 14)
    upsampled = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    joined = functional.conv2d(
        torch.cat((upsampled, fine), dim=1), layer.weight, layer.bias, padding=1
    )
    assert torch.allclose(layer((coarse, fine)), joined, atol=1e-5)
