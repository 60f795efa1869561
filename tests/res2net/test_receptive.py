"""Paths counted against built modules in which every path leaves a mark of its own."""

import json
from collections import Counter
from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from res2net import Architecture, ArchitectureError, build, parse
from res2net.__main__ import main
from res2net.blocks import BLOCKS, block_of
from res2net.blocks.base import FirstBlock, Position, Shape
from res2net.receptive import binned, block_paths, network_paths, summary
from res2net.skeletons.dla.modules import Root
from tests.res2net.strategies import architectures

pytestmark = pytest.mark.usefixtures("one_thread")

Pool = nn.MaxPool2d | nn.AvgPool2d


class Tap(nn.Module):
    """A pooling layer of which the first row's last tap is left."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = pool.kernel_size, pool.stride, pool.padding

    def forward(self, x: Tensor) -> Tensor:
        near, far = self.padding, self.kernel - 1 - self.padding
        x = nn.functional.pad(x, (near, far, near, far))
        rows = x[:, :, : x.shape[2] - self.kernel + 1 : self.stride]
        return rows[..., self.kernel - 1 :: self.stride]


def mark_paths(module: nn.Module) -> None:
    """Leave a kernel its first row's last tap, and let channels multiply nothing.

    What a pixel put out takes from the image by one path is then one pixel: the path's first
    taps say how far up it is, the last ones how far to the right. Up and right together make
    the receptive field.
    """
    replace_pools(module)
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.zeros_(part.weight)
            part.weight.data[:, :, 0, -1] = 1 / part.weight.shape[1]
        elif isinstance(part, nn.BatchNorm2d):
            part.eps = 0.0
        elif isinstance(part, Root):
            part.register_forward_pre_hook(add_up_inputs)
    for part in module.modules():
        if hasattr(part, "conv3"):  # the end of a block of ours
            part.conv3.weight.data.fill_(
                1 / part.width
            )  # the mean of a split, all splits added


def replace_pools(module: nn.Module) -> None:
    for part in list(module.modules()):
        for name, child in part.named_children():
            if isinstance(child, Pool):
                part.add_module(name, Tap(child))


def add_up_inputs(root: Root, inputs: tuple[list[Tensor]]) -> None:
    """The mean of each input of a concatenation, all inputs added."""
    shares = [torch.full((x.shape[1],), 1 / x.shape[1]) for x in inputs[0]]
    root.conv.weight.data[:] = torch.cat(shares)[:, None, None]


def marked(features: Tensor, x: Tensor) -> dict[int, int]:
    """Paths by receptive field, read off the gradient of one pixel at the lower left."""
    stride, row, column = x.shape[2] // features.shape[2], features.shape[2] - 2, 1
    (gradient,) = torch.autograd.grad(features[0, 0, row, column], x)
    counts: Counter[int] = Counter()
    seen = gradient[0].sum(0)
    for up, right in seen.nonzero().tolist():
        counts[row * stride - up + right - column * stride + 1] += seen[up, right].item()
    whole = {field: round(count) for field, count in sorted(counts.items())}
    assert whole == pytest.approx(counts, rel=1e-12)
    return whole


def ones(channels: int, side: int) -> Tensor:
    """An image in which no ReLU is ever closed."""
    return torch.ones(1, channels, side, side, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("scale", range(1, 9))
@pytest.mark.parametrize(
    ("out", "first_block"), [(1, "pool"), (2, "pool"), (2, "all")], ids=str
)
def test_a_block_has_as_many_paths_as_a_pixel_takes(
    scale: int, out: int, first_block: FirstBlock, block: str
) -> None:
    opens = out != 1
    module = block_of(block).make_module(
        Shape(1, scale, first_block=first_block),
        Position(1, out),
        nn.Conv2d(1, out, 1, bias=False) if opens else None,
    )
    mark_paths(module.double().eval())
    x = ones(1, 20)
    assert marked(module(x), x) == block_paths(scale, opens=opens, block=block)


@pytest.mark.parametrize("scale", range(1, 9))
def test_a_block_has_the_paths_of_the_closed_form(scale: int) -> None:
    hierarchy = scale * (scale - 1) // 2
    assert sum(block_paths(scale).values()) == (2 + hierarchy if scale > 1 else 2)
    assert sum(block_paths(scale, opens=True).values()) == scale + 1


NETWORKS = {
    "cifar": {"depth": (2, 1, 3), "scale": (3, 2, 4)},
    "cifar, scale 1, pool": {"depth": (1, 2, 1), "first_block": "pool"},
    "imagenet": {"depth": (2, 1, 2, 1), "scale": (4, 2, 3, 1), "cardinality": 2},
    "imagenet, v1b": {"depth": (1, 2, 1, 2), "scale": (1, 3, 2, 2), "version": "v1b"},
    "dla": {"depth": (1, 2, 3, 1), "scale": (2, 1, 2, 3)},
    "dla, deep first": {"depth": (2, 1, 1, 2), "scale": 2, "first_block": "all"},
    "biglittle": {"depth": (3, 2, 2, 2), "scale": (2, 1, 3, 2)},
    "imagenet, depthwise": {"depth": (1, 1, 2, 1), "scale": (2, 1, 3, 2), "block": "depthwise"},
    "biglittle, two little blocks": {"depth": (2, 13, 2, 1), "scale": (2, 1, 2, 1)},
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_has_as_many_paths_as_a_pixel_takes(kind: str) -> None:
    skeleton = kind.partition(",")[0]
    network = Architecture(skeleton=skeleton, planes=4, width=2, **NETWORKS[kind])
    module = build(network, features=(len(network.blocks),)).double().eval()
    mark_paths(module)
    stride, paths = network.facts.strides[-1], network_paths(network)
    x = ones(3, stride * (max(paths) // stride + 4))
    (features,) = module(x).values()
    assert marked(features, x) == paths


@settings(max_examples=60)
@given(architectures(skeletons=("cifar", "imagenet")))
def test_blocks_multiply_paths(network: Architecture) -> None:
    def total(stage: int) -> int:
        scale = network.scales[stage]
        inside = 2 + scale * (scale - 1) // 2 if scale > 1 else 2
        return (scale + 1) * inside ** (network.blocks[stage] - 1)

    stages = range(len(network.blocks))
    assert sum(network_paths(network).values()) == prod(map(total, stages))


@settings(max_examples=60)
@given(architectures(), st.integers(1, 30))
def test_nothing_is_lost_between_table_summary_and_bins(
    network: Architecture, bins: int
) -> None:
    paths = network_paths(network)
    assert list(paths) == sorted(paths)
    said = summary(paths)
    below = sum(count for field, count in paths.items() if field < said.median)
    upto = below + paths[said.median]
    assert 2 * below < said.paths <= 2 * upto
    assert said.smallest == min(paths) <= said.mean <= max(paths) == said.largest
    ranges = binned(paths, bins=bins)
    assert len(ranges) <= bins
    assert [r.low for r in ranges[1:]] == [r.high + 1 for r in ranges[:-1]]
    for low, high, count in ranges:
        assert count == sum(paths.get(field, 0) for field in range(low, high + 1))
    assert sum(r.paths for r in ranges) == said.paths


@settings(max_examples=30)
@given(architectures())
def test_width_cardinality_and_se_change_no_path(network: Architecture) -> None:
    other = replace(network, width=1, cardinality=1, se=not network.se)
    assert network_paths(other) == network_paths(network)


def test_the_summary_of_paths_beyond_any_float() -> None:
    said = summary({1: 10**400, 3: 10**400, 5: 2})
    assert (said.mean, said.median) == (pytest.approx(2.0), 3)


@pytest.mark.parametrize("scale", [0, -1, 2.0, True])
def test_a_scale_that_is_none_is_refused(scale: int) -> None:
    with pytest.raises(ArchitectureError, match=r"scale: .* write a number from 1 up"):
        block_paths(scale)


def test_the_command_prints_every_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Res2Net-50-26w-4s", "--receptive-fields"]) == 0
    said = capsys.readouterr().out
    assert "42,949,672,960,000 paths see 11 to 1131 pixels (mean 502.2, median 499)" in said
    assert "python -m analysis.inside.receptive res2net50_26w4s" in said
    rows = [[cell.strip() for cell in line.split("\N{BOX DRAWINGS LIGHT VERTICAL}")[1:-1]]
            for line in said.splitlines()]  # fmt: skip
    assert ["3", "3", "4"] in rows  # pixels; inside; opening
    counts = [row[1] for row in rows if row and " to " in row[0]]
    assert sum(int(count.replace(",", "")) for count in counts) == 42_949_672_960_000


def test_programs_get_exact_integers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["29d-6c-4s", "--receptive-fields", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    paths = network_paths(parse("29d-6c-4s"))
    assert {int(k): v for k, v in said["paths_by_receptive_field"].items()} == paths
    assert said["receptive_fields"] == summary(paths)._asdict()
    assert said["block_paths_by_receptive_field"] == [
        {"scale": 4, "opens": False, "paths": {"1": 2, "3": 3, "5": 2, "7": 1}},
        {"scale": 4, "opens": True, "paths": {"1": 1, "3": 4}},
    ]
    assert said["params"] > 0


def test_nothing_of_it_is_said_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["29d-6c-4s", "--json"]) == 0
    assert "receptive" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["--published", "--receptive-fields"])
    assert "--published takes no other option" in capsys.readouterr().err


def test_numbers_too_long_to_read_are_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Res2Net-v1b-101", "--receptive-fields"]) == 0
    said = capsys.readouterr().out
    assert "9.671e+28 paths see 43 to 2767 pixels" in said
    assert "< 0.01%" in said
    assert "> 99.99% of them 224 or more" in said
