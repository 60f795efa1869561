"""Runs as analysis reads them: whole, interrupted, failed, damaged, newer."""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from analysis.runs.run import RunError, read_run
from analysis.runs.tables import EPOCH_COLUMNS, epochs
from search.study.events import Epoch
from search.study.journal import FILE, JournalError, read
from tests.analysis.questions.test_series import noisy
from tests.analysis.studied import FIG5, write_run

CONFIRMED = FIG5.replace("seeds: 4}", "seeds: 2}\nconfirm: {top: 3, seeds: 2, epochs: 4}")


def test_a_run_knows_how_far_it_is(tmp_path: Path) -> None:
    whole = read_run(write_run(tmp_path / "whole", noisy))
    assert (whole.planned, whole.ended, whole.finished, whole.banner()) == (64, 64, True, "")
    part = read_run(write_run(tmp_path / "part", noisy, stop_after=5))
    assert (part.planned, part.ended, part.finished) == (64, 5, False)
    assert part.banner().startswith("not finished: 5 of 64 trials have ended")
    assert "5 of 64 trials have ended" in part.described()


def test_confirmations_count_where_there_is_something_to_confirm(tmp_path: Path) -> None:
    whole = read_run(write_run(tmp_path / "whole", noisy, text=CONFIRMED))
    assert (whole.planned, whole.ended, whole.finished) == (38, 38, True)
    assert len(whole.whole()) == 32, "trials of the search"
    longer = CONFIRMED.replace("epochs: 4", "epochs: 8")
    planned = read_run(write_run(tmp_path / "whole", noisy, text=longer, stop_after=2))
    assert (planned.ended, planned.finished) == (34, False), "of those before it has none"
    failed = read_run(write_run(tmp_path / "failed", lambda _: None, text=CONFIRMED))
    assert (failed.ended, failed.finished) == (32, True)
    assert failed.banner() == ("no trial was trained to its end, so there is no result to show")


def test_lengths_share_a_recipe_and_other_recipes_and_data_do_not(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    longer = read_run(
        write_run(tmp_path / "b", noisy, text=FIG5.replace("epochs: 2", "epochs: 9"))
    )
    other = FIG5.replace("epochs: 2", "epochs: 2, lr: 0.3").replace("5000", "4000")
    changed = read_run(write_run(tmp_path / "c", noisy, text=other))
    assert (first.recipe, first.data) == (longer.recipe, longer.data)
    assert first.recipe != changed.recipe
    assert first.data != changed.data
    moved = FIG5.replace("name: cifar100", "name: cifar100, root: elsewhere")
    assert read_run(write_run(tmp_path / "d", noisy, text=moved)).data == first.data


def test_facts_come_from_the_data_set(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, noisy, stop_after=1))
    assert run.chance == 99.0
    assert run.facts.image_size == 32


def test_epochs_in_bulk_are_those_of_the_records(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, epochs=3)
    rows = [asdict(record) for record in read(folder) if isinstance(record, Epoch)]
    expected = pd.DataFrame(rows).rename(
        columns={"val_error": "val_error_pct", "val_error_top5": "val_error_top5_pct"}
    )
    pd.testing.assert_frame_equal(epochs(folder), expected[list(EPOCH_COLUMNS)])
    assert not any(isinstance(record, Epoch) for record in read(folder, epochs=False))


def test_a_torn_last_line_costs_nothing_and_damage_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, stop_after=3)
    journal = folder / FILE
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"event":"epoch","tri')
    assert len(epochs(folder)) == 6
    lines = whole.split(b"\n")
    lines[2] = lines[2][:40]
    journal.write_bytes(b"\n".join(lines))
    with pytest.raises(JournalError, match=r"journal.jsonl:3: is damaged"):
        epochs(folder)


def test_an_end_without_a_start_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, noisy, stop_after=2)
    journal = folder / FILE
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"start","trial":1,' not in line))
    with pytest.raises(JournalError, match="trial 1 ends and never started; restore"):
        read_run(folder)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no journal.jsonl; name a run"):
        read_run(tmp_path)
    folder = write_run(tmp_path / "run", noisy, stop_after=1)
    manifest = folder / "manifest.json"
    kept = manifest.read_text()
    manifest.write_text("{")
    with pytest.raises(RunError, match=r"manifest.json: is damaged .*; restore it"):
        read_run(folder)
    manifest.write_text(kept)
    journal = folder / FILE
    header, _, rest = journal.read_text().partition("\n")
    newer = json.dumps({**json.loads(header), "version": 99})
    journal.write_text(newer + "\n" + rest)
    with pytest.raises(JournalError, match="has version 99"):
        read_run(folder)
