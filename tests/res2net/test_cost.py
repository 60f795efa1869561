"""Counted cost against the built module, torch's own counter, and other counters."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from res2net import Architecture, build, cost, parse
from res2net.cost import Dimensions, costs
from tests.res2net.strategies import architectures


def counted_by_torch(architecture: Architecture, side: int) -> tuple[int, int, int]:
    """Parameters, MACs and activations that torch sees on the meta device."""
    module = build(architecture, device="meta").eval()
    outputs: list[int] = []
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            part.register_forward_hook(lambda *call: outputs.append(call[2].numel()))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, 3, side, side, device="meta"))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return sum(p.numel() for p in module.parameters()), flops // 2, sum(outputs)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(architectures(), st.integers(8, 70))
def test_cost_is_what_torch_counts_to_the_unit(architecture: Architecture, side: int) -> None:
    assert cost(architecture, image_size=side) == counted_by_torch(architecture, side)


@pytest.mark.parametrize("name", ["Res2Net-101-26w-4s", "29d-6c-6s", "Res2Net-v1b-50"])
def test_cost_of_published_networks_is_what_torch_counts(name: str) -> None:
    network = parse(name)
    assert cost(network) == counted_by_torch(network, network.image_size)


def test_fvcore_agrees_once_its_normalisation_is_taken_out() -> None:
    fvcore = pytest.importorskip("fvcore.nn")
    network = parse("29d-2c-3s")
    counter = fvcore.FlopCountAnalysis(build(network).eval(), torch.zeros(1, 3, 32, 32))
    counter.unsupported_ops_warnings(enabled=False)
    by_operator = counter.by_operator()
    assert cost(network).macs == by_operator["conv"] + by_operator["linear"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(architectures(), st.data())
def test_a_grid_is_counted_as_its_members_are(base: Architecture, data: st.DataObject) -> None:
    sizes = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
    widths, scales, cardinalities = data.draw(sizes), data.draw(sizes), data.draw(sizes)
    grid = costs(
        base,
        Dimensions(
            blocks=base.blocks,
            width=np.array(widths)[:, None, None],
            scale=np.array(scales)[:, None],
            cardinality=np.array(cardinalities),
            se=int(base.se),
        ),
        image_size=32,
    )
    for index in np.ndindex(grid.macs.shape):
        member = Architecture(
            skeleton=base.skeleton,
            depth=base.depth,
            planes=base.planes,
            width=widths[index[0]],
            scale=scales[index[1]],
            cardinality=cardinalities[index[2]],
            se=base.se,
            version=base.version,
            first_block=base.first_block,
            classes=base.classes,
        )
        assert tuple(int(total[index]) for total in grid) == cost(member, image_size=32)
