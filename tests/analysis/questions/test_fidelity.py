"""Ranks of validation and test, of early epochs and the end, against scipy and by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.plots.fidelity import draw_fidelity
from analysis.questions.fidelity import fidelity, noise_ceiling, rungs
from analysis.runs.run import Run, RunError
from analysis.statistics.components import ceiling
from search.study.events import Status
from tests.analysis.made import made, network

EPOCHS = 8


def curved(seeds: int = 2, networks: int = 12) -> list[dict[str, Any]]:
    """Networks whose curves begin in a random order and end in that of their widths."""
    rng, rows = np.random.default_rng(0), []
    for place in range(networks):
        begin = rng.uniform(60, 90)
        for seed in range(seeds):
            end = 20.0 + place + rng.normal(0, 1)
            curve = np.linspace(begin, end, EPOCHS).tolist()
            shape = network(1 + place % 4, scale=1 + place // 4)
            rows.append(
                {"network": shape, "seed": seed, "repeat": seed, "curve": curve,
                 "val_error": curve[-1], "test_error": float(end + rng.normal(0, 2))}
            )  # fmt: skip
    return rows


def studied(folder: Path, rows: list[dict[str, Any]], *more: str) -> Run:
    return made(folder, rows, "search.trials=12", "search.seeds=2", "training.epochs=8", *more)


def test_tau_is_scipy_s_of_means_over_seeds(tmp_path: Path) -> None:
    rows = curved()
    run = studied(tmp_path, rows)
    found = fidelity(run)
    assert found["epoch"].tolist()[1:] == [1, 2, 4], "an eighth, a quarter and half of 8"
    end = np.array([row["val_error"] for row in rows]).reshape(12, 2).mean(axis=1)
    others = [[row["test_error"] for row in rows]]
    others += [[row["curve"][epoch - 1] for row in rows] for epoch in (1, 2, 4)]
    for place, values in enumerate(others):
        means = np.array(values).reshape(12, 2).mean(axis=1)
        row = found.loc[place]
        assert row["tau"] == pytest.approx(stats.kendalltau(means, end).statistic)
        assert (row["networks"], row["top"]) == (12, 5)
        first, second = (end, means) if place == 0 else (means, end)
        best = {*np.argsort(first)[:5]} & {*np.argsort(second)[:5]}
        assert (row["found"], row["by_chance"]) == (len(best), pytest.approx(25 / 12))
    scores = [row["val_error"] for row in rows]
    networks = [f"n{i // 2}" for i in range(24)]
    assert noise_ceiling(run) == ceiling(networks, [0, 1] * 12, scores)
    figure = draw_fidelity(found, noise_ceiling(run), title="known")
    drawn = figure.axes[0].lines
    assert any(list(line.get_xdata()) == found["tau"].tolist() for line in drawn)


def test_seven_networks_have_an_exact_p(tmp_path: Path) -> None:
    found = fidelity(studied(tmp_path, curved(networks=7)))
    assert found["low"].isna().all()
    assert found["p_exact"].between(0, 1).all()
    assert found["top"].isna().all(), "of fewer than ten the five best are too many"


def test_trials_that_were_stopped_are_left_aside(tmp_path: Path) -> None:
    rows = curved()
    for row in rows[8:]:
        del row["val_error"], row["test_error"]
        row |= {"status": Status.PRUNED, "curve": row["curve"][:3]}
    run = studied(tmp_path, rows, "scheduler=asha")
    assert (rungs(run).epochs, rungs(run).of_scheduler) == ((3,), True)
    assert fidelity(run)["networks"].tolist() == [4, 4]


def test_scores_without_an_order_have_no_tau(tmp_path: Path) -> None:
    rows = [row | {"test_error": 50.0} for row in curved()]
    found = fidelity(studied(tmp_path, rows))
    assert "second: all 12 values are 50.0" in found["refused"].iloc[0]
    assert np.isnan(found["tau"].iloc[0])


def test_few_tested_networks_have_no_tau(tmp_path: Path) -> None:
    rows = curved()
    for row in rows[6:]:
        del row["test_error"]
    found = fidelity(studied(tmp_path, rows))
    assert found["refused"].iloc[0] == "both are known of 3 networks, fewer than 4"


def test_what_has_no_ranks_is_refused(tmp_path: Path) -> None:
    few = studied(tmp_path / "few", curved(networks=3))
    with pytest.raises(RunError, match=r"3 network\(s\) were trained whole, and ranks are"):
        fidelity(few)
    one = studied(tmp_path / "one", curved(seeds=1))
    with pytest.raises(RunError, match="each network has one seed, which says nothing of how"):
        noise_ceiling(one)
    same = [row | {"val_error": 10.0 + i // 2} for i, row in enumerate(curved())]
    with pytest.raises(RunError, match="they differ by network and seed alone"):
        noise_ceiling(studied(tmp_path / "same", same))


def test_of_several_lengths_early_epochs_are_compared_among_the_longest(tmp_path: Path) -> None:
    """Of the others such an epoch is the end itself."""
    rows = [
        row | {"curve": row["curve"][:4], "val_error": row["curve"][3], "epochs_planned": 4}
        if place >= 12
        else row
        for place, row in enumerate(curved())
    ]
    found = fidelity(studied(tmp_path, rows, "training.epochs=[4, 8]"))
    assert found["networks"].tolist() == [12, 6, 6, 6]
