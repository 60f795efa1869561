"""Repeated searches: means and intervals by hand, grouped by what they have in common."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.repeated import repeated_card
from analysis.questions.anytime import anytime
from analysis.questions.repeated import curves, repeats
from analysis.runs.run import Run, RunError
from search.study.events import Status
from tests.analysis.made import made, network
from tests.analysis.questions.test_sampling import GRID

TRIALS = 12


def searched(
    folder: Path, seed: int, *overrides: str, sampler: str = "random", lost: bool = False
) -> Run:
    """A search; with `lost`, a second seed of its last network failed."""
    rng = np.random.default_rng([seed, len(sampler)])
    shapes = rng.permutation([(w, s) for w in (1, 2, 3, 4) for s in (1, 2, 3)])
    rows: list[dict[str, Any]] = [
        {"network": network(int(w), scale=int(s)), "seed": 100 * seed + i, "curve": [90.0],
         "val_error": 80.0 - 5 * s - 3 * w + rng.normal(), "test_error": 50.0}
        for i, (w, s) in enumerate(shapes)
    ]  # fmt: skip
    if lost:
        rows.append(rows[-1] | {"seed": 7, "repeat": 1, "status": Status.FAILED})
    asked = (f"search.sampler={sampler}", f"search.trials={TRIALS}", f"search.seed={seed}")
    return made(folder, rows, *asked, *overrides, text=GRID)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("three")
    return [searched(folder / str(seed), seed) for seed in (1, 2, 3)]


def test_means_and_intervals_are_those_of_the_repeats(three: list[Run]) -> None:
    found = curves(three)
    assert found["trials"].tolist() == list(range(1, TRIALS + 1))
    assert (found["repeats"] == 3).all()
    best = np.array([np.minimum.accumulate(run.whole()["val_error_pct"]) for run in three])
    assert found["best"].to_numpy() == pytest.approx(best.mean(axis=0))
    for place in (0, 5, 11):
        low, high = stats.t.interval(
            0.95, 2, loc=best[:, place].mean(), scale=stats.sem(best[:, place])
        )
        row = found.iloc[place]
        assert [row["best_low"], row["best_high"]] == pytest.approx([low, high])
    areas = anytime(three, labels=["a", "b", "c"]).groupby("label")["hypervolume"].last()
    assert found["hypervolume"].iloc[-1] == pytest.approx(areas.mean())
    assert found["best"].is_monotonic_decreasing
    assert found["hypervolume"].is_monotonic_increasing


def test_searches_are_told_apart_and_few_repeats_left_out(
    three: list[Run], tmp_path: Path
) -> None:
    others = [
        searched(tmp_path / str(seed), seed, sampler="tpe", lost=seed == 4)
        for seed in (4, 5, 6)
    ]
    grouped = repeats([*three, *others])
    assert {name: len(group) for name, group in grouped.items()} == {"random": 3, "tpe": 3}
    found = curves([*three, *others])
    assert list(dict.fromkeys(found["search"])) == ["random", "tpe"]
    card = repeated_card([*three, *others[:2]])
    assert "Left out, with fewer than 3 repeats: tpe (2)." in card.sentences
    assert "1 network that lost a seed is left out of " in card.sentences[-1]
    assert not card.claims
    assert card.shown[0].draw is not None
    assert len(card.shown[0].draw().axes) == 2
    longer = [searched(tmp_path / f"e{seed}", seed, "training.epochs=2") for seed in (7, 8, 9)]
    names = list(repeats([*three, *longer]))
    assert names == ["random, 1", "random, e7"]


def test_what_is_no_repeat_is_refused(three: list[Run], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="2 runs of one search are fewer than 3; repeat it with"):
        curves(three[:2])
    other = searched(tmp_path / "lr", 9, "training.lr=0.3")
    with pytest.raises(RunError, match=r"1 run of .*the first two differ in training.lr\)"):
        curves([three[0], other])
    copy = searched(tmp_path / "copy", 1)
    with pytest.raises(RunError, match="they have 12 trials in common, and a copy is no"):
        curves([*three, copy])
    again = made(
        tmp_path / "again",
        [{"network": network(1), "seed": 7, "val_error": 9.0, "test_error": 9.0}],
        "search.sampler=random", f"search.trials={TRIALS}", "search.seed=1", text=GRID,
    )  # fmt: skip
    with pytest.raises(RunError, match=r"both have search\.seed 1, and a repeat of random has"):
        curves([*three, again])
    data = searched(tmp_path / "data", 4, "data.validation=32")
    assert "the runs saw different images" in repeated_card([*three, data]).refused
