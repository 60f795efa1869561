"""The tables of Fig. 5: against the paper's networks, scipy, and errors that are known."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.questions.series import points, printed, summary
from analysis.runs.run import RunError, read_run
from search.space.members import members_of
from search.study.events import Started
from tests.analysis.studied import FIG5, write_run
from tests.search.spaces import resolved_of

REFERENCE = Path(__file__).parents[2] / "reference" / "fig5.csv"
# Points of accuracy that each dimension buys for each doubling of parameters.
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


def test_means_and_intervals_are_those_of_one_spread(tmp_path: Path) -> None:
    """Analysis of variance: 16 networks with 4 seeds leave 48 degrees of freedom."""
    found = points(read_run(write_run(tmp_path, noisy)))
    shown = summary(found)
    groups = found.groupby("name")["score"]
    spread = math.sqrt(((found["score"] - groups.transform("mean")) ** 2).sum() / 48)
    reach = stats.t.ppf(0.975, 48) * spread / 2
    assert shown.attrs["pooled"]
    for row in shown.itertuples():
        assert row.seeds == 4
        assert row.mean == pytest.approx(groups.mean()[row.name])
        assert (row.low, row.high) == pytest.approx((row.mean - reach, row.mean + reach))


def test_networks_that_spread_unlike_each_other_have_intervals_of_their_own(
    tmp_path: Path,
) -> None:
    """Of accuracies near 100 %, none of which reaches beyond."""

    def uneven(started: Started) -> float:
        wild = started.network().scale == 6
        return 1 + (started.repeat * (9.0 if wild else 0.1)) ** 1.1

    found = points(read_run(write_run(tmp_path, uneven)))
    shown = summary(found)
    assert not shown.attrs["pooled"]
    assert shown["high"].max() == 100
    tame = shown[shown["label"] == "2s"].iloc[0]
    values = found.loc[found["label"] == "2s", "score"]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (tame["low"], tame["high"]) == pytest.approx((expected.low, expected.high))


def test_one_seed_has_points_and_no_intervals(tmp_path: Path) -> None:
    text = FIG5.replace("seeds: 4", "seeds: 1")
    found = points(read_run(write_run(tmp_path, noisy, text=text)))
    assert summary(found)[["low", "high"]].isna().all(axis=None)


def test_trials_that_failed_are_left_aside(tmp_path: Path) -> None:
    def only_scale(started: Started) -> float | None:
        return None if dimension(started) == "cardinality" else noisy(started)

    run = read_run(write_run(tmp_path / "a", only_scale))
    assert "20 trials failed" in run.banner()
    assert set(points(run)["series"]) == {"base", "scale", "depth"}
    nothing = read_run(write_run(tmp_path / "b", lambda _: None))
    assert "no trial was trained to its end" in nothing.banner()
    with pytest.raises(RunError, match=r"no trial of the base network .*; its trials failed"):
        points(nothing)


def test_a_run_without_a_base_says_so(tmp_path: Path) -> None:
    text = FIG5.replace("sampler: axes, seeds: 4", "sampler: random, trials: 3")
    with pytest.raises(RunError, match="lacks the trait axes, so there is no base"):
        points(read_run(write_run(tmp_path, noisy, text=text)))


def test_squeeze_and_excitation_and_skeletons_are_no_base(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: 24\n  se: [false, true]")
    found = points(read_run(write_run(tmp_path / "se", noisy, text=text)))
    for series in ("base", "se"):
        assert len(found[found["series"] == series]["name"].unique()) == 1
    stacks = FIG5.replace(
        "  depth: [29, 56, 83, 110, 137, 164]", "  skeleton: [cifar29, imagenet50]"
    )
    stacks = stacks.replace("axes, seeds: 4", "axes, seeds: 1, base: {skeleton: imagenet}")
    run = read_run(write_run(tmp_path / "stacks", lambda s: 30.0, text=stacks))
    assert set(points(run)["series"]) == {"base", "scale", "cardinality"}


def test_only_the_paper_s_printed_points_are_marked(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "a", noisy))
    found = printed(run, points(run))
    assert dict(zip(found["label"], found["score"], strict=True)) == {
        "4s": pytest.approx(83.02),
        "6s": pytest.approx(83.21),
    }
    tiny = FIG5.replace("network:", "network:\n  planes: 32")
    run = read_run(write_run(tmp_path / "b", noisy, text=tiny))
    assert printed(run, points(run)).empty
    other = FIG5.replace("cifar100", "cifar10")
    run = read_run(write_run(tmp_path / "c", noisy, text=other))
    assert printed(run, points(run)).empty, "the paper's are of CIFAR-100"


def test_at_constant_cost_the_solved_dimension_is_no_series(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: fill").replace(
        "data:", "budget: {macs: {max: 2.0G, min: 1.5G}}\ndata:"
    )
    found = points(read_run(write_run(tmp_path, lambda s: 30.0 - s.repeat, text=text)))
    assert "width" not in set(found["series"])
    assert {"base", "scale"} <= set(found["series"])


BLOCKS = """\
study: blocks
network: {planes: 2, depth: [[3, 3, 3], [2, 3, 4], [4, 3, 2]], scale: [1, 2, 3], width: 2}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: axes, seeds: 2}
"""


def test_stages_of_equally_many_layers_are_a_series_of_their_own(tmp_path: Path) -> None:
    """Each has 29 layers, as the base has."""
    run = read_run(write_run(tmp_path, noisy, text=BLOCKS))
    found = points(run)
    assert {*found["series"]} == {"base", "scale", "depth"}
    assert {*found.loc[found["series"] == "depth", "label"]} == {"2.3.4d", "4.3.2d"}
    assert found.loc[found["series"] == "depth", "multiplier"].isna().all(), "of the base"
    assert found.loc[found["series"] == "base", "name"].nunique() == 1
    assert found.attrs["varied"] == ("scale", "depth")
    planned = members_of(resolved_of(tmp_path, BLOCKS).survey)
    assert {(one.name, one.series, one.label) for one in planned if one.series != "base"} == {
        (row.name, row.series, row.label)
        for row in found.itertuples(index=False)
        if row.series != "base"
    }
