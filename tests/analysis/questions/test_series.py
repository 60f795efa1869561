"""The tables of Fig. 5: against the paper's networks, scipy, and errors that are known."""

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.questions.equal_size import ALL_SIZES, comparisons, conclusion
from analysis.questions.series import points, printed, summary
from analysis.runs.run import RunError, read_run
from analysis.runs.scores import score_of
from search.schema.metrics import Objective
from search.study.events import Started
from tests.analysis.studied import FIG5, write_run

ACCURACY = score_of(Objective("test_error", "minimize", "reported", "%", "accuracy"))
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


def test_means_and_intervals_are_scipy_s(tmp_path: Path) -> None:
    found = points(read_run(write_run(tmp_path, noisy)))
    for row in summary(found).itertuples():
        values = found[found["name"] == row.name]["score"]
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
    by_seed = found.pivot_table(index="repeat", columns="label", values="score")
    at = np.log(found.drop_duplicates("label").set_index("label")["params"])
    depths = ["29d-6c-24w-1s", "56d", "83d", "110d", "137d", "164d"]
    other = [
        np.polynomial.Polynomial.fit(at[depths], row, deg=3)(at["3s"])
        for row in by_seed[depths].to_numpy()
    ]
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
    means = compared[compared["label"] == ALL_SIZES]
    assert means["p_holm"].min() == pytest.approx(2 * means["p"].min())
    assert (single["p_holm"] >= single["p"]).all()


def test_the_words_follow_the_numbers(tmp_path: Path) -> None:
    clear = conclusion(
        comparisons(points(read_run(write_run(tmp_path / "a", noisy)))), ACCURACY
    )
    assert len(clear) == 2
    assert all("the data show that scale buys more" in words for words in clear)
    luck = write_run(tmp_path / "b", lambda s: 30 + float(
        np.random.default_rng((s.macs, s.repeat)).normal(0, 1)))  # fmt: skip
    unclear = conclusion(comparisons(points(read_run(luck))), ACCURACY)
    assert all("the data do not show a difference" in words for words in unclear)
    worse = write_run(tmp_path / "c", lambda s: 60 - noisy(s))
    assert "scale buys less" in conclusion(comparisons(points(read_run(worse))), ACCURACY)[0]


def test_a_metric_that_is_to_be_small_buys_more_where_it_falls(tmp_path: Path) -> None:
    """One that is no error is compared as it is, in its own direction."""
    found = points(read_run(write_run(tmp_path, noisy)))
    compared = comparisons(found.assign(score=found["metric"]))
    assert (compared["difference"] < 0).all()
    loss = score_of(Objective("test_loss", "minimize", "reported", "nats"))
    words = conclusion(compared, loss)
    assert all("scale buys more" in said and "of test loss (nats)" in said for said in words)
    gain = score_of(Objective("test_score", "maximize", "reported"))
    assert all("scale buys less" in said for said in conclusion(compared, gain))


def test_a_run_without_a_base_says_so(tmp_path: Path) -> None:
    text = FIG5.replace("sampler: axes, seeds: 4", "sampler: random, trials: 3")
    with pytest.raises(RunError, match="lacks the trait axes, so there is no base"):
        points(read_run(write_run(tmp_path, noisy, text=text)))


def test_one_seed_has_points_and_no_intervals_and_says_so(tmp_path: Path) -> None:
    text = FIG5.replace("seeds: 4", "seeds: 1")
    found = points(read_run(write_run(tmp_path, noisy, text=text)))
    assert summary(found)[["low", "high"]].isna().all(axis=None)
    compared = comparisons(found)
    assert len(compared) == 12
    assert compared["p_holm"].isna().all()
    assert all(
        "no interval, so it shows nothing yet" in words
        for words in conclusion(compared, ACCURACY)
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

    run = read_run(write_run(tmp_path / "a", only_scale))
    assert "20 trials failed" in run.banner()
    found = points(run)
    assert set(found["series"]) == {"base", "scale", "depth"}
    assert set(comparisons(found)["against"]) == {"depth"}
    nothing = read_run(write_run(tmp_path / "b", lambda _: None))
    assert "no trial was trained to its end" in nothing.banner()
    with pytest.raises(RunError, match=r"no trial of the base network .* has ended"):
        points(nothing)


def test_a_network_that_fails_with_some_seeds_takes_no_seed_from_the_others(
    tmp_path: Path,
) -> None:
    def sometimes(started: Started) -> float | None:
        deepest = started.network().layers == 164
        return None if deepest and started.repeat else noisy(started)

    compared = comparisons(points(read_run(write_run(tmp_path, sometimes))))
    assert set(compared["seeds"]) == {4}
    depth = compared[(compared["against"] == "depth") & (compared["label"] != ALL_SIZES)]
    assert depth["label"].tolist() == ["2s", "3s", "4s", "5s"], "none as large as 6s is left"
    assert "the mean of 4 networks" in conclusion(compared, ACCURACY)[1]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_dimensions_that_follow_one_law_do_not_differ(seed: int) -> None:
    """A curve that flattens: straight lines between its networks would lie below it."""
    rng = np.random.default_rng(seed)
    params = {
        "base": [7.011],
        "scale": [11.92, 18.141, 24.361, 30.581, 36.801],
        "depth": [13.638, 20.265, 26.892, 33.52, 40.147],
    }
    held = 0
    for _ in range(60):
        rows = [
            {"series": name, "label": f"{name}{size}", "name": f"{name}{size}", "params": size,
             "repeat": repeat, "failed": 0,
             "score": 85 - 15 * (size / 7.011) ** -0.6 + rng.normal(0, 0.1)}
            for name, sizes in params.items() for size in sizes for repeat in range(5)
        ]  # fmt: skip
        compared = comparisons(pd.DataFrame(rows))
        mean = compared[compared["label"] == ALL_SIZES].iloc[0]
        held += mean["low"] <= 0 <= mean["high"]
    # Of 95 % intervals; 50 or fewer of 60 would be one in a thousand. Straight lines: 44.
    assert held > 50


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    text = FIG5.replace("axes, seeds: 4", "axes, seeds: 2, base: {scale: 6}")
    compared = comparisons(points(read_run(write_run(tmp_path, noisy, text=text))))
    assert compared.empty
    assert conclusion(compared, ACCURACY) == [
        f"At equal parameters, scale could not be compared with {name}: their sizes do not "
        "overlap." for name in ("cardinality", "depth")
    ]  # fmt: skip


def test_squeeze_and_excitation_and_skeletons_are_no_base(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: 24\n  se: [false, true]")
    found = points(read_run(write_run(tmp_path / "se", noisy, text=text)))
    for series in ("base", "se"):
        assert len(found[found["series"] == series]["name"].unique()) == 1
    assert set(comparisons(found)["against"]) == {"cardinality", "depth"}
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
