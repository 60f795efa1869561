"""The depthwise-separable block against a hierarchy written out layer by layer.

Cost, paths, export and every skeleton: in the tests of the whole family, which draw it too.
"""

import pytest
import torch
from torch import Tensor, nn

from res2net import build, cost, parse
from res2net.blocks.base import Position, Shape
from res2net.blocks.depthwise.modules import DepthwiseBlock


def separable(layers: nn.Sequential, x: Tensor, width: int, groups: int) -> Tensor:
    """A depthwise 3x3, a pointwise 1x1, a norm and a ReLU after each."""
    depthwise, first, _, pointwise, second, _ = layers
    assert depthwise.weight.shape == (width, 1, 3, 3)
    assert pointwise.weight.shape == (width, width // groups, 1, 1)
    x = nn.functional.conv2d(x, depthwise.weight, padding=1, groups=width)
    x = nn.functional.conv2d(first(x).relu(), pointwise.weight, groups=groups)
    return second(x).relu()


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_block_is_a_hierarchy_of_separable_convolutions(scale: int) -> None:
    block = DepthwiseBlock(Shape(3, scale, cardinality=2), Position(16, 16)).double().eval()
    x = torch.randn(2, 16, 9, 9, dtype=torch.float64)
    splits = torch.relu(block.bn1(block.conv1(x))).split(6, 1)
    outs: list[Tensor] = []
    for layers, split in zip(block.mixers, splits, strict=False):
        outs.append(separable(layers, split + (outs[-1] if outs else 0), 6, 2))
    outs += splits[len(outs) :]
    assert len(block.mixers) == max(1, scale - 1)
    expected = torch.relu(block.bn3(block.conv3(torch.cat(outs, 1))) + x)
    assert torch.allclose(block(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_that_opens_a_stage_averages_its_last_split(stride: int) -> None:
    shortcut = nn.Conv2d(8, 16, 1, stride)
    block = DepthwiseBlock(Shape(3, 4), Position(8, 16, stride), shortcut).double().eval()
    x = torch.randn(2, 8, 9, 9, dtype=torch.float64)
    last = torch.relu(block.bn1(block.conv1(x)))[:, 9:]
    mixed = block._mix(torch.relu(block.bn1(block.conv1(x))))
    assert torch.allclose(mixed[:, 9:], nn.AvgPool2d(3, stride, 1)(last), rtol=0, atol=1e-12)


def test_it_is_written_in_names_and_taken_by_build() -> None:
    network = parse("Res2Net-50-26w-4s_depthwise")
    assert network.block == "depthwise"
    assert network.name == "res2net50_26w4s_depthwise"
    assert parse("Res2Net-50", block="depthwise") == network
    assert parse(network.name, block="res2net") == parse("Res2Net-50")
    assert cost("Res2Net-50", block="depthwise") == cost(network) < cost("Res2Net-50")
    module = build("Res2Net-50", block="depthwise", device="meta")
    assert isinstance(module.layer1[0], DepthwiseBlock)


def test_stored_weights_come_back() -> None:
    one, other = (build("res2net1.2.1_3w4s_4p_depthwise", seed=s) for s in (1, 2))
    other.load_state_dict(one.state_dict())
    x = torch.randn(1, 3, 9, 9)
    assert torch.equal(one.eval()(x), other.eval()(x))
