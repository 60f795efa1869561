"""The effective depth against the shortest path of the module that is built."""

import pytest
import torch
from torch import fx, nn

from res2net import Architecture, build, parse
from res2net.receptive import effective_depth


def shortest(module: nn.Module) -> int:
    """Layers with weights, sums and concatenations on the shortest path, as torch traces it."""
    depth: dict[fx.Node, int] = {}
    graph = fx.symbolic_trace(module).graph
    modules = dict(module.named_modules())
    for node in graph.nodes:
        before = [depth[one] for one in node.all_input_nodes if one in depth]
        if not before and node.op != "placeholder":
            continue  # a constant
        inside = modules.get(str(node.target)) if node.op == "call_module" else None
        weights = isinstance(inside, nn.Conv2d | nn.Linear)
        joins = len(before) > 1
        depth[node] = (min(before) if before else 0) + (weights or joins)
    return depth[next(node for node in graph.nodes if node.op == "output")]


@pytest.mark.parametrize(
    "name",
    [
        "res2next29_6c24w4s",
        "resnext29_8c64w",
        pytest.param("res2net50_26w_4s", marks=pytest.mark.slow),  # the others cover its blocks
        pytest.param("res2net_v1b_101_26w_4s", marks=pytest.mark.slow),
        "res2net_dla60",
        "bLRes2Net-50",
    ],
)
def test_the_effective_depth_is_that_of_the_shortest_path_of_the_module(name: str) -> None:
    architecture = parse(name)
    with torch.device("meta"):
        module = build(architecture)
    assert effective_depth(architecture) == shortest(module)


@pytest.mark.parametrize(("depth", "counted"), [(11, 8), (20, 11), (29, 14), (56, 23)])
def test_a_block_counts_one_addition_and_a_projection_counts_as_well(
    depth: int, counted: int
) -> None:
    blocks = (depth - 2) // 3
    assert effective_depth(Architecture(skeleton="cifar", depth=depth)) == counted
    assert counted == 1 + blocks + 3 + 1, "stem, additions, three projections, classifier"
