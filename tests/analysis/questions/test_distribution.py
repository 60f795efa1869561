"""The distribution of scores against scipy's, and where the best networks lie."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.cards.space import distribution
from analysis.plots.space import draw_distributions
from analysis.questions.distribution import best_ranges, distributions
from analysis.runs.networks import averaged
from analysis.runs.run import read_run
from tests.analysis.made import made, network
from tests.analysis.questions.test_importance import SPACE, by_scale
from tests.analysis.questions.test_sampling import tried
from tests.analysis.studied import write_run


def test_the_distribution_of_errors_is_counted(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "a", by_scale, text=SPACE))
    networks, table = averaged(run), distributions(run, rng=np.random.default_rng(0))
    plain = table[table["kind"] == "as sampled"]
    errors = networks["val"].to_numpy()
    expected = stats.ecdf(errors).cdf
    assert plain["value"].tolist() == expected.quantiles.tolist()
    assert plain["fraction"].to_numpy() == pytest.approx(expected.probabilities)
    assert (plain["high"] - plain["fraction"]).max() == pytest.approx(
        math.sqrt(math.log(2 / 0.05) / 80)
    )
    assert set(table["kind"]) == {"as sampled", "multiply-adds uniform"}
    few = read_run(write_run(tmp_path / "b", by_scale, text=SPACE, stop_after=4))
    found = distributions(few, rng=np.random.default_rng(0))
    assert set(found["kind"]) == {"as sampled"}, "too few for bins of complexity"
    one = read_run(write_run(tmp_path / "c", by_scale, text=SPACE, stop_after=1))
    assert distributions(one, rng=np.random.default_rng(0)).empty
    assert len(draw_distributions(table, run.ranking, title="known").axes[0].lines) == 2


def test_where_all_candidates_were_tried_nothing_is_left_to_chance(tmp_path: Path) -> None:
    run = tried(tmp_path)
    table = distributions(run, rng=np.random.default_rng(0))
    assert table[["low", "high"]].isna().all(axis=None)
    (shown,) = distribution(run).shown
    assert "there is no sampling error" in shown.caption
    assert "band" not in shown.caption


def test_the_best_networks_have_the_largest_scale(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    ranges = best_ranges(run).set_index("dimension")
    assert tuple(ranges.loc["scale", ["median", "high"]]) == (3, 3)
    assert ranges.loc["scale", "low"] >= 2, "one quarter in sixty has none of scale 3"
    assert ranges.loc["depth", "low"] < ranges.loc["depth", "high"]
    assert {"macs", "params"} <= set(ranges.index)


def test_of_a_metric_that_is_to_be_large_more_is_better(tmp_path: Path) -> None:
    rows = [{"network": network(w), "metrics": {"val_score": w / 10}} for w in (1, 2, 3)]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored")
    table = distributions(run, rng=np.random.default_rng(0))
    assert table["value"].tolist() == [0.3, 0.2, 0.1], "from the best"
    assert table["fraction"].tolist() == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_large_metric_is_best_where_it_is_largest(tmp_path: Path) -> None:
    rows = [{"network": network(w), "metrics": {"val_score": w / 10}} for w in range(1, 9)]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored")
    ranges = best_ranges(run).set_index("dimension")
    assert ranges.loc["width", "high"] == 8
