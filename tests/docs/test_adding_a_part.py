"""Every example of docs/adding_a_part.md is run as it stands there."""

import re
from pathlib import Path

import pytest

from res2net.blocks.checking import check_block
from search import api, run_study
from search.schema.yaml import ConfigError
from search.study import manifest
from tests.docs.examples import GUIDE, Example, examples, write_examples

EXAMPLES = examples()
# tests/outside/test_regression.py trains this one, for an epoch.
LONG = {"my_regression.py"}
EACH = [
    pytest.param(e, id=e.file, marks=pytest.mark.slow if e.file in LONG else ())
    for e in EXAMPLES
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Path:
    write_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "draw_summary", lambda *_, **__: 0)  # seconds, and no part of it
    return tmp_path


@pytest.mark.parametrize("example", EACH)
def test_an_example_runs(example: Example, folder: Path) -> None:
    result = run_study(example.space, out=folder / "run", inline=True)
    assert result.finished
    assert result.best is not None
    assert {trial.ended.status for trial in result.trials if trial.ended} <= {"ok", "pruned"}
    record = manifest.read(folder / "run")
    assert record is not None
    (part,) = record.parts
    assert (part.name.partition(":")[0], part.source) == (
        example.file,
        str(folder / example.file),
    )
    assert part.digest


def test_every_noun_has_an_example() -> None:
    parts = re.findall(r"^\| \[", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    again = {"my_regression.py"}  # a task of another kind
    assert len(parts) == len({example.file for example in EXAMPLES} - again) == 9


@pytest.mark.slow  # tests/res2net/blocks/test_checking.py checks blocks in the same way
def test_the_block_counts_what_it_builds_in_every_skeleton() -> None:
    check_block("my_block.py:BLOCK")


def test_a_changed_part_is_refused(folder: Path) -> None:
    example = next(e for e in EXAMPLES if e.file == "my_recipe.yaml")
    run_study(example.space, out=folder / "run", inline=True)
    path = folder / example.file
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"my_recipe.yaml has changed since the study began"):
        run_study(example.space, out=folder / "run", inline=True)
