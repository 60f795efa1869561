"""Results that do not answer a study are refused before anything runs, in their own words."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from search.replay.exporting import finished_run
from search.replay.from_csv import csv_source
from search.replay.from_run import run_source
from search.run import main
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.events import Status
from search.study.journal import Journal
from search.study.study import Study
from tests.search.replay.tables import Row, rows_of, write_table
from tests.search.spaces import TINY, resolved_of, write
from tests.search.study.test_study import end_of, run

GRID = TINY.replace("sampler: random, trials: 3", "sampler: grid")
NETWORK = "resnet11_2w_2p_4classes"


def told(tmp_path: Path, place: Path | str, *overrides: str) -> str:
    """What a replay of a place is refused with; nothing is written."""
    space, out = write(tmp_path, GRID), tmp_path / "run"
    chosen = [f"--set={one}" for one in (f"execution={{replay: {place}}}", *overrides)]
    assert main([str(space), *chosen, f"--out={out}"]) == 2
    assert not out.exists()
    return str(out)


def dropped(rows: list[Row], **which: object) -> list[Row]:
    return [row for row in rows if any(row[key] != value for key, value in which.items())]


def changed(rows: list[Row], index: int, **values: object) -> list[Row]:
    rows[index] |= values
    return rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: dropped(rows, network=NETWORK),
            "lacks 1 of the 32 candidates, such as " + NETWORK,
        ),
        (lambda rows: dropped(rows, network=NETWORK, repeat=1), None),
        (
            lambda rows: dropped(rows, network=NETWORK, repeat=0, epoch=3),
            "repeat 0, has 2 epochs, but training.epochs is 3",
        ),
        (
            lambda rows: dropped(rows, network=NETWORK, repeat=0, epoch=2),
            r"table.csv:\d+: epoch 3 comes after 1; number them 1, 2, 3; correct this line",
        ),
        (
            lambda rows: changed(rows, 1, val_error=""),
            "repeat 0, has no val_error at epoch 2, but search.objectives names it",
        ),
        (
            lambda rows: changed(rows, 4, val_error="abc"),
            "table.csv:6: val_error is 'abc', not a finite number",
        ),
        (lambda rows: changed(rows, 4, seconds=-1), "table.csv:6: seconds is '-1'"),
        (lambda rows: changed(rows, 4, seconds="nan"), "table.csv:6: seconds is 'nan'"),
        (lambda rows: changed(rows, 4, epoch="2.5"), "table.csv:6: epoch is '2.5'"),
        (lambda rows: changed(rows, 4, network="VGG"), "table.csv:6: network is 'VGG'"),
        (lambda rows: changed(rows, 2, status="fine"), "table.csv:4: status is 'fine'"),
        (lambda rows: changed(rows, 1, status="diverged"), "table.csv:4: .* has already ended"),
        (lambda rows: [rows[0], *rows], "table.csv:3: epoch 1 comes after 1"),
        (
            lambda rows: [row | {"repeat": 2 * row["repeat"]} for row in rows],
            "has the repeats 0, 2; number them 0, 1, 2",
        ),
        (
            lambda rows: [{k: v for k, v in row.items() if k != "seconds"} for row in rows],
            "table.csv:1: has no column seconds",
        ),
        (
            lambda rows: [{k: v for k, v in r.items() if "val_" not in k} for r in rows],
            r"table.csv:1: has no column val_\.\.\.",
        ),
    ],
    ids=range(16),
)
def test_a_table_that_does_not_answer_the_study(
    tmp_path: Path,
    change: Callable[[list[Row]], list[Row]],
    message: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", change(rows_of(plan, survey)))
    if message is None:  # one network has one repeat: enough for one seed, and not for two
        message = f"search.seeds: 2 is more than the 1 that the results contain for {NETWORK}"
        told(tmp_path, table, "search.seeds=2")
    else:
        told(tmp_path, table)
    error = " ".join(capsys.readouterr().err.split())
    assert re.search(message, error), error


def test_a_row_that_was_cut_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    content = table.read_bytes()
    table.write_bytes(content[: len(content) // 2])
    told(tmp_path, table)
    lines = content[: len(content) // 2].count(b"\n") + 1
    assert f"table.csv:{lines}: has " in capsys.readouterr().err
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(gzip.compress(content)[:-40])
    told(tmp_path, packed)
    assert "table.csv.gz: is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "nowhere: is not there; give the folder of a run, a .csv table, or digits"),
        ("empty", "empty: contains neither journal.jsonl nor table.csv.gz"),
        ("notes.txt", "notes.txt: is not a table"),
        ("no_manifest", "no_manifest: contains no run"),
    ],
)
def test_a_place_without_results(
    tmp_path: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    (tmp_path / "no_manifest").mkdir()
    (tmp_path / "no_manifest" / "journal.jsonl").write_text("", encoding="utf-8")
    told(tmp_path, tmp_path / name)
    error = capsys.readouterr().err
    assert message in error
    assert "--set execution=" in error, "where it was asked for"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.lr=0.2", "training.lr: is 0.2, but the results of .* trained with 0.1"),
        (
            "training.epochs=2",
            "training.epochs: is 2, .* 3; another length has",
        ),
        ("data.validation=32", "data.validation: is 32, but the results of .* with 64"),
        ("resources.cpu=2", "resources.cpu: is 2, but the results of .* with 1"),
        ("search.seeds=3", "search.seeds: 3 is more than the 2 that the results contain for"),
        ("confirm={top: 1, seeds: 1, epochs: 3}", "confirm: .* a replay trains none"),
    ],
)
def test_results_of_another_recipe_or_other_images(
    tmp_path: Path, override: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table whose about.json says by which plan it was trained."""
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    about = {"plan": plan.model_dump(mode="json")}
    (tmp_path / "about.json").write_text(json.dumps(about), encoding="utf-8")
    told(tmp_path, table, override)
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


def test_a_table_with_more_networks_than_the_study_and_any_of_their_names(
    tmp_path: Path,
) -> None:
    """Rows of networks outside the budget do no harm; names are read as people write them."""
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey)
    table = write_table(tmp_path / "table.csv", rows)
    out = tmp_path / "run"
    replayed = f"--set=execution={{replay: [{table}]}}"
    narrow = "--set=budget.macs.max=100K"
    assert main([str(write(tmp_path, GRID)), replayed, narrow, f"--out={out}"]) == 0


def test_two_tables_are_one_and_hold_more_seeds(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey)
    one = write_table(tmp_path / "one.csv", [row for row in rows if row["repeat"] == 0])
    others = [row | {"repeat": 0} for row in rows if row["repeat"] == 1]
    two, both = write_table(tmp_path / "two.csv", others), write_table(tmp_path / "b.csv", rows)
    journals = []
    for places, name in ((f"{one}, {two}", "joined"), (both, "whole")):
        out = tmp_path / name
        chosen = [f"--set=execution={{replay: [{places}]}}", "--set=search.seeds=2"]
        assert main([str(write(tmp_path, GRID)), *chosen, f"--out={out}"]) == 0
        journals.append((out / "journal.jsonl").read_bytes())
    assert journals[0] == journals[1]


def test_a_trial_that_two_sources_hold_is_one_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table, and one with its trials and one more; the same table twice is refused."""
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey, repeats=3)
    two = write_table(tmp_path / "two.csv", [row for row in rows if row["repeat"] < 2])
    all_three = write_table(tmp_path / "three.csv", rows)
    told(tmp_path, f"[{two}, {all_three}]", "search.seeds=4")
    assert "search.seeds: 4 is more than the 3 that the results contain" in (
        capsys.readouterr().err
    )
    told(tmp_path, f"[{two}, {two}]")
    said = " ".join(capsys.readouterr().err.split())
    assert f"{two} and {two} are the same results; name one of them" in said


def test_runs_of_the_same_seed_hold_the_same_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their metrics may differ in the last bits, if other machines trained them."""
    plan, survey = resolved_of(tmp_path, GRID, "search.seeds=2")
    for number, name in enumerate(("one", "two", "other")):
        own = plan
        if name == "other":
            own = resolved_of(tmp_path, GRID, "search.seeds=2", "search.seed=7")[0]
        with Journal(tmp_path / name) as journal:
            run(study := Study(own, survey, journal))
            assert study.finished
            manifest.note(tmp_path / name, own, space="", command=[str(number)])
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    told(tmp_path, f"[{one}, {two}]", "search.seeds=3")
    assert "3 is more than the 2 that the results contain" in capsys.readouterr().err
    told(tmp_path, f"[{one}, {two}, {other}]", "search.seeds=5")
    assert "5 is more than the 4 that the results contain" in capsys.readouterr().err


def test_a_table_for_other_classes_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey)
    others = [row | {"network": row["network"].removesuffix("_4classes")} for row in rows]
    told(tmp_path, write_table(tmp_path / "table.csv", others))
    said = " ".join(capsys.readouterr().err.split())
    assert "lacks 32 of the 32 candidates" in said
    assert "it has networks of 100 classes, but the data have 4; narrow" in said


def test_a_packed_table_whose_middle_is_damaged_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    content = bytearray(gzip.compress(table.read_bytes()))
    middle = slice(len(content) // 2, len(content) // 2 + 40)
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(content)
    told(tmp_path, packed)
    error = " ".join(capsys.readouterr().err.split())
    assert re.search(r"table.csv.gz: is damaged \(.*\); restore it from a copy", error)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("network,", '"network,', r"table.csv:\d+: field larger than field limit .*; correct"),
        (",0,1,", f",0,{'1' * 5000},", r"table.csv:2: epoch is '1{40}\.\.\.', more than can"),
        (",0,1,", f",{'9' * 5000},1,", r"table.csv:2: repeat is '9{40}\.\.\.', more than can"),
    ],
    ids=["quote", "epoch", "repeat"],
)
def test_what_no_reader_of_tables_takes_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey, repeats=20))
    text = table.read_text(encoding="utf-8")
    assert len(text) > 131_072, "the most that a field may hold"
    table.write_text(text.replace(old, new, 1), encoding="utf-8")
    told(tmp_path, table)
    error = " ".join(capsys.readouterr().err.split())
    assert re.search(message, error), error


def test_a_table_may_begin_with_the_mark_of_a_spreadsheet(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    plain = csv_source("plain", table).cells
    lines = f"{table.read_text(encoding='utf-8')}\n"  # and end with an empty line
    table.write_text(lines, encoding="utf-8-sig")
    assert csv_source("marked", table).cells == plain


def test_a_trial_that_is_tried_again_has_no_result_until_it_ends(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path)
    folder = tmp_path / "run"
    with Journal(folder) as journal:
        manifest.note(folder, plan, space=TINY, command=["search.run"])
        study = Study(plan, survey, journal)
        run(study, status=lambda trial: Status.FAILED if trial == 1 else Status.OK)
        failed = run_source("run", folder)
        study.retry([Status.FAILED])
        again = study.next()
        assert again is not None
        retried = run_source("run", folder)
        with pytest.raises(ConfigError, match="has 2 whole trials of 3"):
            finished_run(folder)
        study.end(end_of(again))
        ended = run_source("run", folder)
    assert (len(failed.cells), failed.partial) == (3, 0)
    assert (len(retried.cells), retried.partial) == (2, 1)
    assert again.network() not in retried.cells
    assert [cell.status for cell in ended.cells[again.network()]] == [Status.OK]
