"""What a run along axes says of scaling, of errors that follow a law that is known."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from analysis.plots.laws import draw_laws
from analysis.questions.series import points
from analysis.questions.tradeoffs import Fitted, exchange_rates, laws, rules, table
from analysis.runs.run import Run, read_run
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
    assert any("error falls from the smallest to the largest in" in doubt for doubt in doubts)
    assert all(
        "no rate: no law along" in line for line in exchange_rates(found, fitted, rng=rng)
    )
    assert list(rules(run, found, fitted, rng=rng)) == ["no rule: no dimension carries a law"]


def test_a_dimension_that_hurts_carries_no_law(tmp_path: Path) -> None:
    def deeper_is_worse(started: Started) -> float:
        worse = 2 * math.log2(started.macs / BASE_MACS) if dimension(started) == "depth" else 0
        return by_law(started) + worse

    run = read_run(write_run(tmp_path, deeper_is_worse))
    found, rng = points(run), np.random.default_rng(0)
    fitted, doubts = laws(run, found, rng=rng)
    assert fitted.keys() == {"scale", "cardinality"}
    assert doubts[0].startswith("depth: no law: error falls from the smallest to the largest")
    assert any("no law along depth" in line for line in exchange_rates(found, fitted, rng=rng))
    labels = [
        text.get_text()
        for text in draw_laws(found, fitted, run.tested, title="")
        .axes[0]
        .get_legend()
        .get_texts()
    ]
    assert "depth: no law" in labels


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
