"""A journal as tables and as a picture: nothing lost, nothing invented."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.plots.main import draw_accuracy_vs_macs
from analysis.runs.pareto import accuracy_vs_macs
from analysis.runs.tables import EPOCH_COLUMNS, TRIAL_COLUMNS, epochs, trials
from analysis.summary import main, summarise
from res2net import Architecture
from search.study.events import Ended, Epoch, Started, Status, architecture_to_json
from search.study.journal import Journal
from tests.search.spaces import started_fields

NETWORK = Architecture(depth=20, planes=8, width=4, scale=3, cardinality=2)


def start(trial: int, **changes: object) -> Started:
    fields = {
        "trial": trial,
        "name": NETWORK.name,
        "architecture": architecture_to_json(NETWORK),
        "macs": 10**6 * (trial + 1),
    }
    return Started(**started_fields(**(fields | changes)))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    records = [
        start(0),
        Epoch(
            trial=0, epoch=1, train_loss=2.0, val_error=70.0, val_error_top5=30.0,
            images_per_s=100.0, seconds=3.0,
        ),
        Ended(trial=0, status=Status.OK, val_error=70.0, test_error=71.0, epochs=1),
        start(1),
        Ended(trial=1, status=Status.DIVERGED, reason="the loss is nan"),
        start(2),
        Ended(trial=2, status=Status.PRUNED, val_error=80.0, epochs=1),
        start(3),
    ]  # fmt: skip
    with Journal(tmp_path) as journal:
        for record in records:
            journal.append(record)
    config = {"study": "demo", "data": {"name": "digits"}, "training": {"epochs": 3}}
    (tmp_path / "manifest.json").write_text(
        json.dumps({"config": config, "starts": []}), encoding="utf-8"
    )
    return tmp_path


def test_every_trial_is_a_row_with_its_dimensions_and_its_end(run: Path) -> None:
    table = trials(run)
    assert tuple(table.columns) == TRIAL_COLUMNS
    assert table["status"].tolist() == ["ok", "diverged", "pruned", "running"]
    row = table.iloc[0]
    assert (row["depth"], row["width"], row["scale"], row["cardinality"]) == (20, 4, 3, 2)
    assert (row["val_error_pct"], row["test_error_pct"]) == (70.0, 71.0)
    assert table["val_error_pct"].isna().tolist() == [False, True, False, True]
    assert table["reason"].iloc[1] == "the loss is nan"


def test_every_epoch_is_a_row(run: Path) -> None:
    table = epochs(run)
    assert tuple(table.columns) == EPOCH_COLUMNS
    assert table.to_dict("records") == [
        {
            "trial": 0, "epoch": 1, "train_loss": 2.0, "val_error_pct": 70.0,
            "val_error_top5_pct": 30.0, "images_per_s": 100.0, "seconds": 3.0,
        }
    ]  # fmt: skip


def test_a_summary_writes_what_it_says(run: Path) -> None:
    written = summarise(run)
    assert pd.read_csv(written["trials"])["trial"].tolist() == [0, 1, 2, 3]
    assert written["figure"].read_bytes().startswith(b"\x89PNG")
    assert not list(run.rglob("*.part"))


def test_a_run_without_results_is_drawn_and_says_so(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(start(0))
    points = accuracy_vs_macs(trials(tmp_path))
    assert points.empty
    figure = draw_accuracy_vs_macs(points, title="nothing yet")
    assert figure.axes[0].texts[0].get_text() == "no trial has a validation error"
    assert epochs(tmp_path).empty


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(pairs: list[tuple[int, int]]) -> None:
    table = pd.DataFrame(
        [
            {
                "trial": i,
                "phase": "search",
                "status": "ok",
                "macs": m,
                "val_error_pct": float(e),
                "scale": 1,
            }
            for i, (m, e) in enumerate(pairs)
        ]
    )
    points = accuracy_vs_macs(table)
    front = set(
        zip(*(points[points["on_front"]][c] for c in ("macs", "val_error_pct")), strict=True)
    )
    beaten = {
        (m, e) for m, e in pairs for n, f in pairs if n <= m and f <= e and (n, f) != (m, e)
    }
    assert front == set(pairs) - beaten


def test_stopped_trials_and_confirmations_are_not_on_the_front(run: Path) -> None:
    points = accuracy_vs_macs(trials(run))
    assert points["trial"].tolist() == [0, 2]
    assert points["on_front"].tolist() == [True, False]
    confirmed = trials(run).assign(phase="confirm")
    assert accuracy_vs_macs(confirmed).empty


def test_what_is_drawn_are_the_points(run: Path) -> None:
    points = accuracy_vs_macs(trials(run))
    axes = draw_accuracy_vs_macs(points, title="demo").axes[0]
    drawn = {tuple(map(float, xy)) for c in axes.collections for xy in c.get_offsets()}
    assert drawn == {(1.0, 30.0), (3.0, 20.0)}
    assert axes.get_xlabel() == "multiply-adds per image (millions)"


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run)]) == 0
    assert f"figure: {run}/figures/accuracy_vs_macs.png" in capsys.readouterr().out


def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds no journal.jsonl; name a run" in capsys.readouterr().err
    assert main([]) == 2


def test_a_damaged_journal_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "journal.jsonl").write_text("{\n{}\n", encoding="utf-8")
    assert main([str(run)]) == 2
    assert "is damaged" in capsys.readouterr().err
