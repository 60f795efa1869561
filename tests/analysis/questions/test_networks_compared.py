"""Networks by their ranks over shared seeds, by hand."""

from pathlib import Path
from typing import Any

import pytest

from analysis.plots.networks_compared import draw_networks_compared
from analysis.questions.networks_compared import MOST, networks_compared
from analysis.runs.run import RunError
from tests.analysis.made import OVERRIDES, made, network


def row(width: int, seed: int, error: float, **changes: Any) -> dict[str, Any]:
    return {
        "network": network(width, **changes), "seed": seed, "repeat": seed, "val_error": error,
        "test_error": error,
    }  # fmt: skip


def test_ranks_are_of_the_seeds_that_all_share(tmp_path: Path) -> None:
    """Errors of three networks in seeds 0, 1 and 2; a fourth network lacks the last seed."""
    errors = {1: [30.0, 31, 32], 2: [20.0, 40, 22], 3: [50.0, 51, 52]}
    rows = [row(w, s, e) for w, values in errors.items() for s, e in enumerate(values)]
    rows += [row(4, 0, 10.0), row(4, 1, 10.0)]
    found = networks_compared(made(tmp_path, rows, *OVERRIDES))
    names = [network(width).name for width in (2, 1, 3)]
    assert found.table["name"].tolist() == names
    assert found.table["rank"].tolist() == pytest.approx([4 / 3, 5 / 3, 3])
    assert found.table["mean"].tolist() == pytest.approx([82 / 3, 31, 51])
    assert (found.of, found.left_out, found.ranks.seeds) == (3, 1, 3)
    assert found.table["g"].isna().tolist() == [True, False, False]
    assert found.table["delta"].tolist()[1:] == pytest.approx([1 / 3, 1])
    assert found.ranks.distance == pytest.approx(2.343 * (12 / 18) ** 0.5, abs=1e-3)
    assert found.groups == [(0, 2)], "1.67 ranks are less than 1.91"
    figure = draw_networks_compared(found, title="known")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == names


def test_of_many_networks_the_best_are_ranked(tmp_path: Path) -> None:
    rows = [
        row(1 + i % 10, s, 10.0 + i + 0.1 * s, scale=1 + i // 10)
        for i in range(35)
        for s in range(2)
    ]
    found = networks_compared(made(tmp_path, rows, *OVERRIDES))
    assert (len(found.table), found.of) == (MOST, 35)
    assert found.table["mean"].max() == pytest.approx(10 + MOST - 1 + 0.05)


def test_more_is_better_where_the_metric_says_so(tmp_path: Path) -> None:
    rows = [
        {"network": network(w), "seed": s, "repeat": s, "metrics": {"val_score": w + s / 10}}
        for w in (1, 2)
        for s in (0, 1)
    ]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored", "search.seeds=2")
    found = networks_compared(run)
    assert found.table["name"].iloc[0] == network(2).name
    assert found.table["g"].iloc[1] > 0, "worse"


def test_one_seed_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path, [row(w, 0, 10.0 + w) for w in (1, 2)])
    with pytest.raises(RunError, match=r"2 network\(s\) share 1 seed\(s\), and ranks over"):
        networks_compared(run)
