"""The command that writes tables and the first figure: what it says is there, or why not."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.summary import main, summarise
from search.study.events import Status
from tests.analysis.made import made, network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"network": network(1), "curve": [70.0], "val_error": 70.0, "test_error": 71.0},
        {"network": network(2), "status": Status.DIVERGED, "reason": "the loss is nan"},
        {"network": network(3), "status": None},
    ]
    return made(tmp_path, rows).folder


def test_a_summary_writes_what_it_says(folder: Path) -> None:
    written = summarise(folder)
    assert pd.read_csv(written["trials"])["trial"].tolist() == [0, 1, 2]
    assert pd.read_csv(written["epochs"])["trial"].tolist() == [0, 0, 0]
    assert written["figure"].read_bytes().startswith(b"\x89PNG")
    assert not list(folder.rglob("*.part"))


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    assert f"figure: {folder}/figures/pareto.png" in capsys.readouterr().out


def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "contains no journal.jsonl; give a run such as runs" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


def test_a_damaged_journal_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "journal.jsonl").write_text("{\n{}\n", encoding="utf-8")
    assert main([str(folder)]) == 2
    assert "is damaged" in capsys.readouterr().err
