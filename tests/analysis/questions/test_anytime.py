"""What a search had found after each trial, by hand and against random orders."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from analysis.plots.anytime import draw_anytime
from analysis.questions.anytime import anytime
from analysis.runs.run import RunError, read_run
from search.study.events import Status
from tests.analysis.made import made, network
from tests.analysis.questions.test_sampling import tried

ERRORS = (30.0, 40.0, 20.0, 10.0)


def test_the_best_and_the_area_so_far(tmp_path: Path) -> None:
    """Wider networks cost more; one trial in the middle failed, after half an hour as all."""
    rows = [
        {"network": network(w), "val_error": error, "test_error": error, "seconds": 1800.0}
        for w, error in enumerate(ERRORS, 1)
    ]
    failed = {"network": network(9), "status": Status.DIVERGED, "seconds": 1800.0}
    run = made(tmp_path, [*rows[:2], failed, *rows[2:]], "search.trials=5")
    found = anytime([run], labels=["one"]).set_index("trials")
    assert found["best"].to_dict() == {1: 30, 2: 30, 3: 30, 4: 20, 5: 10}
    assert found["networks"].tolist() == [1, 2, 2, 3, 4]
    share = run.device_share[0]
    assert found["hours"].tolist() == pytest.approx([share * n / 2 for n in range(1, 6)])
    macs = run.whole()["macs"].to_numpy(dtype=float)
    x = (macs - macs.min()) / np.ptp(macs)
    areas = [1 / 3, 1 / 3, 1 / 3, 1 / 3 + (1 - x[2]) / 3, 1 / 3 + (1 - x[2]) / 3]
    assert found["hypervolume"].tolist() == pytest.approx(areas)
    figure = draw_anytime(
        found.reset_index(), run.ranking, run.cost_axis, kind="CPU", title="known"
    )
    assert list(figure.axes[0].lines[0].get_ydata()) == found["best"].tolist()


def test_random_orders_are_counted(tmp_path: Path) -> None:
    found = anytime(
        [
            tried(
                tmp_path,
                shapes=[(w, 1) for w in (1, 2, 3, 4)],
            )
        ],
        labels=["grid"],
    )
    assert found["low"].isna().all(), "a part of a grid is no sample"
    rows = [
        {"network": network(w), "val_error": error, "test_error": error}
        for w, error in enumerate(ERRORS, 1)
    ]
    sampled = anytime([made(tmp_path / "b", rows, "search.trials=4")], labels=["random"])
    orders = list(permutations(ERRORS))
    for row in sampled.itertuples():
        best = [min(order[: row.trials]) for order in orders]
        ends = np.quantile(best, [0.05, 0.95], method="inverted_cdf")
        assert (row.low, row.high) == tuple(ends)


def test_trials_count_as_they_ended(tmp_path: Path) -> None:
    """In the journal of two workers the second trial's epoch stands before the first's."""
    rows = [
        {
            "network": network(w),
            "val_error": e,
            "test_error": e,
            "curve": [e],
            "epochs_planned": 1,
        }
        for w, e in ((1, 30.0), (2, 20.0))
    ]
    run = made(tmp_path, rows, "search.trials=2")
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    later = [line for line in lines if '"trial":0' in line and '"start"' not in line]
    moved = [*(line for line in lines if line not in later), *later]
    assert anytime([run], labels=["a"])["best"].tolist() == [30, 20]
    (tmp_path / "journal.jsonl").write_text("\n".join([*moved, ""]))
    assert anytime([read_run(tmp_path)], labels=["a"])["best"].iloc[0] == 20


def test_several_runs_share_what_their_area_is_of(tmp_path: Path) -> None:
    runs = []
    for place, errors in enumerate(((30.0, 20.0), (40.0, 10.0))):
        rows = [
            {"network": network(w), "seed": s, "repeat": s, "val_error": e, "test_error": e}
            for w, e in enumerate(errors, 1)
            for s in (0, 1)
        ]
        runs.append(made(tmp_path / str(place), rows, "search.trials=2", "search.seeds=2"))
    found = anytime(runs, labels=["a", "b"])
    ends = found.groupby("label").tail(1).set_index("label")
    assert ends["networks"].tolist() == [2, 2]
    assert ends["trials"].tolist() == [4, 4]
    # The cheaper network is at cost 0, the dearer at 1, where nothing is gained.
    assert ends["hypervolume"].to_dict() == pytest.approx({"a": 1 / 3, "b": 0})


def test_a_run_without_a_whole_network_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path, [{"network": network(1), "status": Status.FAILED}])
    with pytest.raises(RunError, match="no network was trained whole without losing"):
        anytime([run], labels=["none"])
