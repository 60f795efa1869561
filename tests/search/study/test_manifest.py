"""What a later start is told of earlier ones: images left out, and numbers that only grow."""

import subprocess
from pathlib import Path

import pytest

from search.schema.yaml import ConfigError
from search.study import provenance
from search.study.manifest import FILE, going_on, note, same_images
from tests.search.spaces import TINY, plan_of

LEFT_OUT = ["train/ant/00007.png: not an image"]


def test_a_start_that_noted_nothing_saw_no_images(tmp_path: Path) -> None:
    """It asks nothing of the next one, as a start that left out none does."""
    assert not (tmp_path / FILE).exists()
    same_images(tmp_path, LEFT_OUT)
    plan = plan_of(tmp_path)
    note(tmp_path, plan, space=TINY, command=["run"], left_out=[])
    with pytest.raises(ConfigError, match=r"repaired or damaged since: train/ant/00007.png"):
        same_images(tmp_path, LEFT_OUT)
    note(tmp_path, plan, space=TINY, command=["run"], left_out=LEFT_OUT)
    same_images(tmp_path, LEFT_OUT)


def test_fewer_networks_or_seeds_than_there_are_is_said(tmp_path: Path) -> None:
    """A study only grows; whoever asks for less learns that nothing came of it."""
    had = plan_of(tmp_path, TINY, "search.trials=4", "search.seeds=2")
    note(tmp_path, had, space=TINY, command=["run"])
    said: list[str] = []
    asked = plan_of(tmp_path, TINY, "search.trials=3", "search.seeds=3")
    plan = going_on(tmp_path, asked, say=said.append)
    assert (plan.search.trials, plan.search.seeds) == (4, 3)
    assert said == ["note: search.trials: the study already has 4, which stay; 3 is fewer"]
    assert going_on(tmp_path, had, say=said.append) == had
    assert len(said) == 1


def test_the_commit_of_somebody_s_own_repository_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the package is installed in an environment inside a project's checkout."""
    asked = provenance._git_commit.__wrapped__
    here = asked()
    installed = tmp_path / ".venv" / "provenance.py"
    installed.parent.mkdir()
    installed.touch()
    (tmp_path / "own.txt").touch()
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "own.txt"], [*name, "commit", "-qm", "own"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(provenance, "__file__", str(installed))
    assert asked() is None
    monkeypatch.undo()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert asked() == here
