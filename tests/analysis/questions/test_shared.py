"""Trials that two runs both hold: found, left out of every test, and said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.pages.compare_page import compare_page
from analysis.questions.compare import agreement, shifts
from analysis.questions.shared import own, shared
from analysis.runs.run import Run, read_run
from tests.analysis.made import made, network, parsed

WIDTHS = range(1, 7)


def run_of(
    folder: Path, seeds: tuple[int, ...], *overrides: str, noise: int = 0, curve: float = 0.0
) -> Run:
    """Six networks; the same seeds and noise are the same numbers."""
    rng = np.random.default_rng(noise)
    errors = {(w, seed): 10 * w + rng.normal() for seed in range(20) for w in WIDTHS}
    rows = [
        {"network": network(w), "seed": seed, "repeat": i, "val_error": errors[w, seed],
         "test_error": errors[w, seed], "curve": [90 + curve, errors[w, seed]]}
        for w in WIDTHS
        for i, seed in enumerate(seeds)
    ]  # fmt: skip
    asked = ("search.trials=6", f"search.seeds={len(seeds)}")
    return made(folder, rows, *asked, *overrides)


def test_a_run_that_went_on_holds_the_trials_of_its_copy(tmp_path: Path) -> None:
    first, on = run_of(tmp_path / "a", (1, 2)), run_of(tmp_path / "b", (1, 2, 3))
    both = shared(first, on)
    assert len(both) == 12
    assert set(both["seed"]) == {1, 2}
    a, b = own(first, on)
    assert a.empty
    assert set(b["seed"]) == {3}


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 1},
        {"curve": 1e-9},
        {"overrides": ("training.lr=0.2",)},
        {"overrides": ("data.validation=32",)},
        {"seeds": (3, 4)},
    ],
    ids=["numbers", "one epoch", "recipe", "data", "seeds"],
)
def test_what_differs_in_anything_is_another_trial(
    change: dict[str, Any], tmp_path: Path
) -> None:
    more = dict(change)
    first = run_of(tmp_path / "a", (1, 2))
    seeds, overrides = more.pop("seeds", (1, 2)), more.pop("overrides", ())
    assert shared(first, run_of(tmp_path / "b", seeds, *overrides, **more)).empty


def test_shared_are_those_of_seeds_in_both(tmp_path: Path) -> None:
    runs = run_of(tmp_path / "a", (0, 3, 5, 8)), run_of(tmp_path / "b", (8, 1, 3))
    assert set(shared(*runs)["seed"]) == {3, 8}
    assert len(shared(*runs)) == 6 * 2


def test_the_same_trials_are_no_agreement(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", (1, 2)), run_of(tmp_path / "b", (1, 2, 3))]
    row = agreement(runs).iloc[0]
    assert np.isnan(row["tau"])
    assert row["refused"] == "these are the same trials"
    assert (row["same"], row["networks"]) == (12, 0)
    moved = shifts(*runs)
    assert (moved["by"] == "the same trials").all()
    assert moved[["difference", "low", "high", "p", "p_all"]].isna().all(axis=None)
    page = parsed(compare_page, runs)
    said = page.text["conclusion"]
    assert "have 12 trials in common" in said
    assert "Nothing is tested between a and b: these are the same trials." in said
    assert page.tables["agreement"][1][2] == "these are the same trials"


def test_of_some_shared_trials_the_others_are_compared(tmp_path: Path) -> None:
    """As if the shared ones were in neither run."""
    first, second = (1, 2, 3, 4), (1, 2, 5, 6)
    runs = [run_of(tmp_path / "a", first), run_of(tmp_path / "b", second)]
    apart = [run_of(tmp_path / "c", first[2:]), run_of(tmp_path / "d", second[2:])]
    keys = ["difference", "low", "high", "p", "p_all", "by"]
    found, expected = (
        shifts(*two).set_index("name")[keys].sort_index() for two in (runs, apart)
    )
    assert found.equals(expected)
    row, other = agreement(runs).iloc[0], agreement(apart).iloc[0]
    assert row["tau"] == other["tau"]
    assert row["same"] == 12
    assert "have 12 trials in common" in parsed(compare_page, runs).text["conclusion"]


def test_too_few_networks_with_trials_of_their_own(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (1, 2))
    rows = [
        {"network": network(w), "seed": s, "repeat": s, "val_error": 10.0 * w + s,
         "test_error": 9.0, "curve": [50.0]}
        for w in (1, 2)
        for s in (3, 4)
    ]  # fmt: skip

    second = made(tmp_path / "b", rows, "search.trials=6", "search.seeds=4")
    assert agreement([first, second])["refused"].iloc[0] == "2 common networks are fewer than 4"


def test_a_trial_that_was_taken_over_is_the_same_whatever_else_the_recipes_say() -> None:
    """Of a real study: depth has rates of its own in the second, the rest is of the first."""
    results = Path(__file__).parents[3] / "analysis" / "results"
    first, second = (
        read_run(results / name) for name in ("evidence_short", "evidence_short_rule")
    )
    assert first.recipe != second.recipe
    same = shared(first, second)
    assert len(same) == 28
    assert not same["name"].str.contains("38_|56_|74_").any()
    assert [len(rest) for rest in own(first, second)] == [12, 12]
