"""Planned comparisons: the committed run, known errors, failures, and what is said of them."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.cards.axes import equal_size_card, series_card
from analysis.questions.equal_size import comparisons, missing
from analysis.questions.equal_size_words import Said, conclusion, together_words
from analysis.questions.series import points
from analysis.questions.stopping import rule_of
from analysis.runs.run import Run, read_run
from analysis.runs.scores import score_of
from search.design.contrasts import ALL_SIZES
from search.schema.analysis import Analysis
from search.schema.metrics import Objective
from search.study.events import Started
from tests.analysis.questions.test_series import BUYS, dimension, known, noisy
from tests.analysis.studied import FIG5, write_run

ACCURACY = score_of(Objective("test_error", "minimize", "reported", "%", "accuracy"))
COMMITTED = Path(__file__).parents[3] / "analysis" / "results" / "cifar_fig5_tiny"


def of_run(run: Run) -> pd.DataFrame:
    return comparisons(points(run), analysis=run.plan.analysis, rule=rule_of(run))


def row_of(frame: pd.DataFrame, label: str, **wanted: str) -> pd.Series:
    rows = frame[frame["label"] == label]
    for key, value in wanted.items():
        rows = rows[rows[key] == value]
    return rows.iloc[0]


def texts(said: Sequence[Said]) -> list[str]:
    return [one.text for one in said]


@pytest.mark.parametrize(
    ("wanted", "difference", "reach"),
    [
        ({"against": "depth", "size": "params"}, 3.91, 0.68),
        ({"against": "depth", "size": "macs"}, 4.14, 0.67),
        ({"against": "cardinality", "size": "params"}, -0.28, 0.66),
    ],
)
def test_the_committed_run_by_its_45_degrees_of_freedom(
    wanted: dict[str, str], difference: float, reach: float
) -> None:
    """A referee's figures; that of four seeds' means was +- 0.17, four times too narrow."""
    row = row_of(of_run(read_run(COMMITTED)), ALL_SIZES, kind="group", **wanted)
    assert row["difference"] == pytest.approx(difference, abs=0.005)
    assert row["high"] - row["difference"] == pytest.approx(reach, abs=0.006)
    assert row["high_all"] - row["difference"] > row["high"] - row["difference"]


@pytest.mark.parametrize(
    ("of", "against", "slope", "reach"),
    [
        ("scale", "", 0.84, 0.55),
        ("cardinality", "", 0.89, 0.55),
        ("depth", "", -1.59, 0.57),
        ("scale", "depth", 2.43, 0.56),
    ],
)
def test_the_committed_run_has_slopes_where_it_has_no_laws(
    of: str, against: str, slope: float, reach: float
) -> None:
    compared = of_run(read_run(COMMITTED))
    slopes = compared[(compared["kind"] == "slope") & (compared["of"] == of)]
    row = slopes[slopes["against"] == against].iloc[0]
    assert row["difference"] == pytest.approx(slope, abs=0.005)
    assert row["high"] - row["difference"] == pytest.approx(reach, abs=0.006)


@pytest.mark.parametrize("size", ["params", "macs"])
def test_known_differences_at_equal_size_are_found(tmp_path: Path, size: str) -> None:
    compared = of_run(read_run(write_run(tmp_path, known)))
    here = compared[(compared["size"] == size) & (compared["kind"] == "network")]
    for row in here.itertuples():
        multiplier = int(str(row.label)[:-1])
        params = {2: 11.920, 3: 18.141, 4: 24.361, 5: 30.581, 6: 36.801}[multiplier] * 1e6
        gain = (3 - BUYS[str(row.against)]) * math.log2(params / 7_010_660)
        if size == "params":
            assert row.difference == pytest.approx(gain, abs=0.02), "straight lines are read"
        else:
            assert row.difference > 0
    assert set(here["against"]) == {"cardinality", "depth"}
    assert len(here) == 10


def test_small_middle_and_large_ones_are_planned_apart(tmp_path: Path) -> None:
    """Scale a little worse than cardinality at s = 2 and better above: an average hides it."""

    def crossing(started: Started) -> float:
        doublings = math.log2(started.params / 7_010_660)
        gain = 2.0 * doublings
        if dimension(started) == "scale":
            gain += -2.0 if started.network().scale == 2 else 0.5
        return 40 - gain + 0.1 * float(np.random.default_rng(started.trial).normal())

    run = read_run(write_run(tmp_path, crossing))
    compared = of_run(run)
    groups = compared[(compared["kind"] == "group") & (compared["size"] == "params")]
    mine = groups[groups["against"] == "cardinality"].set_index("label")
    assert mine.index.tolist() == ["2s", "3s and 4s", "5s and 6s", ALL_SIZES]
    assert mine.loc["2s", "high_all"] < -1.5
    assert mine.loc["3s and 4s", "low_all"] > 0
    said = next(
        one
        for one in conclusion(compared, ACCURACY)
        if "parameters, scale against card" in one.text
    )
    assert said.claims
    assert "By size, all at once: 2s -2.0" in said.text


def test_one_diverged_seed_deletes_no_network(tmp_path: Path) -> None:
    """Three deep networks 4 points worse, one seed of each lost: it must still be seen."""

    def worse(started: Started) -> float | None:
        layers = started.network().layers
        if layers >= 110 and started.repeat == layers // 10 % 4:
            return None
        luck = float(np.random.default_rng(started.trial).normal(0, 0.4))
        return 30 + luck + 4 * (layers >= 110)

    run = read_run(write_run(tmp_path, worse))
    compared = of_run(run)
    row = row_of(compared, ALL_SIZES, against="depth", size="params", kind="group")
    assert row["networks"] == 5
    assert row["low_all"] > 1, "the networks of 110, 137 and 164 layers are in it"
    whole = read_run(write_run(tmp_path / "whole", lambda s: worse(s) or 34.0))
    complete = row_of(of_run(whole), ALL_SIZES, against="depth", size="params", kind="group")
    assert row["difference"] == pytest.approx(complete["difference"], abs=0.3)
    lost = missing(run, points(run))
    assert len(lost) == 1
    assert "resnext110_6c24w (1), resnext137_6c24w (1) and resnext164_6c24w (1)" in lost[0]


def test_a_network_that_failed_in_every_seed_is_named(tmp_path: Path) -> None:
    def deepest(started: Started) -> float | None:
        return None if started.network().layers == 164 else noisy(started)

    run = read_run(write_run(tmp_path, deepest))
    compared = of_run(run)
    here = compared[(compared["size"] == "params") & (compared["against"] == "depth")]
    assert here[here["kind"] == "network"]["label"].tolist() == ["2s", "3s", "4s", "5s"]
    assert missing(run, points(run)) == [
        "Not in any comparison: resnext164_6c24w, of which every trial that ended failed."
    ]


def test_the_words_follow_the_numbers(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "a", noisy))
    said = conclusion(of_run(run), run.score)
    means = [one for one in said if one.text.startswith("At equal parameters")]
    assert len(means) == 2
    assert all("the data show that scale buys more" in one.text for one in means)
    assert all(one.claims for one in means)
    luck = write_run(tmp_path / "b", lambda s: 30 + float(
        np.random.default_rng((s.macs, s.repeat)).normal(0, 1)))  # fmt: skip
    unclear = conclusion(of_run(read_run(luck)), ACCURACY)
    assert not any(one.claims for one in unclear)
    assert sum("the data do not show a difference" in text for text in texts(unclear)) == 4
    worse = write_run(tmp_path / "c", lambda s: 60 - noisy(s))
    assert "scale buys less" in conclusion(of_run(read_run(worse)), ACCURACY)[0].text


def test_interval_and_p_never_disagree(tmp_path: Path) -> None:
    """In a sentence a claim stands exactly where the interval that is held leaves 0 out."""
    for number in range(8):
        frame = made_points(np.random.default_rng(number), spread=1.0, gain=1.2)
        compared = comparisons(frame)
        away = (compared["low_all"] > 0) | (compared["high_all"] < 0)
        assert (away == (compared["p_all"] < 0.05)).all()
        alone = (compared["low"] > 0) | (compared["high"] < 0)
        assert (alone == (compared["p"] < 0.05)).all()


def test_a_metric_that_is_to_be_small_buys_more_where_it_falls(tmp_path: Path) -> None:
    """One that is no error is compared as it is, in its own direction."""
    found = points(read_run(write_run(tmp_path, noisy)))
    compared = comparisons(found.assign(score=found["metric"]))
    equal = compared[compared["kind"] == "group"]
    assert (equal["difference"] < 0).all()
    loss = score_of(Objective("test_loss", "minimize", "reported", "nats"))
    words = [text for text in texts(conclusion(compared, loss)) if text.startswith("At equal")]
    assert words
    assert all("scale buys more" in said and "of test loss (nats)" in said for said in words)
    gain = score_of(Objective("test_score", "maximize", "reported"))
    words = [text for text in texts(conclusion(compared, gain)) if text.startswith("At equal")]
    assert words
    assert all("scale buys less" in said for said in words)


def test_one_seed_says_that_it_shows_nothing(tmp_path: Path) -> None:
    text = FIG5.replace("seeds: 4", "seeds: 1")
    run = read_run(write_run(tmp_path, noisy, text=text))
    compared = of_run(run)
    assert compared[["low", "high", "p", "p_all"]].isna().all(axis=None)
    said = conclusion(compared, run.score)
    assert len(said) == 4
    assert all("of 1 seed: no interval, so it shows nothing yet" in one.text for one in said)
    for card in (series_card(run), equal_size_card(run)):
        for shown in card.shown:
            caption = shown.caption.replace("There are no intervals.", "")
            assert not re.search("interval|whisker|1 seeds|family", caption), shown.name
    assert "from the base: 1 seed per network;" in series_card(run).shown[0].caption


def test_one_dimension_with_one_seed_is_not_left_without_a_word(tmp_path: Path) -> None:
    text = FIG5.replace("depth: [29, 56, 83, 110, 137, 164]", "depth: 29")
    text = text.replace("cardinality: [6, 12, 18, 24, 30, 36]", "cardinality: 6")
    one = read_run(
        write_run(tmp_path / "one", noisy, text=text.replace("seeds: 4", "seeds: 1"))
    )
    said = "There is no interval, so no two networks are told apart: "
    assert texts(conclusion(of_run(one), one.score)) == [f"{said}one seed each."]
    alike = read_run(write_run(tmp_path / "alike", known, text=text))
    flat = comparisons(
        points(alike).assign(score=lambda f: f["score"].groupby(f["name"]).transform("mean"))
    )
    assert texts(conclusion(flat, alike.score)) == [f"{said}they differ alike in every seed."]


def test_an_unfinished_run_is_not_tested(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, noisy, stop_after=40))
    assert "40 of 64 trials have ended" in run.banner()
    compared = of_run(run)
    assert compared[["p", "p_all"]].isna().all(axis=None)
    assert compared["low"].notna().all()
    said = conclusion(compared, run.score)
    assert "not finished, so nothing is tested yet" in said[0].text
    assert not any(one.claims for one in said)
    assert "p " not in said[1].text


def test_a_margin_tells_the_same_from_the_unknown(tmp_path: Path) -> None:
    alike = read_run(write_run(tmp_path, lambda s: 30 + 0.05 * float(
        np.random.default_rng(s.trial).normal())))  # fmt: skip
    compared = comparisons(points(alike))
    said = conclusion(compared, ACCURACY, analysis=Analysis(margin=0.5))
    means = [one for one in said if one.text.startswith("At equal")]
    assert all("the same within the margin of 0.5 points" in one.text for one in means)
    assert len(means) == 4, "of cardinality and depth, at both sizes"
    assert all(one.claims for one in means)
    unlike = comparisons(points(read_run(write_run(tmp_path / "noisy", noisy))))
    said = conclusion(unlike, ACCURACY, analysis=Analysis(margin=0.001))
    assert not any("the same within the margin" in one.text for one in said)


def test_contrasts_of_the_space_file_are_answered(tmp_path: Path) -> None:
    text = FIG5 + (
        "analysis:\n  of: depth\n  contrasts:\n"
        "    widest_scale_less_deepest: {res2next29_6c24w6s: 1, resnext164_6c24w: -1}\n"
    )
    run = read_run(write_run(tmp_path, noisy, text=text))
    compared = of_run(run)
    row = row_of(compared, "widest_scale_less_deepest")
    scores = points(run).groupby("name")["score"].mean()
    expected = scores["res2next29_6c24w6s"] - scores["resnext164_6c24w"]
    assert row["difference"] == pytest.approx(expected)
    said = texts(conclusion(compared, run.score, analysis=run.plan.analysis))
    assert said[-1].startswith(
        "As the space file asks, widest_scale_less_deepest: the data show"
    )
    assert {*compared.loc[compared["kind"] == "group", "of"]} == {"depth"}


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    text = FIG5.replace("axes, seeds: 4", "axes, seeds: 2, base: {scale: 6}")
    compared = of_run(read_run(write_run(tmp_path, noisy, text=text)))
    assert set(compared["kind"]) == {"slope"}
    said = [text for text in texts(conclusion(compared, ACCURACY)) if "could not" in text]
    assert said == [
        f"At equal {alike}, scale could not be compared with {name}: no size along scale lies "
        f"within those along {name}."
        for alike in ("parameters", "multiply-adds")
        for name in ("cardinality", "depth")
    ]


def test_captions_say_how_intervals_were_held(tmp_path: Path) -> None:
    compared = comparisons(made_points(np.random.default_rng(0)))
    assert "simultaneous intervals of the largest |t|" in together_words(compared)
    assert "one spread for all networks" in together_words(compared)


@pytest.mark.slow
def test_dimensions_that_follow_one_law_do_not_differ() -> None:
    """A curve that flattens: straight lines between its networks would lie below it."""
    held, rng = 0, np.random.default_rng(3)
    for _ in range(50):
        compared = comparisons(made_points(rng, spread=0.1))
        row = row_of(compared, ALL_SIZES, size="params", kind="group")
        held += row["low"] <= 0 <= row["high"]
    # Of 95 % intervals; 39 or fewer of 50 would be one in ten thousand.
    assert held > 39


@pytest.mark.slow
def test_where_nothing_differs_hardly_a_run_claims_anything() -> None:
    """All sentences of a run together: 5 % of 60; more than 9 would be one in a thousand."""
    rng = np.random.default_rng(8)
    claiming = 0
    for _ in range(60):
        frame = made_points(rng, spread=1.0, flat=True)
        claiming += any(one.claims for one in conclusion(comparisons(frame), ACCURACY))
    assert claiming <= 9


def test_means_of_one_seed_pair_are_scipy_s_paired_test() -> None:
    """Two networks: the model is the paired t test."""
    rng = np.random.default_rng(4)
    rows: list[dict[str, Any]] = [
        {"series": series, "label": series, "name": series, "params": size, "macs": size,
         "repeat": repeat, "score": float(rng.normal(80, 1))}
        for series, size in (("base", 5), ("scale", 9)) for repeat in range(5)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    slope = row_of(comparisons(frame), "slope")
    a, b = (
        frame.loc[frame["series"] == name, "score"].to_numpy() for name in ("scale", "base")
    )
    tested = stats.ttest_rel(a, b)
    assert slope["p"] == pytest.approx(tested.pvalue)
    doublings = math.log2(9 / 5)
    assert slope["low"] == pytest.approx(tested.confidence_interval().low / doublings)


def made_points(
    rng: np.random.Generator, *, spread: float = 0.3, gain: float = 0.0, flat: bool = False
) -> pd.DataFrame:
    """Scale and depth on one curve, scale so many points above it, five seeds."""
    sizes = {
        "base": [7.011],
        "scale": [11.92, 18.141, 24.361, 30.581, 36.801],
        "depth": [13.638, 20.265, 26.892, 33.52, 40.147],
    }
    rows = [
        {"series": name, "label": f"{name}{size}", "name": f"{name}{size}", "params": size,
         "macs": size * 1.1, "repeat": repeat,
         "score": 85 - (0 if flat else 15 * (size / 7.011) ** -0.6)
         + gain * (name == "scale") + rng.normal(0, spread)}
        for name, row in sizes.items() for size in row for repeat in range(5)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_values_of_one_dimension_are_compared_with_each_other(tmp_path: Path) -> None:
    """A study of scale alone, per stage too: every two of its networks."""
    text = (
        "study: scales\nnetwork:\n  depth: 29\n  cardinality: 6\n  width: 24\n"
        "  scale: [1, 2, 4, [1, 2, 4]]\ndata: {name: cifar100, validation: 5000}\n"
        "training: {epochs: 2}\nsearch: {sampler: axes, seeds: 3}\n"
    )
    worth = {"1": 0.0, "2": 3.0, "4": 6.0, "(1, 2, 4)": 6.0}

    def by_value(started: Started) -> float:
        luck = float(np.random.default_rng(started.trial).normal(0, 0.1))
        return 40 - worth[str(started.network().scale)] + luck

    run = read_run(write_run(tmp_path, by_value, text=text))
    compared = of_run(run)
    pairs = compared[compared["kind"] == "pair"].set_index("label")
    assert len(pairs) == 6
    said = texts(conclusion(compared, run.score))
    assert any("4s minus 2s" in text and "the first is better" in text for text in said)
    unclear = [label for label in pairs.index if "1.2.4s" in label and "4s minus" in label]
    assert [label for label in unclear if pairs.loc[label, "p_all"] > 0.05] == [
        next(label for label in pairs.index if label.startswith("4s minus 1.2.4s"))
    ]


def test_what_the_trials_do_not_tell_is_named(tmp_path: Path) -> None:
    """The largest scale lacks the first seed, all others the second."""

    def lost(started: Started) -> float | None:
        largest = started.network().scale == 6
        return None if started.repeat == (0 if largest else 1) else noisy(started)

    run = read_run(write_run(tmp_path, lost, text=FIG5.replace("seeds: 4", "seeds: 2")))
    said = texts(conclusion(of_run(run), run.score))
    untold = next(text for text in said if text.startswith("Planned, but cannot be told"))
    assert "its networks share no seed, not even through others" in untold
    assert "scale minus depth, all sizes at equal params" in untold


def test_own_contrasts_of_a_network_that_failed_are_named(tmp_path: Path) -> None:
    text = FIG5 + (
        "analysis:\n  contrasts:\n    mine: {res2next29_6c24w6s: 1, resnext164_6c24w: -1}\n"
    )

    def deepest(started: Started) -> float | None:
        return None if started.network().layers == 164 else noisy(started)

    run = read_run(write_run(tmp_path, deepest, text=text))
    said = " ".join(texts(conclusion(of_run(run), run.score, analysis=run.plan.analysis)))
    assert "no trial of resnext164_6c24w was trained to its end: mine." in said


def test_at_equal_cost_there_are_no_slopes(tmp_path: Path) -> None:
    """Where width is solved for the budget, all networks cost nearly the same."""
    text = FIG5.replace("width: 24", "width: {from: 4, to: 60}").replace(
        "sampler: axes", "sampler: axes, solve: width"
    ).replace("data:", "budget: {macs: {max: 2.0G, min: 1.8G}}\ndata:")  # fmt: skip
    run = read_run(write_run(tmp_path, noisy, text=text))
    compared = of_run(run)
    assert "slope" not in set(compared["kind"])


def test_other_series_are_compared_with_the_base(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: 24\n  se: [false, true]")

    def by_se(started: Started) -> float:
        return noisy(started) - 5.0 * started.network().se

    compared = of_run(read_run(write_run(tmp_path, by_se, text=text)))
    pairs = compared[compared["kind"] == "pair"]
    assert len(pairs) == 1
    assert pairs.iloc[0]["difference"] == pytest.approx(5, abs=0.6)
    assert pairs.iloc[0]["label"].startswith("True minus 29d-6c-24w-1s")
