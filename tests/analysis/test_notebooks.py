"""The notebooks: executed on committed results and on others, as a reader would find them."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from analysis.figures import HERE, NOTEBOOKS, execute
from tests.analysis.questions.test_series import noisy
from tests.analysis.studied import FIG5, write_run


def cells(path: Path) -> list[Any]:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # untyped
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(path: Path) -> str:
    """All text that the outputs hold, pictures aside."""
    texts = []
    for cell in cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            texts += [data.get("text/markdown") or data.get("text/html") or ""]
            texts += [output.get("text", "")]
    return "\n".join(texts)


def pictures(path: Path) -> int:
    return sum(
        "image/png" in output.get("data", {}) for cell in cells(path) for output in cell.outputs
    )


def copied(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes((HERE / name).read_bytes())
    return path


# One of them stands for the way they are made; ten seconds each.
EACH = [NOTEBOOKS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NOTEBOOKS[1:])]


@pytest.mark.parametrize("name", EACH)
def test_committed_notebooks_are_what_executing_them_gives(name: str, tmp_path: Path) -> None:
    (tmp_path / "results").symlink_to(HERE / "results")
    path = copied(name, tmp_path)
    assert pictures(path) >= 4, "it is committed executed"
    before = printed(path)
    execute(path)
    assert printed(path) == before
    assert pictures(path) >= 4


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_only_call_what_is_tested_elsewhere(name: str) -> None:
    sources = [cell.source for cell in cells(HERE / name)]
    assert len(sources) <= 10
    assert not any("def " in source or "class " in source for source in sources)
    size = len(json.dumps(sources))
    assert size < 4000


@pytest.mark.slow
def test_fig5_of_a_run_that_is_not_finished_and_has_one_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(
        tmp_path / "run", noisy, text=FIG5.replace("seeds: 4", "seeds: 1"), stop_after=14
    )
    monkeypatch.setenv("RES2NET_FIG5", str(run))
    path = copied("fig5.ipynb", tmp_path)
    execute(path)
    said = printed(path)
    assert "14 of 16 trials have ended" in said
    assert "no interval, so it shows nothing yet" in said
    assert "no law: " in said, "errors of one seed say nothing of their spread"
