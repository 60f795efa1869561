"""A search that begins with the trials of other runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from search import run_study
from search.preparation import open_space, prepare
from search.run import main
from search.schema.yaml import ConfigError
from search.study.events import Known, Started
from search.study.journal import read

NARROW: dict[str, Any] = {
    "study": "narrow",
    "network": {"skeleton": "cifar", "planes": 4, "depth": 11, "width": 2, "scale": [1, 2]},
    "data": {"name": "digits", "validation": 300, "train": 200},
    "training": {"epochs": 1, "batch_size": 50, "precision": "fp32"},
    "search": {"sampler": "grid"},
}


def wider(*runs: Path, **search: Any) -> dict[str, Any]:
    """The same with more values of scale and cardinality."""
    network = NARROW["network"] | {"scale": [1, 2, 3], "cardinality": [1, 2]}
    asked = {"sampler": "tpe", "trials": 4, "warm_start": [str(run) for run in runs], **search}
    return NARROW | {"study": "wider", "network": network, "search": asked}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("narrow") / "run"
    run_study(NARROW, out=out, inline=True)
    return out


def test_a_wider_space_goes_on_from_a_narrower_run(narrow: Path, tmp_path: Path) -> None:
    """What was tried is not tried again; all else is left, and then the space is used up."""
    result = run_study(wider(narrow), out=tmp_path / "run", inline=True)
    tried = {started.name for started in _starts(narrow)}
    new = {started.name for started in _starts(tmp_path / "run")}
    assert len(tried) == 2
    assert len(new) == 4
    assert not tried & new
    assert result.finished
    known = [one for one in read(tmp_path / "run") if isinstance(one, Known)]
    assert {one.name for one in known} == tried
    assert all(one.source == str(narrow) and "val_error" in one.values for one in known)


def test_going_on_needs_the_other_run_no_more(narrow: Path, tmp_path: Path) -> None:
    moved = tmp_path / "other"
    narrow_text = wider(moved, trials=2)
    shutil.copytree(narrow, moved)
    run_study(narrow_text, out=tmp_path / "run", inline=True)
    shutil.rmtree(moved)
    more = run_study(wider(moved, trials=4), out=tmp_path / "run", inline=True)
    names = [started.name for started in _starts(tmp_path / "run")]
    assert more.finished
    assert len(names) == len(set(names)) == 4


def test_an_objective_of_one_s_own_is_counted_for_what_is_known(
    narrow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run did not know it; what it counts depends on the network alone."""
    (tmp_path / "own.py").write_text("def twice(network, cost):\n    return 2 * cost.macs\n")
    monkeypatch.chdir(tmp_path)
    asked = wider(narrow, objectives=["val_error", "own.py:twice"])
    run_study(asked, out=tmp_path / "run", inline=True)
    known = [one for one in read(tmp_path / "run") if isinstance(one, Known)]
    assert len(known) == 2
    assert all(one.values["own.py:twice"] == 2 * one.values["macs"] for one in known)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"training": NARROW["training"] | {"lr": 0.3}},
            r"training.lr is 0.1 there and 0.3",
        ),
        ({"data": NARROW["data"] | {"train": 150}}, r"data.train is 200 there and 150 here"),
    ],
)
def test_other_data_or_another_recipe_are_refused(
    narrow: Path, tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_study(wider(narrow) | changed, out=tmp_path / "run", inline=True)
    assert not (tmp_path / "run").exists()


def test_what_is_no_run_or_leaves_too_little_is_named(narrow: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not the folder of a run"):
        run_study(wider(tmp_path / "none"), out=tmp_path / "run", inline=True)
    with pytest.raises(ConfigError, match=r"search.trials: 5 is more than the 4 candidates"):
        run_study(wider(narrow, trials=5), out=tmp_path / "run", inline=True)


def test_a_plan_looks_for_the_runs_too(
    narrow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run, code in ((narrow, 0), (tmp_path / "none", 2)):
        path = tmp_path / "space.yaml"
        path.write_text(json.dumps(wider(run)), encoding="utf-8")
        assert main([str(path), "--plan", f"--out={tmp_path / 'run'}"]) == code
        told = capsys.readouterr()
        said = "warm start: knows 2 trials of" if code == 0 else "is not the folder of a run"
        assert said in told.out + told.err
    assert not (tmp_path / "run").exists()


def test_going_on_with_more_than_is_left_is_named(narrow: Path, tmp_path: Path) -> None:
    run_study(wider(narrow), out=tmp_path / "run", inline=True)
    with pytest.raises(ConfigError, match=r"search.trials: 5 is more than the 4 candidates"):
        run_study(wider(narrow, trials=5), out=tmp_path / "run", inline=True)


def grid(*runs: Path, **search: Any) -> dict[str, Any]:
    """The wider space, all of whose candidates are to be tried."""
    asked = {"sampler": "grid", "warm_start": [str(run) for run in runs], **search}
    return wider() | {"study": "grid", "search": asked}


def test_all_means_all_that_are_left(
    narrow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the study goes on, and the other run is gone."""
    moved, out = tmp_path / "other", tmp_path / "run"
    shutil.copytree(narrow, moved)
    first = run_study(grid(moved, trials=1), out=out, inline=True)
    assert len(first.trials) == 1
    shutil.rmtree(moved)
    result = run_study(grid(moved), out=out, inline=True)
    assert result.finished
    assert len(result.trials) == result.plan.search.trials == 4
    assert not {one.name for one in result.trials} & {one.name for one in _starts(narrow)}
    path = tmp_path / "space.yaml"
    path.write_text(json.dumps(grid(moved)), encoding="utf-8")
    capsys.readouterr()
    assert main([str(path), "--plan", f"--out={out}"]) == 0
    assert "search: 4 trials (grid, seed 0)" in capsys.readouterr().out


def test_a_plan_counts_what_is_left(
    narrow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, candidates = tmp_path / "space.yaml", prepare(open_space(grid())).survey.costs.macs
    known = sum(one.macs for one in _starts(narrow))
    path.write_text(json.dumps(grid(narrow)), encoding="utf-8")
    assert main([str(path), "--plan", f"--out={tmp_path / 'run'}"]) == 0
    shown = capsys.readouterr().out
    assert "search: 4 trials (grid, seed 0)" in shown
    assert "cheapest of" not in shown, "all that are left are tried"
    assert f"about {3 * 200 * (candidates.sum() - known):.2g} multiply-adds" in shown
    asked = ["--set", "search.trials=3"]
    assert main([str(path), "--plan", f"--out={tmp_path / 'run'}", *asked]) == 0
    assert "grid: the 3 cheapest of 4 that are left" in capsys.readouterr().out


def test_where_none_is_left_the_runs_are_named(narrow: Path, tmp_path: Path) -> None:
    none = NARROW | {"study": "again", "search": grid(narrow)["search"]}
    with pytest.raises(ConfigError, match=r"search.warm_start: its runs have tried all 2 cand"):
        run_study(none, out=tmp_path / "run", inline=True)
    assert not (tmp_path / "run").exists()


def test_a_scheduler_must_fit_the_trials_that_are_left(narrow: Path, tmp_path: Path) -> None:
    space = grid(narrow) | {"scheduler": {"name": "one_epoch", "keep": 5}}
    space |= {"training": NARROW["training"] | {"epochs": 2}}
    longer = NARROW | {"training": space["training"]}
    other = run_study(longer, out=tmp_path / "longer", inline=True).folder
    space["search"]["warm_start"] = [str(other)]
    with pytest.raises(ConfigError, match=r"keep: is more than search.trials 4"):
        run_study(space, out=tmp_path / "run", inline=True)


def test_a_replay_tries_what_is_left(narrow: Path, tmp_path: Path) -> None:
    first = NARROW | {"search": {"sampler": "grid", "trials": 1}}
    one = run_study(first, out=tmp_path / "one", inline=True).folder
    search = {"sampler": "grid", "warm_start": [str(one)]}
    replayed = NARROW | {"search": search, "execution": {"replay": str(narrow)}}
    for _ in range(2):
        result = run_study(replayed, out=tmp_path / "run")
        assert result.finished
        assert len(result.trials) == 1


def _starts(folder: Path) -> list[Started]:
    return [record for record in read(folder) if isinstance(record, Started)]
