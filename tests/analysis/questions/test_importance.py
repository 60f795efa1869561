"""What matters in a space: laws that are known, and refusals where it would mislead."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.plots.space import (
    draw_distributions,
    draw_importance,
    draw_marginals,
    draw_parallel,
)
from analysis.questions.distribution import best_ranges, distributions
from analysis.questions.importance import importance
from analysis.questions.marginals import best_by_value, marginals
from analysis.runs.networks import averaged
from analysis.runs.run import RunError, read_run
from search.study.events import Started
from tests.analysis.studied import write_run

SPACE = """\
# Which dimension matters?
study: known
network:
  depth: [20, 29, 38]
  cardinality: [1, 2, 4]
  scale: [1, 2, 3]
  width: [4, 8, 16]
data: {name: cifar100, validation: 5000}
training: {epochs: 2}
search: {sampler: random, trials: 40}
"""


def by_scale(started: Started) -> float:
    """Scale accounts for nearly all, cardinality for a little, the rest for nothing."""
    network = started.network()
    assert isinstance(network.scale, int)
    assert isinstance(network.cardinality, int)
    luck = float(np.random.default_rng(started.macs).normal(0, 0.1))
    return 50 - 4 * network.scale + 0.3 * network.cardinality + luck


def test_the_dimension_that_makes_the_errors_is_found(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    table = importance(run, rng=np.random.default_rng(0), resamples=8)
    for evaluator in ("fANOVA", "PED-ANOVA"):
        rows = table[table["evaluator"] == evaluator].set_index("dimension")
        assert set(rows.index) == {"depth", "width", "scale", "cardinality"}
        assert rows.index[0] == "scale"
    fanova = table[table["evaluator"] == "fANOVA"].set_index("dimension")["share"]
    # Of variances 16 * 2/3, 0.09 * 14/9 and 0.01 of luck; the shares leave luck aside.
    assert fanova["scale"] == pytest.approx(10.667 / (10.667 + 0.14), abs=0.01)
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    assert not table.attrs["warning"]
    again = importance(run, rng=np.random.default_rng(0), resamples=8)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("sampler: random", "sampler: tpe", "its sampler was tpe, which looks at results"),
        ("sampler: random, trials: 40", "sampler: axes", "no combinations to explain"),
        ("trials: 40", "trials: 11", "11 networks were trained whole, and it takes 12"),
        (
            "search:",
            "scheduler: {name: asha, grace: 1}\nsearch:",
            "trials were stopped early",
        ),
    ],
)
def test_where_it_would_mislead_it_is_refused_unless_asked(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = SPACE.replace(old, new)
    run = read_run(write_run(tmp_path, by_scale, text=text, epochs=1))
    with pytest.raises(RunError, match=reason):
        importance(run, rng=np.random.default_rng(0))
    if "axes" not in new:
        if "trials: 11" not in new:
            with pytest.raises(RunError, match=f"no sample of the space: .*{reason}"):
                distributions(run, rng=np.random.default_rng(0))
        table = importance(run, rng=np.random.default_rng(0), resamples=2, anyway=True)
        assert reason in table.attrs["warning"]


def test_equal_errors_and_no_trials_are_refused(tmp_path: Path) -> None:
    equal = read_run(write_run(tmp_path / "a", lambda _: 50.0, text=SPACE))
    with pytest.raises(RunError, match="all networks have the same error"):
        importance(equal, rng=np.random.default_rng(0))
    nothing = read_run(write_run(tmp_path / "b", lambda _: None, text=SPACE))
    for anyway in (False, True):
        with pytest.raises(RunError, match="0 networks were trained whole"):
            importance(nothing, rng=np.random.default_rng(0), anyway=anyway)


def test_seeds_of_a_network_are_averaged(tmp_path: Path) -> None:
    text = SPACE.replace("trials: 40", "trials: 6, seeds: 3")
    run = read_run(write_run(tmp_path, lambda s: 50.0 + s.repeat, text=text))
    networks = averaged(run)
    assert networks["seeds"].tolist() == [3] * 6
    assert networks["val_error_pct"].tolist() == [52.0] * 6
    assert networks["test_error_pct"].tolist() == [51.0] * 6


def test_marginals_are_means_with_scipy_s_intervals(tmp_path: Path) -> None:
    networks = averaged(read_run(write_run(tmp_path, by_scale, text=SPACE)))
    table = marginals(networks)
    best = best_by_value(networks)
    for row in table.itertuples():
        values = networks[networks[str(row.dimension)] == row.value]["val_error_pct"]
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        assert row.mean == pytest.approx(values.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
        same = best[(best["dimension"] == row.dimension) & (best["value"] == row.value)]
        assert same["val_error_pct"].item() == values.min()
    assert table.groupby("dimension")["networks"].sum().eq(40).all()


def test_many_values_stand_in_bins(tmp_path: Path) -> None:
    text = SPACE.replace("[4, 8, 16]", "{from: 4, to: 43}")
    networks = averaged(read_run(write_run(tmp_path, by_scale, text=text)))
    rows = marginals(networks)
    widths = rows[rows["dimension"] == "width"]
    assert 4 <= len(widths) <= 8
    assert widths["networks"].sum() == 40
    assert all(" to " in str(value) for value in widths["value"])


def test_the_figures_show_what_the_tables_hold(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    networks = averaged(run)
    table = importance(run, rng=np.random.default_rng(0), resamples=2)
    bars = draw_importance(table, title="known").axes[0].patches
    assert sorted(bar.get_width() for bar in bars) == pytest.approx(sorted(table["share"]))  # type: ignore[attr-defined]  # bars are rectangles
    assert len(draw_marginals(marginals(networks), title="known").axes) == 4
    lines = draw_parallel(networks, ("depth", "scale", "macs"), title="known").axes[0].lines
    assert len(lines) == 40 + 3, "a line a network, and one an axis"
    nothing = draw_parallel(networks.iloc[:0], ("depth",), title="nothing")
    assert "no dimension varied" in nothing.axes[0].texts[0].get_text()


def test_the_distribution_of_errors_is_counted(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "a", by_scale, text=SPACE))
    networks, table = averaged(run), distributions(run, rng=np.random.default_rng(0))
    plain = table[table["kind"] == "as sampled"]
    errors = networks["val_error_pct"].to_numpy()
    expected = stats.ecdf(errors).cdf
    assert plain["error"].tolist() == expected.quantiles.tolist()
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
    assert len(draw_distributions(table, title="known").axes[0].lines) == 2


def test_the_best_networks_have_the_largest_scale(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    ranges = best_ranges(run, rng=np.random.default_rng(0)).set_index("dimension")
    assert tuple(ranges.loc["scale", ["median", "high"]]) == (3, 3)
    assert ranges.loc["scale", "low"] >= 2, "one quarter in sixty has none of scale 3"
    assert ranges.loc["depth", "low"] < ranges.loc["depth", "high"]
    assert {"macs", "params"} <= set(ranges.index)
