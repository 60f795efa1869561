"""A benchmark that compares two different networks would be worth nothing."""

import argparse

import pytest
import torch

from res2net import Architecture, build

pytest.importorskip("timm")
block = pytest.importorskip("benchmarks.block")


def test_both_sides_are_one_network_with_one_set_of_weights() -> None:
    small = Architecture(
        depth=(1, 2, 1), planes=8, width=4, scale=3, cardinality=2, first_block="pool"
    )
    case = block.Case("small", lambda: build(small), lambda: block.stacked(small), 16, 4)
    asked = argparse.Namespace(quick=False, compiled=False, steps=2)
    rows = list(block.compare(case, asked, torch.device("cpu")))
    assert [(row.how, row.what) for row in rows] == [
        (f"{dtype} {layout} eager", what)
        for dtype in ("fp32", "bf16")
        for layout in ("contiguous", "channels_last")
        for what in ("forward", "forward+backward")
    ]
    assert all(row.difference < 1e-6 and len(row.ratios) == 2 for row in rows)
