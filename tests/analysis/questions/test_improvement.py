"""How often a network of one run is better than one of another: on shared ones or at random."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.improvement import improvement_card
from analysis.questions.improvement import PAIRS, SHARED, improvements, profiles
from analysis.runs.run import Run
from search.study.events import Status
from tests.analysis.made import made, network
from tests.analysis.questions.test_overlay import sampled

WIDTHS = range(1, 9)


def run_of(folder: Path, seed: int, *overrides: str, gain: float = 0.0, seeds: int = 2) -> Run:
    rng = np.random.default_rng(seed)
    rows = [
        {"network": network(w), "seed": seed * 10 + i, "repeat": i, "curve": [60.0],
         "val_error": 50 - w - gain + rng.normal(), "test_error": 50.0}
        for w in WIDTHS
        for i in range(seeds)
    ]  # fmt: skip
    return made(folder, rows, "search.trials=8", f"search.seeds={seeds}", *overrides)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_on_networks_in_both_it_is_counted_by_hand(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", 1, gain=1.0), run_of(tmp_path / "b", 2)]
    row = improvements(runs, rng=rng()).iloc[0]
    sides = [run.whole().groupby("name")["val_error_pct"].apply(list) for run in runs]
    wins = [
        np.mean([x < y for x in sides[0][name] for y in sides[1][name]])
        for name in sides[0].index
    ]
    assert row["chance"] == pytest.approx(np.mean(wins))
    assert (row["kind"], row["n_a"]) == (SHARED, 8)
    assert row["low"] <= row["chance"] <= row["high"]
    card = improvement_card(runs)
    assert not card.claims
    assert "a over b: the first is better with probability" in card.sentences[0]
    assert [one.name for one in card.shown] == ["improvement-chance", "improvement-profiles"]
    for one in card.shown:
        assert one.draw is not None
        assert one.draw().axes


def test_where_all_agree_it_says_what_so_few_networks_show(tmp_path: Path) -> None:
    """Eight of eight are likely (5 %) even where only 69 % of all networks go this way."""
    runs = [run_of(tmp_path / "a", 1, gain=30.0), run_of(tmp_path / "b", 2)]
    said = improvement_card(runs).sentences[0]
    assert said.startswith("a over b: the first is better in all pairs")
    assert stats.binom.pmf(8, 8, 0.69) == pytest.approx(0.05, abs=0.003)
    assert "with 95 % confidence in more than 68% of further ones" in said
    assert "the second is better in all pairs" in improvement_card(runs[::-1]).sentences[0]


def test_the_same_share_for_each_network_is_not_unanimity(tmp_path: Path) -> None:
    runs = []
    for name, errors in (("a", (50.0, 52.0)), ("b", (51.0, 53.0))):
        rows = [
            {"network": network(w), "seed": i, "repeat": i, "curve": [60.0],
             "val_error": error, "test_error": 50.0}
            for w in WIDTHS
            for i, error in enumerate(errors)
        ]  # fmt: skip
        trained_in = f"data.root={tmp_path / name}"
        runs.append(
            made(tmp_path / name, rows, "search.trials=8", "search.seeds=2", trained_in)
        )
    said = improvement_card(runs).sentences[0]
    assert "the first is better with probability 0.75 (no interval, because it is" in said


def test_networks_that_lost_a_seed_are_not_counted(tmp_path: Path) -> None:
    """Two of eight lost a seed in the first, and what is left of them is better than any."""
    runs = [run_of(tmp_path / "a", 1), run_of(tmp_path / "b", 2)]
    lucky: list[dict[str, Any]] = []
    for w in (1, 2):
        lucky += [
            {"network": network(w), "seed": 10, "val_error": 1.0, "test_error": 1.0},
            {"network": network(w), "seed": 11, "repeat": 1, "status": Status.DIVERGED},
        ]
    whole = runs[0].whole()
    lucky += [
        {"network": network(w), "seed": 10 + i, "repeat": i, "val_error": error,
         "test_error": 50.0}
        for w in WIDTHS[2:]
        for i, error in enumerate(whole[whole["name"] == network(w).name]["val_error_pct"])
    ]  # fmt: skip
    lost = made(tmp_path / "lost", lucky, "search.trials=8", "search.seeds=2", "study=lost")
    row = improvements([lost, runs[1]], rng=rng()).iloc[0]
    sides = [run.whole().groupby("name")["val_error_pct"].apply(list) for run in runs]
    wins = [
        np.mean([x < y for x in sides[0][name] for y in sides[1][name]])
        for name in (network(w).name for w in WIDTHS[2:])
    ]
    assert (row["kind"], row["n_a"], row["n_b"]) == (SHARED, 6, 6)
    assert row["chance"] == pytest.approx(np.mean(wins))
    assert (profiles([lost, runs[1]], rng=rng())["networks"] == 6).all()
    card = improvement_card([lost, runs[1]])
    assert card.sentences[-1].startswith("2 networks that lost a seed are left out of lost: ")


def test_without_networks_in_both_pairs_are_drawn_at_random(tmp_path: Path) -> None:
    first = sampled(tmp_path / "a", 1, n=36, shift=2.0)
    rows = [
        {"network": network(w, depth=20), "seed": 9, "curve": [50.0], "val_error": 50.0 + w % 3,
         "test_error": 50.0}
        for w in range(1, 11)
    ]  # fmt: skip
    text = (
        (first.folder / "space.yaml")
        .read_text(encoding="utf-8")
        .replace("depth: 11", "depth: 20")
    )
    second = made(tmp_path / "b", rows, text=text.replace("trials: 36", "trials: 10"))
    row = improvements([first, second], rng=rng()).iloc[0]
    values = [run.whole()["val_error_pct"].to_numpy() for run in (first, second)]
    assert row["chance"] == pytest.approx((values[0][:, None] < values[1]).mean())
    assert (row["kind"], row["n_a"], row["n_b"]) == (PAIRS, 36, 10)
    assert profiles([first, second], rng=rng()).empty
    assert len(improvement_card([first, second]).shown) == 1


def test_profiles_are_of_the_networks_in_all(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, i) for i, name in enumerate("abc")]
    found = profiles(runs, rng=rng())
    assert (found["networks"] == 8).all()
    for run, (_, rows) in zip(runs, found.groupby("label", sort=False), strict=True):
        values = run.whole()["val_error_pct"].to_numpy()
        share = [(values <= value + 1e-12).mean() for value in rows["value"]]
        assert rows["share"].tolist() == pytest.approx(share)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", 1)
    other = run_of(tmp_path / "b", 2, "data.validation=32")
    assert "the runs saw different images" in improvement_card([first, other]).refused
    copy = run_of(tmp_path / "copy", 1)
    assert "these are the same trials" in improvement_card([first, copy]).refused
    few = made(
        tmp_path / "few",
        [{"network": network(w), "val_error": 9.0 + w, "test_error": 9.0} for w in (1, 2)],
        "search.sampler=tpe",
        "search.trials=9",
    )
    refused = improvement_card([first, few]).refused
    assert (
        "they have 2 networks in common, fewer than 5, and for random pairs one is no sample"
        in refused
    )
