"""The tables of Fig. 5: against the paper's networks, scipy, and errors that are known."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.runs import RunError, read_run
from analysis.series import (
    ALL_SIZES,
    comparisons,
    conclusion,
    points,
    printed,
    summary,
)
from search.records import Started
from tests.analysis.studied import FIG5, write_run

REFERENCE = Path(__file__).parents[1] / "reference" / "fig5.csv"
# Points of precision that each dimension buys for each doubling of parameters.
BUYS = {"scale": 3.0, "cardinality": 2.0, "depth": 1.0}


def dimension(started: Started) -> str:
    network = started.network()
    away = {"scale": network.scale != 1, "cardinality": network.cardinality != 6}
    return next((name for name, is_away in away.items() if is_away), "depth")


def known(started: Started, *, noise: float = 0.0) -> float:
    """Straight lines in log parameters from the base, and luck by network and seed."""
    doublings = math.log2(started.params / 7_010_660)
    luck = np.random.default_rng((started.macs, started.repeat)).normal(0, 1)
    return 30 - BUYS[dimension(started)] * doublings + noise * float(luck)


def noisy(started: Started) -> float:
    return known(started, noise=0.2)


def test_the_series_are_those_of_the_paper(tmp_path: Path) -> None:
    shown = summary(points(read_run(write_run(tmp_path, noisy))))
    with REFERENCE.open(encoding="utf-8") as file:
        expected = {row["label"]: row for row in csv.DictReader(file)}
    labels = {label.replace("29d-6c-24w-1s", "29d-6c-1s") for label in shown["label"]}
    assert labels == expected.keys()
    for row in shown.itertuples():
        paper = expected[str(row.label).replace("-24w", "")]
        assert row.series == paper["series"]
        assert row.params / 1e6 == pytest.approx(float(paper["params_m_100_classes"]), abs=1e-3)
        assert row.macs / 1e9 == pytest.approx(float(paper["gmacs"]), abs=1e-3)
    assert sorted(shown["multiplier"]) == [1.0] + [float(k) for k in range(2, 7) for _ in "sdc"]


def test_means_and_intervals_are_scipy_s(tmp_path: Path) -> None:
    found = points(read_run(write_run(tmp_path, noisy)))
    for row in summary(found).itertuples():
        values = found[found["name"] == row.name]["precision_pct"]
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert row.seeds == 4
        assert row.mean == pytest.approx(values.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("size", ["params", "macs"])
def test_known_differences_at_equal_parameters_are_found(tmp_path: Path, size: str) -> None:
    compared = comparisons(points(read_run(write_run(tmp_path, known))), size=size)
    for row in compared[compared["label"] != ALL_SIZES].itertuples():
        multiplier = int(str(row.label)[:-1])
        params = {2: 11.920, 3: 18.141, 4: 24.361, 5: 30.581, 6: 36.801}[multiplier] * 1e6
        gain = (3 - BUYS[str(row.against)]) * math.log2(params / 7_010_660)
        if size == "params":
            assert row.difference == pytest.approx(gain, abs=0.02), "straight lines are read"
        else:
            assert row.difference > 0
    assert set(compared["against"]) == {"cardinality", "depth"}


def test_single_comparisons_are_paired_t_tests_with_holm(tmp_path: Path) -> None:
    found = points(read_run(write_run(tmp_path, noisy)))
    compared = comparisons(found)
    by_seed = found.pivot_table(index="repeat", columns="label", values="precision_pct")
    at = found.drop_duplicates("label").set_index("label")["params"]
    below, above = np.log(at["56d"]), np.log(at["83d"])
    share = (np.log(at["3s"]) - below) / (above - below)
    other = by_seed["56d"] * (1 - share) + by_seed["83d"] * share
    expected = stats.ttest_rel(by_seed["3s"], other)
    row = compared[(compared["against"] == "depth") & (compared["label"] == "3s")].iloc[0]
    assert row["p"] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    single = compared[compared["label"] != ALL_SIZES]
    smallest = single["p"].idxmin()
    assert single.loc[smallest, "p_holm"] == pytest.approx(
        min(1, single["p"].min() * len(single))
    )
    assert (single["p_holm"] >= single["p"]).all()


def test_the_words_follow_the_numbers(tmp_path: Path) -> None:
    clear = conclusion(comparisons(points(read_run(write_run(tmp_path / "a", noisy)))))
    assert len(clear) == 2
    assert all("the data show that scale buys more" in words for words in clear)
    luck = write_run(tmp_path / "b", lambda s: 30 + float(
        np.random.default_rng((s.macs, s.repeat)).normal(0, 1)))  # fmt: skip
    unclear = conclusion(comparisons(points(read_run(luck))))
    assert all("the data do not show a difference" in words for words in unclear)
    worse = write_run(tmp_path / "c", lambda s: 60 - noisy(s))
    assert "scale buys less" in conclusion(comparisons(points(read_run(worse))))[0]


def test_one_seed_has_points_and_no_intervals_and_says_so(tmp_path: Path) -> None:
    text = FIG5.replace("seeds: 4", "seeds: 1")
    found = points(read_run(write_run(tmp_path, noisy, text=text)))
    assert summary(found)[["low", "high"]].isna().all(axis=None)
    compared = comparisons(found)
    assert len(compared) == 12
    assert compared["p_holm"].isna().all()
    assert all(
        "no interval, so it shows nothing yet" in words for words in conclusion(compared)
    )


def test_a_seed_that_is_not_complete_compares_nothing(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, noisy, stop_after=40))
    assert "40 of 64 trials have ended" in run.banner()
    found = points(run)
    assert set(summary(found)["seeds"]) == {2, 3}
    assert set(comparisons(found)["seeds"]) == {2}


def test_trials_that_failed_are_left_aside(tmp_path: Path) -> None:
    def only_scale(started: Started) -> float | None:
        return None if dimension(started) == "cardinality" else noisy(started)

    found = points(read_run(write_run(tmp_path / "a", only_scale)))
    assert set(found["series"]) == {"base", "scale", "depth"}
    assert set(comparisons(found)["against"]) == {"depth"}
    nothing = read_run(write_run(tmp_path / "b", lambda _: None))
    assert "no trial was trained to its end" in nothing.banner()
    with pytest.raises(RunError, match=r"no trial of the base network .* has ended"):
        points(nothing)


def test_only_the_paper_s_printed_points_are_marked(tmp_path: Path) -> None:
    found = printed(points(read_run(write_run(tmp_path / "a", noisy))))
    assert dict(zip(found["label"], found["precision_pct"], strict=True)) == {
        "4s": pytest.approx(83.02),
        "6s": pytest.approx(83.21),
    }
    tiny = FIG5.replace("network:", "network:\n  planes: 32")
    assert printed(points(read_run(write_run(tmp_path / "b", noisy, text=tiny)))).empty


def test_at_constant_cost_the_solved_dimension_is_no_series(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: fill").replace(
        "data:", "budget: {macs: {max: 2.0G, min: 1.5G}}\ndata:"
    )
    found = points(read_run(write_run(tmp_path, lambda s: 30.0 - s.repeat, text=text)))
    assert "width" not in set(found["series"])
    assert {"base", "scale"} <= set(found["series"])
