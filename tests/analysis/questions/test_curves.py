"""Learning curves of a whole run: what NumPy says of the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from analysis.plots.curves import draw_curves
from analysis.questions.curves import EXTREMES, PERCENTILES, band, best
from search.study.events import Status
from tests.analysis.made import made, network

OVERRIDES = ("search.trials=30",)


def curves(count: int) -> np.ndarray:
    """Errors of so many trials over three epochs."""
    return np.random.default_rng(0).uniform(10, 90, size=(count, 3)).round(2)


def test_the_band_is_numpys_percentiles(tmp_path: Path) -> None:
    errors = curves(24)
    run = made(
        tmp_path,
        [{"network": network(1), "seed": i, "curve": row, "val_error": row[-1]}
         for i, row in enumerate(errors.tolist())],
        *OVERRIDES,
    )  # fmt: skip
    table = band(run)
    assert table["epoch"].tolist() == [1, 2, 3]
    assert table["trials"].tolist() == [24] * 3
    assert table["median"].to_numpy() == pytest.approx(np.median(errors, axis=0))
    expected = np.percentile(errors, [5, 95], axis=0)
    assert pytest.approx(expected) == table[["low", "high"]].to_numpy().T
    assert set(table["between"]) == {PERCENTILES}


def test_fewer_than_twenty_have_extremes_and_no_percentiles(tmp_path: Path) -> None:
    errors = curves(19)
    rows = [
        {"network": network(1), "seed": i, "curve": row}
        for i, row in enumerate(errors.tolist())
    ]
    table = band(made(tmp_path, rows, *OVERRIDES))
    assert table["low"].to_numpy() == pytest.approx(errors.min(axis=0))
    assert table["high"].to_numpy() == pytest.approx(errors.max(axis=0))
    assert set(table["between"]) == {EXTREMES}


def test_trials_that_stopped_count_as_far_as_they_went(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "curve": [50.0, 40.0, 30.0], "val_error": 30.0},
        {"network": network(2), "curve": [70.0], "status": Status.PRUNED, "val_error": 70.0},
        {"network": network(3), "curve": [60.0, 50.0], "status": None},
        {"network": network(1), "curve": [1.0, 1.0, 1.0], "phase": "confirm", "val_error": 1.0},
    ]
    table = band(made(tmp_path, rows))
    assert table["trials"].tolist() == [3, 2, 1]
    assert table["median"].tolist() == [60.0, 45.0, 30.0]


def test_the_best_are_means_over_seeds_in_order(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "seed": seed, "curve": curve, "val_error": curve[-1]}
        for width, seed, curve in (
            (1, 1, [50.0, 20.0]), (1, 2, [60.0, 40.0]), (2, 1, [90.0, 25.0]),
            (3, 1, [70.0, 26.0]), (2, 2, [80.0, 29.0]),
        )
    ]  # fmt: skip
    rows.append(
        {"network": network(4), "curve": [0.0], "status": Status.PRUNED, "val_error": 0.0}
    )
    table = best(made(tmp_path, rows, "training.epochs=2"), top=2)
    # Means after the last epoch: 30 of width 1, 27 of width 2, 26 of width 3.
    names = [network(width).name for width in (3, 3, 2, 2)]
    assert table["name"].tolist() == names
    assert table["mean"].tolist() == [70.0, 26.0, 85.0, 27.0]
    assert table["seeds"].tolist() == [1, 1, 2, 2]


def test_what_is_drawn_is_the_table(tmp_path: Path) -> None:
    rows = [{"network": network(1), "curve": [50.0, 40.0, 30.0], "val_error": 30.0}]
    run = made(tmp_path, rows)
    axes = draw_curves(band(run), best(run), run.ranking, title="a run").axes[0]
    drawn = [np.asarray(line.get_ydata(), dtype=float).tolist() for line in axes.lines]
    assert drawn == [[50.0, 40.0, 30.0]] * 2
    assert axes.get_ylabel() == "validation error (%)"


def test_without_an_epoch_it_says_so(tmp_path: Path) -> None:
    rows = [{"network": network(1), "status": Status.DIVERGED, "reason": "nan"}]
    run = made(tmp_path, rows)
    assert band(run).empty
    assert best(run).empty
    axes = draw_curves(band(run), best(run), run.ranking, title="a run").axes[0]
    assert axes.texts[0].get_text() == "no trial has finished an epoch"


def test_a_band_of_one_epoch_can_be_seen(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "seed": i, "curve": [error], "val_error": error}
        for i, error in enumerate((30.0, 40.0, 60.0))
    ]
    rows = [row | {"epochs_planned": 1} for row in rows]
    run = made(tmp_path, rows, *OVERRIDES)
    axes = draw_curves(band(run), best(run), run.ranking, title="a run").axes[0]
    corners = axes.collections[0].get_paths()[0].vertices
    assert np.ptp(corners, axis=0) == pytest.approx([0.2, 30.0])
    assert axes.get_xticks().tolist() == [1]
