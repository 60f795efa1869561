"""Distributions of several runs: tests as scipy makes them, found only where they differ."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.cards.card import Card
from analysis.cards.overlay import overlay_card
from analysis.pages.compare_page import compare_page
from analysis.questions.overlay import EQUAL, SAMPLED, critical_gap, curves, distances
from analysis.runs.run import Run
from analysis.statistics.intervals import holm
from res2net import cost
from tests.analysis.made import made, network, parsed

SPACE = """\
study: {name}
network: {{planes: 2, depth: 11, scale: [1, 2, 3, 4], width: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
data: {{name: synthetic, validation: 64}}
training: {{epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}}
search: {{sampler: random, trials: 36}}
"""
SHAPES = [(w, s) for w in range(1, 11) for s in range(1, 5)]
BY_SIZE = sorted(SHAPES, key=lambda one: cost(network(one[0], scale=one[1])).macs)
SMALL, LARGE = BY_SIZE[:18], BY_SIZE[12:30]


def sampled(
    folder: Path, draw: int, *overrides: str, shift: float = 0.0, n: int = 36, seed: int = 0
) -> Run:
    """Random networks, whose error falls with size, and `shift` below that."""
    rng = np.random.default_rng(draw)
    rows = [
        {"network": network(w, scale=s), "seed": seed, "test_error": 50.0, "curve": [50.0],
         "val_error": 60 - 3 * np.log(w * s) - shift + rng.normal()}
        for w, s in (SHAPES[i] for i in rng.choice(len(SHAPES), n, replace=False))
    ]  # fmt: skip
    return made(folder, rows, *overrides, text=SPACE.format(name=folder.name))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("three")
    return [sampled(folder / name, i, shift=3 * (i == 1)) for i, name in enumerate("abc")]


def test_as_sampled_it_is_scipy_s_test_and_holm_over_all(three: list[Run]) -> None:
    table = distances(three, rng=np.random.default_rng(0))
    assert table["p_holm"].tolist() == pytest.approx(holm(table["p"].tolist()))
    values = {run.name: run.whole()["val_error_pct"] for run in three}
    for row in table[table["kind"] == SAMPLED].to_dict("records"):
        expected = stats.ks_2samp(values[row["a"]], values[row["b"]])
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["distance"] == pytest.approx(expected.statistic)
        assert row["gap"] == pytest.approx(critical_gap(36, 36))
    clear = table["p_holm"] < 0.05
    assert clear.tolist() == [True, True, False, False, True, True]


def test_runs_of_other_seeds_are_shown_and_not_tested(tmp_path: Path) -> None:
    """What a seed adds to all networks of a run would count as another space."""
    runs = [sampled(tmp_path / name, i, shift=9 * i, seed=i) for i, name in enumerate("ab")]
    table = distances(runs, rng=np.random.default_rng(0))
    assert table["p"].isna().all()
    assert table["refused"].str.startswith("they have other seeds, which move or widen").all()
    card = overlay_card(runs)
    assert not card.claims
    assert card.shown[0].draw is not None


def test_networks_of_sizes_drawn_alike_are_compared_at_equal_complexity(
    tmp_path: Path,
) -> None:
    runs = [
        sampled(tmp_path / name, i, "search.sampler=stratified", shift=3 * (i == 1))
        for i, name in enumerate("ab")
    ]
    table = distances(runs, rng=np.random.default_rng(0)).set_index("kind")
    assert "drawn alike" in table.loc[SAMPLED, "refused"]
    assert table.loc[EQUAL, "p"] < 0.05
    assert {*curves(runs, rng=np.random.default_rng(0))["kind"]} == {EQUAL}
    card = overlay_card(runs)
    assert not card.refused
    assert card.shown[0].draw is not None
    assert card.shown[0].draw().axes


def test_where_no_sizes_are_in_common_the_card_is_refused_and_the_report_stands(
    tmp_path: Path,
) -> None:
    """Two budgets that share six networks: fewer than a curve takes."""
    rng = np.random.default_rng(0)
    sides = [
        made(
            tmp_path / name,
            [
                {"network": network(w, scale=s), "seed": seed, "test_error": 50.0,
                 "val_error": 60 - 3 * np.log(w * s) + rng.normal()}
                for w, s in shapes
            ],
            "search.sampler=stratified",
            text=SPACE.format(name=name),
        )
        for seed, (name, shapes) in enumerate((("a", SMALL), ("b", LARGE)))
    ]  # fmt: skip
    said = "no run has 10 or more within the range of multiply-adds that all runs reach"
    assert said in refusal(sides)
    page = parsed(compare_page, sides)
    assert said in " ".join(page.text.values())
    assert len(page.tables["common"]) == 1 + len({*SMALL} & {*LARGE})


def test_the_critical_gap_is_the_asymptotic_quantile_of_the_distance() -> None:
    assert critical_gap(100, 100) == pytest.approx(0.192, abs=5e-4)
    assert stats.kstwobign.sf(critical_gap(400, 200) * np.sqrt(400 * 200 / 600)) == (
        pytest.approx(0.05, abs=2e-5)
    )


def test_curves_are_of_the_common_range(three: list[Run]) -> None:
    found = curves(three, rng=np.random.default_rng(0))
    assert {*found["kind"]} == {SAMPLED, EQUAL}
    for (_, _), rows in found.groupby(["label", "kind"]):
        assert rows["fraction"].is_monotonic_increasing
        assert rows["fraction"].iloc[-1] == pytest.approx(1)
        assert (rows["low"] <= rows["fraction"]).all()
        assert (rows["fraction"] <= rows["high"]).all()


@pytest.mark.slow
def test_only_what_holds_after_holm_is_claimed(three: list[Run]) -> None:
    card = overlay_card(three)
    assert len(card.claims) == 4
    assert all(said.startswith("The networks of ") for said in card.claims)
    others = [said for said in card.sentences if said not in card.claims]
    assert all("do not show that the networks of a and c differ" in said for said in others)
    page = parsed(compare_page, three)
    assert len(page.tables["overlay-tests"]) == 7
    assert "by chance up to 0.32" in page.text["overlay"]


def refusal(runs: list[Run]) -> str:
    card: Card = overlay_card(runs)
    return card.refused


def test_what_is_no_random_sample_is_refused(three: list[Run], tmp_path: Path) -> None:
    chosen = sampled(tmp_path / "tpe", 5, "search.sampler=tpe")
    assert "tpe: its networks are no random sample: its sampler was tpe" in refusal(
        [three[0], chosen]
    )
    grid = sampled(tmp_path / "grid", 5, "search.sampler=grid", "search.trials=40", n=40)
    all_there_are = len(SHAPES)
    every = sampled(
        tmp_path / "every", 5, f"search.trials={all_there_are}", n=all_there_are
    )  # drawn at random, and no sample all the same
    for run in (grid, every):
        said = refusal([three[0], run])
        assert "which tried all candidates, so that chance has no part" in said
    few = sampled(tmp_path / "few", 5, n=9)
    wanted = "few: 9 network(s) trained whole are fewer than 10; let the run go on"
    assert refusal([three[0], few]) == wanted
    other = sampled(tmp_path / "other", 5, "data.validation=32")
    assert "the runs saw different images; name runs of the same" in refusal([three[0], other])


def test_the_same_trials_are_not_tested(three: list[Run], tmp_path: Path) -> None:
    card = overlay_card([three[0], sampled(tmp_path / "copy", 0)])
    assert not card.claims
    assert "not tested, because they have 36 trials in common" in card.sentences[0]
