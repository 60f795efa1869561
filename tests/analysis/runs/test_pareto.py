"""The Pareto front against brute force, in any number of objectives and either direction."""

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.runs.networks import by_network, networks
from analysis.runs.pareto import compared, cost_axis, non_dominated
from search.schema.metrics import COUNTED, Objective
from search.study.events import Status
from tests.analysis.made import OVERRIDES, made, network, seeded

ERROR = Objective("val_error", "minimize", "reported", "%", "accuracy")
SCORE = Objective("val_score", "maximize", "reported")
COST = Objective("macs", "minimize", "counted")
ROWS = st.lists(st.tuples(*[st.integers(1, 6)] * 3), min_size=0, max_size=25)


def dominates(a: tuple[int, ...], b: tuple[int, ...], chosen: list[Objective]) -> bool:
    losses = [(one.loss(x), one.loss(y)) for one, x, y in zip(chosen, a, b, strict=True)]
    return all(x <= y for x, y in losses) and any(x < y for x, y in losses)


@settings(max_examples=120, deadline=None)
@given(ROWS, st.sets(st.sampled_from([ERROR, SCORE, COST]), min_size=1))
def test_the_front_is_what_brute_force_finds(
    rows: list[tuple[int, ...]], chosen: set[Objective]
) -> None:
    order = sorted(chosen, key=lambda one: one.name)
    rows = [row[: len(order)] for row in rows]
    frame = pd.DataFrame(rows, columns=[one.column for one in order])
    expected = [not any(dominates(other, row, order) for other in rows) for row in rows]
    assert non_dominated(frame, order).tolist() == expected


def test_a_network_without_a_value_is_not_on_the_front() -> None:
    frame = pd.DataFrame({"val_error_pct": [1.0, math.nan, 2.0], "macs": [5, 1, 4]})
    assert non_dominated(frame, [ERROR, COST]).tolist() == [True, False, True]


def test_a_single_objective_is_set_against_multiply_adds() -> None:
    assert compared([ERROR], ERROR) == (ERROR, COUNTED["macs"])
    assert compared([ERROR, COUNTED["params"]], ERROR) == (ERROR, COUNTED["params"])
    assert cost_axis([ERROR, COUNTED["params"], COUNTED["macs"]]) == COUNTED["params"]
    assert cost_axis([ERROR, SCORE]) == COUNTED["macs"]


def test_stopped_trials_and_confirmations_are_not_on_the_front(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "val_error": 30.0},
        {"network": network(2), "val_error": 20.0, "status": Status.PRUNED},
        {"network": network(3), "status": Status.DIVERGED},
        {"network": network(3), "val_error": 1.0, "phase": "confirm"},
    ]
    points = by_network(made(tmp_path, rows))
    assert points["trial"].tolist() == [0, 1]
    assert points["on_front"].tolist() == [True, False]
    assert points["whole"].tolist() == [True, False]


def test_one_front_for_tables_and_figures(tmp_path: Path) -> None:
    """Of means, and over the study's own objectives: here a metric that is to be large."""
    rows = [
        {"network": network(width), "repeat": repeat, "seed": repeat,
         "metrics": {"val_score": value, "test_score": value, "val_time": 5.0 - width}}
        for width, values in {1: [3.0, 1.0], 2: [2.5, 2.5], 3: [1.0, 4.0]}.items()
        for repeat, value in enumerate(values)
    ]  # fmt: skip
    chosen = ("search.trials=3", "search.seeds=2", "task=tests.analysis.foreign:Scored")
    alone = made(tmp_path / "alone", rows, *chosen)
    table = networks(alone)
    assert table["val_mean"].tolist() == [2.5, 2.5, 2.0], "the best first"
    assert table["name"].tolist()[0] == network(2).name, "of equals the cheaper first"
    points = by_network(alone).set_index("name")["on_front"]
    assert points.to_dict() == {
        network(1).name: True, network(2).name: True, network(3).name: False,
    }  # fmt: skip
    assert table.set_index("name")["on_front"].to_dict() == points.to_dict()
    timed = made(tmp_path / "timed", rows, *chosen, "search.objectives=[val_score, val_time]")
    assert [one.name for one in timed.compared] == ["val_score", "val_time"]
    front = networks(timed).set_index("name")["on_front"]
    assert front.to_dict() == {
        network(1).name: False, network(2).name: False, network(3).name: True,
    }  # fmt: skip


def test_every_score_of_a_network_is_its_mean(tmp_path: Path) -> None:
    run = made(tmp_path, seeded(), *OVERRIDES)
    points = by_network(run).set_index("name")
    for name, members in run.whole().groupby("name"):
        for column in (run.ranking.column, run.tested.column):
            assert points.loc[name, column] == pytest.approx(members[column].mean())
            assert members[column].std() > 0
