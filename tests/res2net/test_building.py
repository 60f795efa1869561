"""The built module: the paper's equation, its gradients, its seeds."""

import copy

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from res2net import Architecture, build, parse
from res2net.block import Res2NetBlock
from res2net.skeletons import FirstBlock
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
        Res2NetBlock(channels=16, out=16, width=width, scale=scale, cardinality=2)
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
    block = Res2NetBlock(channels=16, out=16, width=8, scale=1, cardinality=4).eval()
    plain = nn.Sequential(
        block.conv1, block.bn1, nn.ReLU(), block.conv2, block.bn2, nn.ReLU(), block.conv3,
        block.bn3,
    )  # fmt: skip
    assert block.conv2.groups == 4
    x = torch.randn(2, 16, 5, 5)
    assert torch.equal(block(x), torch.relu(plain(x) + x))


@pytest.mark.parametrize("first_block", ["all", "pool"])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_that_opens_a_stage_convolves_each_split_by_itself(
    stride: int, first_block: FirstBlock
) -> None:
    """Computed as one grouped convolution, and equal to the separate ones it stands for."""
    block = Res2NetBlock(
        channels=8, out=16, width=6, scale=4, cardinality=2, stride=stride,
        first_block=first_block, shortcut=nn.Conv2d(8, 16, 1, stride),
    ).double()  # fmt: skip
    x = torch.randn(2, 8, 9, 9, dtype=torch.float64)
    state = copy.deepcopy(block.state_dict())
    splits = torch.relu(copy.deepcopy(block.bn1)(block.conv1(x))).split(6, 1)
    outs, norms = [], []
    for part in range(4 if first_block == "all" else 3):
        conv = nn.Conv2d(6, 6, 3, stride, padding=1, groups=2, bias=False).double()
        conv.load_state_dict({"weight": state[f"convs.{part}.weight"]})
        norm = nn.BatchNorm2d(6).double()
        norm.load_state_dict({key: state[f"bns.{part}.{key}"] for key in norm.state_dict()})
        norms.append(norm)
        outs.append(torch.relu(norm(conv(splits[part]))))
    if first_block == "pool":
        outs.append(nn.AvgPool2d(3, stride, 1)(splits[3]))
    joined = block.conv3(torch.cat(outs, 1))
    expected = torch.relu(copy.deepcopy(block.bn3)(joined) + block.downsample(x))
    assert torch.allclose(block(x), expected, rtol=0, atol=1e-12)
    after = block.state_dict()
    for part, norm in enumerate(norms):
        for key, value in norm.state_dict().items():
            assert torch.allclose(after[f"bns.{part}.{key}"], value, rtol=0, atol=1e-12)


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
