"""A journal as tables: nothing lost, nothing invented, of every version of it."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.runs.run import read_run
from analysis.runs.tables import epoch_columns, epochs, of_one_kind, trial_columns, trials
from res2net import Architecture
from search.schema.metrics import Metric
from search.schema.seals import SEAL
from search.schema.tasks import TASKS
from search.space.configuration import architecture_to_json
from search.study.events import (
    Ended,
    Epoch,
    Lost,
    Retried,
    Started,
    Status,
)
from search.study.journal import FILE, Journal, JournalError, read
from tests.analysis.made import made, network
from tests.analysis.questions.test_series import noisy
from tests.analysis.studied import write_run
from tests.search.spaces import started_fields

NETWORK = Architecture(depth=20, planes=8, width=4, scale=3, cardinality=2)
METRICS = TASKS["classification"].metrics
RESULTS = Path(__file__).parents[3] / "analysis" / "results"
COMMITTED = sorted(path.parent for path in RESULTS.glob(f"*/{FILE}"))


def start(trial: int, **changes: object) -> Started:
    fields = {
        "trial": trial,
        "name": NETWORK.name,
        "architecture": architecture_to_json(NETWORK),
        "macs": 10**6 * (trial + 1),
    }
    return Started(**started_fields(**(fields | changes)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    one = {"train_loss": 2.0, "val_error": 70.0, "val_error_top5": 30.0}
    two = {"train_loss": 3.0, "val_error": 80.0}
    records = [
        start(0, epochs=1),
        Epoch(trial=0, epoch=1, metrics=one, images_per_s=100.0, seconds=3.0),
        Ended(
            trial=0, status=Status.OK, epochs=1, metrics={"val_error": 70.0, "test_error": 71.0}
        ),
        start(1),
        Ended(trial=1, status=Status.DIVERGED, reason="the loss is nan"),
        start(2),
        Epoch(trial=2, epoch=1, metrics=two, images_per_s=50.0, seconds=4.0),
        Ended(trial=2, status=Status.PRUNED, metrics={"val_error": 80.0}, epochs=1),
        start(3),
    ]
    with Journal(tmp_path) as journal:
        for record in records:
            journal.append(record)
    return tmp_path


def test_every_trial_is_a_row_with_its_dimensions_and_its_end(folder: Path) -> None:
    table = trials(folder, metrics=METRICS)
    assert tuple(table.columns) == trial_columns(METRICS)
    assert table["status"].tolist() == ["ok", "diverged", "pruned", "running"]
    row = table.iloc[0]
    assert (row["depth"], row["width"], row["scale"], row["cardinality"]) == (20, 4, 3, 2)
    assert (row["val_error_pct"], row["test_error_pct"]) == (70.0, 71.0)
    assert table["val_error_pct"].isna().tolist() == [False, True, False, True]
    assert table["reason"].iloc[1] == "the loss is nan"


def test_every_epoch_is_a_row(folder: Path) -> None:
    table = epochs(folder, metrics=METRICS)
    assert tuple(table.columns) == epoch_columns(METRICS)
    assert table.to_dict("records")[:1] == [
        {
            "trial": 0, "epoch": 1, "train_loss": 2.0, "val_error_pct": 70.0,
            "val_error_top5_pct": 30.0, "images_per_s": 100.0, "seconds": 3.0,
        }
    ]  # fmt: skip
    assert table.iloc[1].isna().sum() == 1, "what was not reported"


def test_the_parts_of_a_loss_are_columns_where_a_task_tells_them(tmp_path: Path) -> None:
    metrics = {"train_loss": 3.0, "train_boxes": 1.0, "train_classes": 2.0, "val_error": 7.0}
    with Journal(tmp_path) as journal:
        journal.append(start(0))
        journal.append(Epoch(trial=0, epoch=1, metrics=metrics, images_per_s=1.0, seconds=3.0))
    table = epochs(tmp_path, metrics=METRICS)
    assert list(table)[2:5] == ["train_loss", "train_boxes", "train_classes"]
    assert table.loc[0, ["train_boxes", "train_classes"]].tolist() == [1.0, 2.0]


def test_columns_are_of_the_metrics(folder: Path) -> None:
    metrics = [Metric("error", unit="%"), Metric("score", "maximize"), Metric("time", unit="s")]
    shown = [column for column in trial_columns(metrics) if column.startswith(("val", "test"))]
    assert shown == [
        "val_error_pct", "val_score", "val_time", "test_error_pct", "test_score", "test_time",
    ]  # fmt: skip
    assert trials(folder, metrics=metrics)["val_score"].isna().all()
    assert epochs(folder, metrics=metrics)["val_score"].isna().all(), "none was reported"


def test_what_a_foreign_objective_counted_is_a_column(tmp_path: Path) -> None:
    name = "tests.analysis.foreign:blocks"
    rows = [{"network": network(1), "val_error": 1.0, "counted": {name: 3.0}}]
    run = made(tmp_path, rows, f"search.objectives=[val_error, {name}]")
    assert run.trials[name].tolist() == [3.0]


@pytest.mark.parametrize("committed", COMMITTED, ids=lambda path: path.name)
def test_committed_journals_give_the_committed_tables(committed: Path) -> None:
    """Of version 1, whose tables must stay cell by cell what they were."""
    run = read_run(committed)
    for name, table in (("trials", of_one_kind(run.trials)), ("epochs", run.epochs)):
        assert table.to_csv(index=False) == (committed / f"{name}.csv").read_text(), name


def test_epochs_in_bulk_are_those_of_the_records(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy)
    records = [record for record in read(folder) if isinstance(record, Epoch)]
    table = epochs(folder, metrics=METRICS)
    assert table["trial"].tolist() == [record.trial for record in records]
    for name, column in (("val_error", "val_error_pct"), ("train_loss", "train_loss")):
        assert table[column].tolist() == [record.metrics[name] for record in records]
    assert not any(isinstance(record, Epoch) for record in read(folder, epochs=False))


def test_both_versions_of_the_journal_are_read_in_bulk(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, stop_after=3)
    before = epochs(folder, metrics=METRICS)
    path = folder / FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [{key: line[key] for key in line if key != SEAL} for line in lines]
    lines[0]["version"] = 2
    older = [
        {key: value for key, value in line.items() if key != "metrics"}
        | line.get("metrics", {})
        for line in lines
    ]
    for kept in (lines[:0], lines[:6]):  # all of version 1, and a part of it
        mixed = [json.dumps(one, separators=(",", ":")) for one in (*kept, *older[len(kept) :])]
        path.write_text("\n".join([*mixed, ""]))
        pd.testing.assert_frame_equal(epochs(folder, metrics=METRICS), before)


def test_a_torn_last_line_costs_nothing_and_damage_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, stop_after=3)
    journal = folder / FILE
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"event":"epoch","tri')
    assert len(epochs(folder, metrics=METRICS)) == 6
    lines = whole.split(b"\n")
    lines[2] = lines[2][:40]
    journal.write_bytes(b"\n".join(lines))
    with pytest.raises(JournalError, match=r"journal.jsonl:3: is damaged"):
        epochs(folder, metrics=METRICS)


def test_an_end_without_a_start_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, stop_after=2)
    journal = folder / FILE
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"start","trial":1,' not in line))
    with pytest.raises(JournalError, match=":6: trial 1 reports epoch 1 and never"):
        read_run(folder)


STAGES = {"width": (4, 8, 8), "scale": (1, 2, 4), "cardinality": (1, 1, 2)}


@pytest.mark.parametrize("listed", [(), ("scale",), ("width", "cardinality"), tuple(STAGES)])
@pytest.mark.parametrize("alone", [True, False])
def test_a_column_of_the_file_is_of_one_kind(
    listed: tuple[str, ...], alone: bool, tmp_path: Path
) -> None:
    changes = {name: STAGES[name] for name in listed}
    rows = [
        {"network": network(2, scale=3), "val_error": 70.0},
        {"network": network(**({"width": 2} | changes)), "val_error": 60.0},
        {"network": network(5), "status": None},
    ]
    run = made(tmp_path, rows[1:2] if alone else rows)
    table = pd.read_csv(io.StringIO(of_one_kind(run.trials).to_csv(index=False)))
    for name, sizes in STAGES.items():
        each = table[f"{name}_per_stage"]
        assert pd.api.types.is_numeric_dtype(table[name])
        assert (table[name].isna() == each.notna()).all(), "one of the two, always"
        lists = [".".join(map(str, sizes))] if name in listed else []
        assert each.dropna().tolist() == lists
    others = [name for name in run.trials if name not in STAGES]
    assert of_one_kind(run.trials)[others].equals(run.trials[others])


def test_a_run_without_trials_has_the_same_columns(tmp_path: Path) -> None:
    some = made(tmp_path / "a", [{"network": network(1), "val_error": 70.0}])
    none = made(tmp_path / "b", [])
    assert list(of_one_kind(none.trials)) == list(of_one_kind(some.trials))


def test_a_trial_that_is_tried_again_is_under_way(folder: Path) -> None:
    before = trials(folder, metrics=METRICS)
    with Journal(folder) as journal:
        ended = next(r for r in journal.records() if isinstance(r, Ended) and r.trial == 1)
        journal.append(Retried(trial=1))
        journal.append(Lost(trial=1, reason="its node is gone", times=1))
    under_way = trials(folder, metrics=METRICS)
    assert under_way["status"].tolist() == ["ok", "running", "pruned", "running"]
    assert under_way["reason"].iloc[1] == ""
    with Journal(folder) as journal:
        journal.append(ended)
    assert trials(folder, metrics=METRICS).equals(before)
