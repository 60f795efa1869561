"""Contrasts: weights that add up to 0, curves read through networks, groups of sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.design.contrasts import (
    ALL_SIZES,
    Member,
    along_axes,
    equal_size,
    pairs,
    slopes,
    why_not_equal_size,
)


def members(sizes: dict[str, list[float]]) -> list[Member]:
    return [
        Member(f"{series}-{i}", series, f"{series[0]}{i}", int(size * 1e6), int(size * 2e6))
        for series, row in sizes.items()
        for i, size in enumerate(row)
    ]


SIZES = {"base": [7.0], "scale": [12, 18, 24, 31, 37], "depth": [14, 20, 27, 34, 40]}


@given(
    scale=st.lists(st.integers(8, 90), min_size=1, max_size=7, unique=True),
    depth=st.lists(st.integers(9, 90), min_size=1, max_size=7, unique=True),
)
def test_weights_add_up_to_nothing_and_read_a_curve_exactly(
    scale: list[int], depth: list[int]
) -> None:
    """So that seeds cancel, and scores that follow one line in log size never differ."""
    networks = members({"base": [7.0], "scale": sorted(scale), "depth": sorted(depth)})
    line = {one.name: 3 * np.log(one.params) + 1 for one in networks}
    for contrast in along_axes(networks):
        assert sum(contrast.weights.values()) == pytest.approx(0, abs=1e-7)
        if contrast.size:
            assert max(map(abs, contrast.weights.values())) <= 1.5, "noise is not multiplied"
        read = sum(weight * line[name] for name, weight in contrast.weights.items())
        if contrast.kind != "slope":
            assert read == pytest.approx(0, abs=1e-5)
        elif contrast.against:
            assert read == pytest.approx(0, abs=1e-5), "both rise alike"
        else:
            assert read == pytest.approx(3 * np.log(2)), "by a doubling"


def test_sizes_that_differ_by_rounding_are_read_at_the_mean_of_their_series() -> None:
    """As where one dimension is solved for the budget: they say nothing about size."""
    networks = members({"base": [100.0], "scale": [101, 103], "depth": [99.7, 102.5, 103.9]})
    (mean,) = [
        one
        for one in equal_size(networks, size="macs")
        if (one.against, one.label) == ("depth", ALL_SIZES)
    ]
    depth = [one.name for one in networks if one.series in ("depth", "base")]
    assert [mean.weights[name] for name in depth] == pytest.approx([-0.25] * 4)


def test_small_middle_and_large_networks_are_groups() -> None:
    found = equal_size(members(SIZES))
    labels = [one.label for one in found if one.kind == "group"]
    assert labels == ["s0", "s1 and s2", "s3 and s4", ALL_SIZES]
    assert [one.label for one in found if one.kind == "network"] == [
        "s0",
        "s1",
        "s2",
        "s3",
        "s4",
    ]
    two = equal_size(members({"base": [7.0], "scale": [12, 18], "depth": [14, 20]}))
    assert [one.label for one in two if one.kind == "group"] == [ALL_SIZES]


def test_nothing_is_read_beyond_the_other_series() -> None:
    networks = members({"base": [7.0], "scale": [12, 60], "depth": [14, 20]})
    assert [one.label for one in equal_size(networks) if one.kind == "network"] == ["s0"]
    far = members({"base": [7.0], "scale": [60], "depth": [14]})
    assert equal_size(far) == []
    why = why_not_equal_size(far, "scale", "depth", size="params")
    assert why == "no size along scale lies within those along depth"
    assert "no network along scale" in why_not_equal_size(
        members({"base": [7.0], "depth": [14]}), "scale", "depth", size="params"
    )
    assert "not two networks along depth" in why_not_equal_size(
        members({"base": [7.0], "scale": [14]}), "scale", "depth", size="params"
    )


def test_sizes_on_both_sides_of_the_other_series_are_a_reason() -> None:
    """Those of scale reach below and beyond depth's, and none lies inside."""
    networks = members({"base": [100.0], "scale": [40, 250], "depth": [130]})
    assert equal_size(networks) == []
    why = why_not_equal_size(networks, "scale", "depth", size="macs")
    assert why == "no size along scale lies within those along depth"


@given(
    scale=st.lists(st.integers(1, 90), max_size=3, unique=True),
    depth=st.lists(st.integers(1, 90), max_size=3, unique=True),
    size=st.sampled_from(("params", "macs")),
)
def test_no_series_is_left_out_without_a_reason(
    scale: list[int], depth: list[int], size: str
) -> None:
    networks = members({"base": [40.0], "scale": sorted(scale), "depth": sorted(depth)})
    planned = [one for one in equal_size(networks, size=size) if one.against == "depth"]
    why = why_not_equal_size(networks, "scale", "depth", size=size)
    assert bool(why) != bool(planned)


def test_slopes_of_series_of_one_size_do_not_exist() -> None:
    assert [
        one.of for one in slopes(members({"base": [7.0], "scale": [7.0], "depth": [12]}))
    ] == ["depth"]


def test_pairs_are_all_or_against_a_base() -> None:
    assert [one.label for one in pairs(["a", "b", "c"])] == [
        "a minus b",
        "a minus c",
        "b minus c",
    ]
    assert [one.label for one in pairs(["a", "b", "c"], base="b")] == ["a minus b", "c minus b"]
