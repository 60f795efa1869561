"""The built module: the paper's equation, its gradients, its seeds."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from res2net import Architecture, build, parse
from res2net.block import Res2NetBlock
from tests.res2net.strategies import architectures


def equation_1(block: Res2NetBlock, splits: list[Tensor]) -> list[Tensor]:
    """The paper's Eq. 1 as printed, y_1 = x_1 first, from a block's own convolutions."""
    kernels = [
        nn.Sequential(conv, bn, nn.ReLU())
        for conv, bn in zip(block.convs, block.bns, strict=True)
    ]
    outs = [splits[0], kernels[0](splits[1])]
    for index in range(2, len(splits)):
        outs.append(kernels[index - 1](splits[index] + outs[-1]))
    return outs


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_block_is_equation_1_up_to_the_order_of_its_splits(scale: int) -> None:
    """The published code passes the last split by, the paper the first: a permutation."""
    torch.manual_seed(0)
    width = 6
    block = (
        Res2NetBlock(channels=16, planes=4, width=width, scale=scale, cardinality=2)
        .double()
        .eval()
    )
    x = torch.randn(2, 16, 9, 9, dtype=torch.float64)
    splits = list(torch.relu(block.bn1(block.conv1(x))).split(width, 1))
    outs = equation_1(block, [splits[-1], *splits[:-1]])
    joined = torch.cat([*outs[1:], outs[0]], 1)
    expected = torch.relu(block.bn3(block.conv3(joined)) + x)
    assert torch.allclose(block(x), expected, rtol=0, atol=1e-12)


def test_scale_1_is_the_resnext_bottleneck() -> None:
    torch.manual_seed(0)
    block = Res2NetBlock(channels=16, planes=4, width=8, scale=1, cardinality=4).eval()
    plain = nn.Sequential(
        block.conv1, block.bn1, nn.ReLU(), block.convs[0], block.bns[0], nn.ReLU(), block.conv3,
        block.bn3,
    )  # fmt: skip
    assert block.convs[0].groups == 4
    x = torch.randn(2, 16, 5, 5)
    assert torch.equal(block(x), torch.relu(plain(x) + x))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_first_block_of_a_stage_is_one_grouped_convolution(stride: int) -> None:
    """No sums between splits: all splits together are a ResNeXt block of groups c x s."""
    torch.manual_seed(0)
    block = Res2NetBlock(
        channels=8, planes=4, width=6, scale=4, cardinality=2, stride=stride, first="all",
        shortcut=nn.Conv2d(8, 16, 1, stride),
    ).double().eval()  # fmt: skip
    joined = nn.Conv2d(24, 24, 3, stride, padding=1, groups=8, bias=False).double()
    joined.weight.data = torch.cat([conv.weight for conv in block.convs])
    x = torch.randn(2, 8, 8, 8, dtype=torch.float64)
    inner = joined(torch.relu(block.bn1(block.conv1(x))))
    inner = torch.cat(
        [torch.relu(bn(part)) for bn, part in zip(block.bns, inner.split(6, 1), strict=True)], 1
    )
    expected = torch.relu(block.bn3(block.conv3(inner)) + block.downsample(x))
    assert torch.allclose(block(x), expected, rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(architectures())
def test_every_parameter_gets_a_gradient(architecture: Architecture) -> None:
    module = build(architecture)
    logits = module(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, architecture.classes)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_weights_come_from_the_seed_and_from_nothing_else() -> None:
    network = parse("res2next20_2c4w3s_8p")
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = build(network, seed=7).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    again, other = build(network, seed=7).state_dict(), build(network, seed=8).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_he_initialisation_has_the_variance_of_fan_out() -> None:
    weight = build("29d-1c-1s").layer3[0].conv1.weight
    expected = (2 / weight.shape[0]) ** 0.5
    # Standard error of a deviation over n normal draws is s / sqrt(2n): 6 of them.
    assert weight.std().item() == pytest.approx(expected, rel=6 / (2 * weight.numel()) ** 0.5)
