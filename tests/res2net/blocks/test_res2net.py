"""The Res2Net block: the paper's equation, and what it is at scale 1."""

import copy

import pytest
import torch
from torch import Tensor, nn

from res2net.blocks.base import FirstBlock, Position, Shape
from res2net.blocks.res2net.modules import Res2NetBlock


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
        Res2NetBlock(Shape(width // 2, scale, cardinality=2), Position(16, 16)).double().eval()
    )
    x = torch.randn(2, 16, 9, 9, dtype=torch.float64)
    splits = list(torch.relu(block.bn1(block.conv1(x))).split(width, 1))
    outs = equation_1(block, [splits[-1], *splits[:-1]])
    joined = torch.cat([*outs[1:], outs[0]], 1)
    expected = torch.relu(block.bn3(block.conv3(joined)) + x)
    assert torch.allclose(block(x), expected, rtol=0, atol=1e-12)


def test_scale_1_is_the_resnext_bottleneck() -> None:
    torch.manual_seed(0)
    block = Res2NetBlock(Shape(2, scale=1, cardinality=4), Position(16, 16)).eval()
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
        Shape(3, scale=4, cardinality=2, first_block=first_block),
        Position(8, 16, stride),
        nn.Conv2d(8, 16, 1, stride),
    ).double()
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
