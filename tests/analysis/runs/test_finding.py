"""A run that a notebook is told by name is found from where its reader stands."""

from pathlib import Path

import pytest

from analysis.runs.finding import named_run
from analysis.runs.run import RunError
from search.study.journal import FILE


def run_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / FILE).touch()
    return folder


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter was started in `elsewhere`, and runs the notebook in `repository/analysis`."""
    notebooks = tmp_path / "repository" / "analysis"
    notebooks.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(notebooks)
    monkeypatch.setenv("PWD", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))
    return notebooks.parent


@pytest.mark.parametrize(
    ("place", "written"),
    [
        ("elsewhere/runs/x", "runs/x"),  # where the command was started
        ("runs/x", "../runs/x"),  # from there
        ("repository/runs/x", "runs/x"),  # the repository
        ("repository/analysis/runs/x", "runs/x"),  # the notebook's folder
        ("repository/runs/x", "../runs/x"),  # from there
        ("home/runs/x", "~/runs/x"),
        ("scratch/x", "$SCRATCH/x"),
        ("scratch/x", "${SCRATCH}/x/"),
        ("anywhere/x", "{tmp}/anywhere/x"),  # absolute
    ],
)
def test_a_run_is_found(
    place: str,
    written: str,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert repository.is_dir()
    run = run_in(tmp_path / place)
    monkeypatch.setenv("RES2NET_BUDGET", written.replace("{tmp}", str(tmp_path)))
    assert named_run("RES2NET_BUDGET", default="results/none").resolve() == run


def test_where_the_command_was_started_comes_first(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in(repository / "runs" / "x")
    meant = run_in(tmp_path / "elsewhere" / "runs" / "x")
    monkeypatch.setenv("RES2NET_BUDGET", "runs/x")
    assert named_run("RES2NET_BUDGET", default="results/none") == meant


def test_a_folder_that_holds_no_run_is_not_taken_for_one(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "runs" / "x").mkdir(parents=True)
    meant = run_in(repository / "runs" / "x")
    monkeypatch.setenv("RES2NET_BUDGET", "runs/x")
    assert named_run("RES2NET_BUDGET", default="results/none") == meant


@pytest.mark.parametrize(
    "written", ["runs/x", "~/x", "~no_such_user/x", "$NOWHERE/x", "/nowhere/x"]
)
def test_an_unknown_one_says_where_was_looked(
    written: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RES2NET_FIG5", written)
    with pytest.raises(RunError) as caught:
        named_run("RES2NET_FIG5", default="results/none")
    said = str(caught.value)
    assert said.startswith(f"RES2NET_FIG5: {written!r} names no run")
    if written == "runs/x":
        for folder in (tmp_path / "elsewhere", repository / "analysis", repository):
            assert f"{folder}/runs/x" in said
    if written == "~/x":
        assert f"{tmp_path}/home/x" in said


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_it_is_the_committed_run(
    value: str | None, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RES2NET_BUDGET", raising=False)
    if value is not None:
        monkeypatch.setenv("RES2NET_BUDGET", value)
    committed = named_run("RES2NET_BUDGET", default="results/cifar_budget_tiny")
    assert (committed / FILE).is_file(), "from any folder"
    here = run_in(repository / "analysis" / "results" / "cifar_budget_tiny")
    assert named_run("RES2NET_BUDGET", default="results/cifar_budget_tiny").resolve() == here
