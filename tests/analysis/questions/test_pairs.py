"""A few networks two by two: Tukey's test, what is of equal size, and refusals."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.own import own_card
from analysis.cards.pairs import pairs_card
from analysis.questions.pairs import labelled, pairs_compared, told_apart
from analysis.runs.run import Run, RunError
from search.study.events import Status
from tests.analysis.made import made, network

WORTH = {1: 0.0, 2: 0.0, 3: 5.0, 4: 9.0}


def studied(folder: Path, *, seeds: int = 5, noise: float = 1.0, count: int = 4) -> Run:
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = [
        {"network": network(width), "seed": seed, "repeat": seed,
         "val_error": 50.0, "test_error": 40 - WORTH.get(width, 0.0) + noise * rng.normal()}
        for width in range(1, count + 1) for seed in range(seeds)
    ]  # fmt: skip
    return made(folder, rows, f"search.trials={count}", f"search.seeds={seeds}")


def test_pairs_are_held_at_once_as_tukey_does(tmp_path: Path) -> None:
    run = studied(tmp_path)
    frame = pairs_compared(run)
    assert len(frame) == 6
    q = stats.studentized_range.ppf(0.975, 4, 12) / np.sqrt(2)
    t = stats.t.ppf(0.9875, 12)
    wider = (frame["high_all"] - frame["difference"]) / (frame["high"] - frame["difference"])
    assert frame.attrs["pooled"]
    assert wider.to_numpy() == pytest.approx(np.full(6, q / t), rel=0.03)
    assert (frame["difference"] >= 0).all(), "the better one is first"


def test_words_name_those_that_differ_with_their_sizes(tmp_path: Path) -> None:
    said, claims = told_apart(pairs_compared(studied(tmp_path)))
    assert "Of 6 pairs, held at once, 5 differ" in said[0]
    wanted = "width 4 is better than width 1 at 3.62 times the multiply-adds"
    assert any(wanted in text for text in claims)
    assert not any("width 1" in text and "width 2" in text for text in claims)


def test_two_networks_are_one_pair_in_points(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "seed": seed, "repeat": seed, "val_error": 50.0,
         "test_error": 40.0 - 9 * width + 0.1 * (seed * width % 3)}
        for width in (1, 2) for seed in range(4)
    ]  # fmt: skip
    said, claims = told_apart(
        pairs_compared(made(tmp_path, rows, "search.trials=2", "search.seeds=4"))
    )
    assert len(said) == len(claims) == 1
    assert re.search(
        r"width 2 is better than .*: \+\d\.\d\d points of test accuracy \(", said[0]
    )


def test_a_score_without_a_unit_has_its_digits(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "seed": seed, "repeat": seed,
         "metrics": {"val_score": 0.5, "test_score": width / 1000 + (seed * width % 3) / 1e5}}
        for width in (1, 2, 3) for seed in range(4)
    ]  # fmt: skip
    task = "task=tests.analysis.foreign:Scored"
    run = made(tmp_path, rows, "search.trials=3", "search.seeds=4", task)
    said, claims = told_apart(pairs_compared(run))
    assert any(re.search(r"width 3 is better than width 1 .*: \+0\.00\d{3}", s) for s in claims)
    assert "+0.00 " not in " ".join(said)
    form = {column.key: column.form for column in pairs_card(run).shown[0].columns}
    assert form["difference"] == "+.4g"


def test_where_nothing_differs_nothing_is_said_to(tmp_path: Path) -> None:
    run = studied(tmp_path, noise=30.0)
    said, claims = told_apart(pairs_compared(run))
    assert said == [
        "The data do not tell any two of the 4 networks apart (6 pairs held at once)."
    ]
    assert not claims


@pytest.mark.parametrize(
    ("seeds", "count", "reason"),
    [
        (1, 3, "no two networks have two seeds in common"),
        (2, 12, "12 networks were trained whole, and two by two are compared 2 to 11"),
        (2, 1, "1 network was trained whole"),
    ],
)
def test_what_cannot_be_told_is_refused(
    tmp_path: Path, seeds: int, count: int, reason: str
) -> None:
    run = studied(tmp_path, seeds=seeds, count=count)
    with pytest.raises(RunError, match=reason):
        pairs_compared(run)
    assert reason in pairs_card(run).refused


def test_values_of_each_stage_are_values_like_others(tmp_path: Path) -> None:
    forms: list[Any] = [2, (1, 2, 2, 4)]
    rows = [
        {"network": network(4, scale=scale, depth=(1, 1, 1, 1), skeleton="imagenet"), "seed": s,
         "repeat": s, "val_error": 10.0, "test_error": 20.0 + 5 * i + s / 10 * (i + 1)}
        for i, scale in enumerate(forms) for s in (0, 1)
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=2", "search.seeds=2")
    assert [*labelled(run.whole()).values()] == ["scale 2", "scale 1.2.2.4"]


def test_depths_of_equally_many_layers_are_told_apart_by_name(tmp_path: Path) -> None:
    networks = [network(2, depth=blocks) for blocks in ((1, 2, 3), (3, 2, 1))]
    rows = [
        {"network": one, "seed": seed, "repeat": seed, "val_error": 50.0, "test_error": 40.0}
        for one in networks for seed in range(2)
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=2", "search.seeds=2")
    assert labelled(run.whole()) == {one.name: one.name for one in networks}


def test_networks_that_lost_a_seed_are_said_with_their_number(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(width), "seed": seed, "repeat": seed, "val_error": 50.0,
         "test_error": 40.0 - 9 * width + 0.1 * (seed * width % 3)}
        for width in (1, 2, 3) for seed in range(4)
    ]  # fmt: skip
    rows[-1] = {"network": network(3), "seed": 3, "repeat": 3, "status": Status.FAILED}
    contrast = f"{{mine: {{{network(3).name}: 1, {network(2).name}: -1}}}}"
    asked = ("search.trials=3", "search.seeds=4", f"analysis.contrasts={contrast}")
    run = made(tmp_path, rows, *asked)
    frame = pairs_compared(run)
    assert frame["seeds"].tolist() == [3, 3, 4]
    lost = f"Trials that failed: {network(3).name} (1). The other seeds of these"
    for card in (pairs_card(run), own_card(run)):
        said = " ".join(card.sentences)
        assert "3 to 4 seeds)" in said, card.name
        assert lost in said, card.name
    assert sum(", 4 seeds)" in one for one in pairs_card(run).sentences) == 1
