"""A cluster's machines need the libraries, not our code: it is shipped, and so are parts."""

import subprocess
from pathlib import Path

import pytest

from search.executors.shipping import shipped
from search.run import main
from tests.cluster.nodes import bare_python, cluster, drive
from tests.search.spaces import TINY, plan_of, write
from tests.search.test_run import results_in

OPTIMISER = """\
import importlib

import torch


def plain(groups, training, rule):
    module, _, name = rule.partition(":")
    rate = getattr(importlib.import_module(module), name)
    return torch.optim.SGD(groups, lr=rate(training))
"""
RULE = """\
def half(training):
    return training.lr / 2
"""
SPACE = TINY.replace(
    "lr: 0.1",
    "lr: 0.1, optimizer: 'parts/mine.py:plain', optimizer_options: {rule: 'rules:half'}",
)


@pytest.mark.slow
@pytest.mark.ray
def test_a_machine_without_our_code_runs_trials_with_parts_of_a_person_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = bare_python(tmp_path / "venv")
    asked = (
        "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('ray', 'search')])"
    )
    answer = subprocess.run(
        [python, "-c", asked], cwd="/", env={}, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[True, False]\n", "its Python has Ray and not us"
    here = tmp_path / "here"
    (here / "parts").mkdir(parents=True)
    (here / "parts" / "mine.py").write_text(OPTIMISER)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.py").write_text(RULE)
    space = write(tmp_path, SPACE)
    path = f"{Path(__file__).parents[2]}:{tmp_path / 'rules'}"
    with cluster(python, tmp_path / "empty") as address:
        done = drive(
            space, "--out", tmp_path / "run", "--address", address, cwd=here, PYTHONPATH=path
        )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(tmp_path / "rules")
    assert main([str(space), "--out", str(tmp_path / "inline"), "--inline"]) == 0
    assert results_in(tmp_path / "inline") == results_in(tmp_path / "run")


def test_a_package_called_data_is_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of images and of runs are not shipped, packages of that name are."""
    for folder in ("mine/data", "mine/runs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "big.bin").write_text("images")
    for package in ("mine", "mine/data"):
        (tmp_path / package / "__init__.py").write_text("def plain(groups, training): ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    plan = plan_of(tmp_path)
    training = plan.training.model_copy(update={"optimizer": "mine.data:plain"})
    with shipped(plan.model_copy(update={"training": training}), away=True) as code:
        assert code.environment is not None
        folder = Path(code.environment["working_dir"])
        assert (folder / "mine" / "data" / "__init__.py").is_file()
        assert not (folder / "mine" / "runs").exists()
        assert (folder / "search" / "run.py").is_file()
