"""The values of the dimensions: means with scipy's intervals, and the best of each."""

from pathlib import Path

import pytest
from scipy import stats

from analysis.questions.marginals import best_by_value, marginals
from analysis.runs.networks import averaged
from analysis.runs.run import read_run
from tests.analysis.made import made, network
from tests.analysis.questions.test_importance import SPACE, by_scale
from tests.analysis.studied import write_run


def test_seeds_of_a_network_are_averaged(tmp_path: Path) -> None:
    text = SPACE.replace("trials: 40", "trials: 6, seeds: 3")
    run = read_run(write_run(tmp_path, lambda s: 50.0 + s.repeat, text=text))
    networks = averaged(run)
    assert networks["seeds"].tolist() == [3] * 6
    assert networks["val"].tolist() == [52.0] * 6
    assert networks["test"].tolist() == [51.0] * 6


def test_marginals_are_means_with_scipy_s_intervals(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    networks, table, best = averaged(run), marginals(run), best_by_value(run)
    for row in table.itertuples():
        values = networks[networks[str(row.dimension)] == row.value]["val"]
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        assert row.mean == pytest.approx(values.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
        same = best[(best["dimension"] == row.dimension) & (best["value"] == row.value)]
        assert same["val"].item() == values.min()
    assert table.groupby("dimension")["networks"].sum().eq(40).all()


def test_many_values_stand_in_bins(tmp_path: Path) -> None:
    text = SPACE.replace("[4, 8, 16]", "{from: 4, to: 43}")
    rows = marginals(read_run(write_run(tmp_path, by_scale, text=text)))
    widths = rows[rows["dimension"] == "width"]
    assert 4 <= len(widths) <= 8
    assert widths["networks"].sum() == 40
    assert all(" to " in str(value) for value in widths["value"])


def test_of_many_values_of_each_stage_the_rarest_are_one(tmp_path: Path) -> None:
    """13 scales, the first two of two networks each: 11 stand for themselves, two together."""
    scales = [(a, b, c) for a in (1, 2, 3) for b in (1, 2, 3) for c in (1, 2, 3)][1:15]
    scales.remove((2, 2, 2))
    shapes = [(width, scale) for width in (1, 2) for scale in scales[: 13 if width == 1 else 2]]
    rows = [
        {"network": network(width, scale=scale), "val_error": 50.0 + place, "test_error": 9.0}
        for place, (width, scale) in enumerate(shapes)
    ]
    table = marginals(made(tmp_path, rows))
    counts = table[table["dimension"] == "scale"].set_index("value")["networks"]
    assert (len(counts), counts["others"], counts.sum()) == (12, 2, 15)
    assert counts[["1.1.2", "1.1.3"]].tolist() == [2, 2]


def test_the_best_of_a_metric_that_is_to_be_large_is_the_largest(tmp_path: Path) -> None:
    rows = [
        {"network": network(width, scale=scale), "metrics": {"val_score": float(width + scale)}}
        for width in (1, 2)
        for scale in (1, 2)
    ]
    run = made(tmp_path, rows, "search.trials=4", "task=tests.analysis.foreign:Scored")
    best = best_by_value(run).set_index(["dimension", "value"])["val"]
    assert best.to_dict() == {
        ("width", 1): 3.0, ("width", 2): 4.0, ("scale", 1): 3.0, ("scale", 2): 4.0,
    }  # fmt: skip
