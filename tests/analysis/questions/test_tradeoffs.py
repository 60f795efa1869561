"""What a run along axes says of scaling, of errors that follow a law that is known."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from analysis.plots.laws import draw_laws
from analysis.questions.series import points
from analysis.questions.slopes import Slope, slopes
from analysis.questions.tradeoffs import (
    Fitted,
    along,
    exchange_rates,
    laws,
    left_out,
    rules,
    table,
)
from analysis.runs.run import Run, read_run
from analysis.scaling.forms import power
from analysis.scaling.law import fit
from search.study.events import Started
from tests.analysis.made import AXES, made, network
from tests.analysis.questions.test_series import dimension, noisy
from tests.analysis.studied import FIG5, write_run

BASE_MACS = 1_099_075_584
ALPHA = {"scale": 0.30, "cardinality": 0.15, "depth": 0.05}


def by_law(started: Started) -> float:
    """Error = 10 + 20 * (macs / base)^-alpha, and luck of 0.1 points by network and seed."""
    luck = np.random.default_rng((started.macs, started.repeat)).normal(0, 0.1)
    alpha = ALPHA[dimension(started)]
    return 10 + 20 * (started.macs / BASE_MACS) ** -alpha + float(luck)


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """The least that the ends of an interval of 95 % take; nothing here depends on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.questions.tradeoffs._RESAMPLES", 100)
        yield


class Lawful(NamedTuple):
    """A run whose errors follow laws, and the laws that were found."""

    run: Run
    found: pd.DataFrame
    fitted: dict[str, Fitted]
    doubts: list[str]


@pytest.fixture(scope="module")
def lawful(tmp_path_factory: pytest.TempPathFactory) -> Lawful:
    run = read_run(write_run(tmp_path_factory.mktemp("laws") / "run", by_law))
    found = points(run)
    return Lawful(run, found, *laws(run, found, rng=np.random.default_rng(0)))


@pytest.mark.slow
def test_curves_follow_the_laws_that_made_the_errors(lawful: Lawful) -> None:
    run, found, fitted, doubts = lawful
    assert fitted.keys() == ALPHA.keys()
    assert not doubts
    for name, (law, judgement) in fitted.items():
        sizes = np.geomspace(law.smallest, law.largest, 5)
        band = law.band(sizes)
        truth = 10 + 20 * (sizes / BASE_MACS) ** -ALPHA[name]
        assert band["error"].to_numpy() == pytest.approx(truth, abs=0.25)
        assert judgement.beats_baseline
    shown = table(fitted)
    assert ((shown["low"] <= shown["value"]) & (shown["value"] <= shown["high"])).mean() > 0.7
    axes = draw_laws(found, fitted, run.tested, title="known").axes[0]
    assert axes.get_ylabel().startswith("test error (%)")


def test_rates_are_those_of_the_laws(lawful: Lawful) -> None:
    _, found, fitted, _ = lawful
    rng = np.random.default_rng(0)
    lines = list(exchange_rates(found, fitted, rng=rng, multipliers=(2, 7)))
    assert len(lines) == 4
    # x2 in scale costs x1.748: 1.748^-0.30 = r^-0.15 gives r = 1.748^2 = 3.05.
    ratio = float(lines[0].partition("what x")[2].partition(" in cost of cardinality")[0])
    assert ratio == pytest.approx(1.748**2, rel=0.2)
    assert "no rate: " in lines[1], "no network has x7 in scale"
    assert ">= x" in lines[2], "depth would need x28, which is beyond what was trained"


def test_the_rule_spends_on_what_pays_and_keeps_the_budget(lawful: Lawful) -> None:
    run, found, fitted, _ = lawful
    (line,) = rules(run, found, fitted, rng=np.random.default_rng(0), ratios=(4.0,))
    assert line.startswith("x4 multiply-adds: scale x")
    cost = float(line.partition("costs x")[2].partition(",")[0])
    assert 3 < cost <= 4
    assert "cardinality x1 [" in line
    assert "depth x1 [" in line


@pytest.mark.slow
def test_what_carries_no_law_says_why(tmp_path: Path) -> None:
    few = write_run(
        tmp_path / "few", noisy, text=FIG5.replace("[1, 2, 3, 4, 5, 6]", "[1, 2, 3]")
    )
    run = read_run(few)
    fitted, doubts = laws(run, points(run), rng=np.random.default_rng(0))
    assert "scale" not in fitted
    assert any(doubt.startswith("scale: no law: ") for doubt in doubts)
    luck = write_run(
        tmp_path / "luck",
        lambda s: 30 + float(np.random.default_rng((s.macs, s.repeat)).normal(0, 1)),
    )
    run = read_run(luck)
    found, rng = points(run), np.random.default_rng(0)
    fitted, doubts = laws(run, found, rng=rng)
    assert not fitted
    assert len(doubts) == 3
    assert any("the data do not show that error falls" in doubt for doubt in doubts)
    assert not any("resamples" in doubt for doubt in doubts)
    straight = slopes(run, found)
    assert all(
        f"its slope is {straight[doubt.partition(':')[0]].text()}" in doubt for doubt in doubts
    )
    assert all(
        "no rate: no law along" in line for line in exchange_rates(found, fitted, rng=rng)
    )
    assert list(rules(run, found, fitted, rng=rng)) == ["no rule: no dimension carries a law"]


@pytest.mark.slow
def test_a_dimension_that_hurts_carries_no_law(tmp_path: Path) -> None:
    def deeper_is_worse(started: Started) -> float:
        worse = 2 * math.log2(started.macs / BASE_MACS) if dimension(started) == "depth" else 0
        return by_law(started) + worse

    run = read_run(write_run(tmp_path, deeper_is_worse))
    found, rng = points(run), np.random.default_rng(0)
    fitted, doubts = laws(run, found, rng=rng)
    assert fitted.keys() == {"scale", "cardinality"}
    slope = slopes(run, found)["depth"]
    assert doubts == [
        f"depth: no law: error rises as networks grow; its slope is {slope.text()}"
    ]
    assert slope.low < slope.slope < slope.high
    # Least squares through the means, as numpy has it.
    members = along(found, "depth").groupby("network")[["size", "error"]].mean()
    line = np.polyfit(np.log2(members["size"]), members["error"], 1)
    assert slope.slope == pytest.approx(line[0])
    assert any("no law along depth" in line for line in exchange_rates(found, fitted, rng=rng))
    drawn = draw_laws(found, fitted, run.tested, title="", slopes=slopes(run, found))
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels[:2] == [label for label in labels if " law, off by " in label]
    assert labels[2] == (
        f"depth: no law; slope {slope.slope:+.2f} per doubling "
        f"({slope.low:+.2f} to {slope.high:+.2f})"
    )
    lines = {
        line.get_linestyle(): line for line in drawn.axes[0].lines if len(line.get_xdata()) > 30
    }
    sizes, heights = (np.asarray(part) for part in lines["-."].get_data())
    assert heights == pytest.approx(np.polyval(line, np.log2(sizes * 1e9)))
    assert len(drawn.axes[0].collections) == 3, "a band of each law, and one of the slope"
    *_, last = drawn.axes[0].lines
    assert (last.get_label(), len(last.get_xdata())) == ("base", 4), "once, and on top"


def test_a_slope_of_one_seed_has_no_interval() -> None:
    one = Slope(-0.5, math.nan, math.nan, 3, 1)
    assert (
        one.text()
        == "-0.50 points of error for a doubling of multiply-adds, without an interval"
    )


def test_networks_with_a_failed_trial_are_named_and_in_no_law(tmp_path: Path) -> None:
    def broken(started: Started) -> float | None:
        bad = started.network().scale == 3 and started.repeat == 1
        return None if bad else by_law(started)

    found = points(read_run(write_run(tmp_path, broken)))
    (name,) = left_out(found)
    assert name.endswith("24w3s")
    assert name in {*found["name"]} - {*along(found, "scale")["name"]}


@pytest.mark.slow
def test_rates_are_read_off_the_form_that_was_chosen(lawful: Lawful) -> None:
    """Near chance a saturating law bends as no power law does, and foretells another rate."""
    run, found = lawful.run, lawful.found[lawful.found["series"] != "depth"]
    size = found["macs"] / BASE_MACS
    alpha = found["series"].map({"scale": 2.0, "cardinality": 0.9}).fillna(0)
    # s / (1 - s) = 6 * size^-alpha: M4 with a = 1, from the error of guessing down to E = 20.
    odds = 6 * size**-alpha
    luck = np.random.default_rng(0).normal(0, 0.05, len(found))
    bent = found.assign(metric=20 + 79 * odds / (1 + odds) + luck)
    fitted, doubts = laws(run, bent, rng=np.random.default_rng(0))
    assert not doubts
    assert fitted["scale"].law.form.name == "saturating"
    powers = {
        name: one._replace(law=fit(along(bent, name), form=power()))
        for name, one in fitted.items()
    }
    chosen, forced = (
        next(exchange_rates(bent, each, rng=np.random.default_rng(0), multipliers=(2,)))
        for each in (fitted, powers)
    )
    # odds are alike where size_a^2 = size_b^0.9: x1.748 buys x1.748^(2 / 0.9) = x3.46.
    ratios = [float(line.partition("what x")[2].split()[0]) for line in (chosen, forced)]
    assert ratios[0] == pytest.approx(1.748 ** (2 / 0.9), rel=0.03)
    assert abs(ratios[1] - ratios[0]) > 0.02


def test_laws_are_of_errors_only(tmp_path: Path) -> None:
    rows = [
        {"network": network(2, depth=20, scale=scale), "seed": 1,
         "metrics": {"val_score": float(scale), "test_score": float(scale)}}
        for scale in (1, 2, 3)
    ]  # fmt: skip
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored", text=AXES)
    fitted, doubts = laws(run, points(run), rng=np.random.default_rng(0))
    assert not fitted
    assert doubts[0].startswith("no law: validation score is no error in percent")
