"""What is drawn of the front are the points of its table, on the axes of the study."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from analysis.plots.pareto import draw_pareto
from analysis.runs.networks import by_network
from analysis.runs.run import Run
from search.study.events import Status
from tests.analysis.made import made, network

ROWS = [
    {"network": network(1), "val_error": 70.0},
    {"network": network(2), "val_error": 60.0, "status": Status.PRUNED},
    {"network": network(3), "val_error": 50.0},
]
SCORES = [
    {"network": network(width), "metrics": {"val_score": score, "val_time": 1.0}}
    for width, score in ((1, 0.4), (2, 0.7), (3, 0.6))
]


def drawn(run: Run) -> Axes:
    return draw_pareto(by_network(run), run.compared, title="demo").axes[0]


def points(axes: Axes) -> set[tuple[float, float]]:
    return {
        (round(float(x), 6), round(float(y), 6))
        for collection in axes.collections
        for x, y in np.asarray(collection.get_offsets())
    }


def test_accuracy_against_multiply_adds(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS)
    axes, macs = drawn(run), run.trials["macs"] / 1e3
    assert points(axes) == {
        (round(x, 6), y) for x, y in zip(macs, (30.0, 40.0, 50.0), strict=True)
    }
    assert axes.get_xlabel() == "multiply-adds per image (K)"
    assert axes.get_ylabel() == "validation accuracy (%)"
    steps = [line for line in axes.lines if line.get_label() == "Pareto front"]
    assert np.asarray(steps[0].get_ydata()).tolist() == [30.0, 50.0]


def test_the_study_s_own_cost_is_the_axis(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS, "search.objectives=[val_error, params]")
    axes = drawn(run)
    assert axes.get_xlabel() == "parameters (K)"
    assert {x for x, _ in points(axes)} == {
        round(params / 1e3, 6) for params in run.trials["params"]
    }


def test_a_metric_that_is_no_error_is_drawn_as_it_is(tmp_path: Path) -> None:
    run = made(tmp_path, SCORES, "task=tests.analysis.foreign:Scored")
    axes = drawn(run)
    assert axes.get_ylabel() == "validation score"
    assert {y for _, y in points(axes)} == {0.4, 0.7, 0.6}
    assert axes.texts[0].get_text() == network(2).name, "the best is the largest"


def test_a_front_of_other_objectives_is_ringed(tmp_path: Path) -> None:
    chosen = ("task=tests.analysis.foreign:Scored", "search.objectives=[val_score, val_time]")
    axes = drawn(made(tmp_path, SCORES, *chosen))
    assert axes.get_xlabel() == "multiply-adds per image (K)"
    assert not [line for line in axes.lines if line.get_label() == "Pareto front"]
    rings = [one for one in axes.collections if one.get_label() == "Pareto front"]
    assert np.asarray(rings[0].get_offsets())[:, 1].tolist() == [0.7]


@pytest.mark.parametrize("rows", [[], [{"network": network(1), "status": None}]])
def test_a_run_without_results_is_drawn_and_says_so(
    rows: list[dict[str, object]], tmp_path: Path
) -> None:
    run = made(tmp_path, rows)
    assert drawn(run).texts[0].get_text() == "no trial has a validation error"
    assert run.epochs.empty
