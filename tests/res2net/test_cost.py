"""Counted cost against the built module, torch's own counter, and other counters."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from res2net import Architecture, build, cost, parse
from res2net.blocks import BLOCKS
from res2net.cost import costs
from res2net.layout import Dimensions
from res2net.skeletons import SKELETONS
from tests.res2net.strategies import architectures


def counted_by_torch(
    architecture: Architecture, side: int | tuple[int, int], **form: Any
) -> tuple[int, int, int]:
    """Parameters, MACs and activations that torch sees, of whatever numbers the memory holds.

    The meta device computes none, but its counting takes three times as long.
    """
    module = build(architecture, device="meta", **form).to_empty(device="cpu").eval()
    sides = (side, side) if isinstance(side, int) else side
    outputs: list[int] = []
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            part.register_forward_hook(lambda *call: outputs.append(call[2].numel()))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, architecture.channels, *sides))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return sum(p.numel() for p in module.parameters()), flops // 2, sum(outputs)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("skeleton", SKELETONS)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.data(), st.integers(8, 70) | st.tuples(st.integers(8, 70), st.integers(8, 70)))
def test_cost_is_what_torch_counts_to_the_unit(
    skeleton: str, block: str, data: st.DataObject, side: int | tuple[int, int]
) -> None:
    """Every skeleton, per-stage dimensions, SE, v1b, output strides, with and without head."""
    family = architectures(largest=6, planes=3, skeletons=(skeleton,), blocks=(block,))
    network = data.draw(family)
    stages = range(1, len(SKELETONS[skeleton].stages) + 1)
    strides = SKELETONS[skeleton].output_strides
    form = {
        "features": data.draw(st.none() | st.sets(st.sampled_from(stages), min_size=1)),
        "output_stride": data.draw(st.none() | st.sampled_from(strides)),
    }
    assert cost(network, image_size=side, **form) == counted_by_torch(network, side, **form)


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


@settings(max_examples=25, deadline=None, derandomize=True)
@given(architectures(), st.data())
def test_a_grid_is_counted_as_its_members_are(base: Architecture, data: st.DataObject) -> None:
    """Arrays at some stages, numbers at others: one formula for both."""
    stages = len(base.blocks)
    sizes = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
    widths, scales, cardinalities = data.draw(sizes), data.draw(sizes), data.draw(sizes)
    stage = data.draw(st.integers(0, stages - 1))

    def at(values: Sequence[Any], value: Any) -> tuple[Any, ...]:
        return (*values[:stage], value, *values[stage + 1 :])

    grid = costs(
        base,
        Dimensions(
            blocks=base.blocks,
            width=(np.array(widths)[:, None, None],) * stages,
            scale=at(base.scales, np.array(scales)[:, None]),
            cardinality=at(base.cardinalities, np.array(cardinalities)),
            se=int(base.se),
        ),
        image_size=32,
    )
    for index in np.ndindex(grid.macs.shape):
        member = dataclasses.replace(
            base,
            width=widths[index[0]],
            scale=at(base.scales, scales[index[1]]),
            cardinality=at(base.cardinalities, cardinalities[index[2]]),
        )
        assert tuple(int(total[index]) for total in grid) == cost(member, image_size=32)
