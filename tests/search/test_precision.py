"""`precision: auto` is measured once, where trials run, and kept from then on."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from search.executors.measuring import choose_on_ray
from search.precision import measured
from search.preparation import open_space, prepare
from search.profiling.precision import choose, middling
from search.request import Request
from search.run import main
from search.schema.seals import opened_document, sealed_document
from search.schema.yaml import ConfigError
from search.study import journal
from search.study.deadline import Deadline, TimeUpError
from search.study.events import Epoch
from tests.search.spaces import TINY, resolved_of, write

# An optimiser that rests in one precision, so that the other is the quicker one, and notes for
# which it was made, and in which process.
RESTS = """
import os
import time
from pathlib import Path

import torch


class Resting(torch.optim.SGD):
    def __init__(self, groups, training):
        super().__init__(groups, lr=training.peak_lr)
        self.rests = 0.05 if training.precision == "SLOW" else 0.0

    def step(self, closure=None):
        time.sleep(self.rests)
        return super().step(closure)


def make(groups, training):
    with (Path(__file__).parent / "made").open("a") as file:
        file.write(f"{training.precision} {os.getpid()}\\n")
    return Resting(groups, training)
"""


def optimizer(folder: Path, *, slow: str) -> list[str]:
    """The options by which a study has it."""
    path = folder / "resting.py"
    path.write_text(RESTS.replace("SLOW", slow), encoding="utf-8")
    return ["--set", f"training.optimizer={path}:make"]


def run(folder: Path, name: str, precision: str, *options: str) -> int:
    command = [str(write(folder)), "--out", str(folder / name), "--set", "training.epochs=1"]
    return main([*command, "--set", f"training.precision={precision}", *options])


def manifest(run: Path) -> dict[str, Any]:
    data, sealed = opened_document((run / "manifest.json").read_bytes())
    assert sealed
    held: dict[str, Any] = data
    return held


def losses(run: Path) -> list[tuple[int, int, float]]:
    epochs = [each for each in journal.read(run) if isinstance(each, Epoch)]
    return sorted((e.trial, e.epoch, e.metrics["train_loss"]) for e in epochs)


@pytest.mark.parametrize(("slow", "precision"), [("bf16", "fp32"), ("fp32", "bf16")])
def test_what_is_quicker_is_taken_noted_and_the_same_as_if_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], slow: str, precision: str
) -> None:
    options = [*optimizer(tmp_path, slow=slow), "--inline", "--set", "search.trials=1"]
    assert run(tmp_path, "auto", "auto", *options) == 0
    said = capsys.readouterr().out
    assert f"precision: auto: {precision} (a training step of resnext11_2c3w" in said
    plan = manifest(tmp_path / "auto")["plan"]
    assert plan["training"]["precision"] == plan["chosen"]["precision"] == precision
    assert plan["chosen"][slow] > 0.05 > plan["chosen"][precision] > 0
    assert plan["chosen"]["device"]
    assert run(tmp_path, "named", precision, *options) == 0
    assert manifest(tmp_path / "named")["plan"]["chosen"] is None
    assert losses(tmp_path / "auto") == losses(tmp_path / "named") != []


def test_it_is_kept_when_the_study_goes_on_here_and_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured is the same to the last digit: nothing is measured again."""
    few, more = ["--inline", "--set", "search.trials=1"], ["--inline"]
    assert run(tmp_path, "run", "auto", *few, *optimizer(tmp_path, slow="fp32")) == 0
    chosen = manifest(tmp_path / "run")["plan"]["chosen"]
    assert chosen["precision"] == "bf16"
    shutil.copytree(tmp_path / "run", tmp_path / "elsewhere")
    capsys.readouterr()
    rests = ["--set", f"training.optimizer={tmp_path / 'resting.py'}:make"]
    assert run(tmp_path, "run", "auto", *more, *rests) == 0
    said = capsys.readouterr().out
    assert "precision: auto: bf16, as when it began" in said
    assert "elsewhere" not in said.replace(str(tmp_path), "")
    assert manifest(tmp_path / "run")["plan"]["chosen"] == chosen

    there = manifest(tmp_path / "elsewhere")
    there["plan"]["chosen"]["device"] = "a processor of long ago"
    text = sealed_document(there)
    (tmp_path / "elsewhere/manifest.json").write_text(text, encoding="utf-8")
    assert run(tmp_path, "elsewhere", "auto", *more, *rests) == 0
    assert "long ago); chosen on another machine and kept: this is" in capsys.readouterr().out
    assert losses(tmp_path / "elsewhere") == losses(tmp_path / "run")
    # And one that goes on under the name of what was chosen keeps what is known of it.
    assert run(tmp_path, "run", "bf16", *more, *rests, "--set", "search.trials=4") == 0
    assert manifest(tmp_path / "run")["plan"]["chosen"] == chosen


def test_a_study_that_began_in_a_named_format_goes_on_in_it(tmp_path: Path) -> None:
    few = ["--inline", "--set", "search.trials=1"]
    assert run(tmp_path, "run", "fp64", *few) == 0
    assert run(tmp_path, "run", "auto", "--inline") == 0
    plan = manifest(tmp_path / "run")["plan"]
    assert (plan["training"]["precision"], plan["chosen"]) == ("fp64", None)


def test_a_plan_says_that_it_is_open_and_then_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "run", "auto", "--plan") == 0
    assert "precision auto: measured at the start" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    assert run(tmp_path, "run", "auto", "--inline") == 0
    assert run(tmp_path, "run", "auto", "--plan") == 0
    shown = " ".join(capsys.readouterr().out.split())
    name = manifest(tmp_path / "run")["plan"]["chosen"]["precision"]
    assert f"{name} (auto: a training step of" in shown


@pytest.mark.slow
@pytest.mark.ray
def test_a_task_of_ray_measures_with_the_resources_of_a_trial(
    tmp_path: Path, ray_address: str
) -> None:
    asked = optimizer(tmp_path, slow="fp32")[1]
    plan, survey = resolved_of(tmp_path, TINY, asked, "resources.cpu=2")
    plan, network = middling(plan, survey)
    chosen = choose_on_ray(choose, plan, network, address=ray_address)
    assert (chosen.precision, chosen.network) == ("bf16", network.name)
    made = [line.split() for line in (tmp_path / "made").read_text().splitlines()]
    assert {precision for precision, _ in made} == {"bf16", "fp32"}
    assert str(os.getpid()) not in {process for _, process in made}
    too_much = plan.model_copy(
        update={"resources": plan.resources.model_copy(update={"cpu": 3})}
    )
    with pytest.raises(ConfigError, match="a trial asks for 3"):
        choose_on_ray(choose, too_much, network, address=ray_address)
    with pytest.raises(ConfigError, match="not measured before the time limit"):
        choose_on_ray(choose, plan, network, address=ray_address, seconds=0.0)


@pytest.mark.slow
@pytest.mark.ray
def test_on_ray_a_worker_measures_it(tmp_path: Path, ray_address: str) -> None:
    options = [*optimizer(tmp_path, slow="bf16"), "--address", ray_address]
    assert run(tmp_path, "run", "auto", *options, "--set", "search.trials=1") == 0
    assert manifest(tmp_path / "run")["plan"]["chosen"]["precision"] == "fp32"
    made = [line.split() for line in (tmp_path / "made").read_text().splitlines()]
    processes = [int(process) for precision, process in made if precision == "bf16"]
    assert processes, "no trial computes in it, so what measured did"
    assert os.getpid() not in processes


def test_what_cannot_be_measured_is_said_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "resting.py").write_text(
        RESTS.replace(
            "return Resting",
            'assert training.precision != "bf16", "no such"\n    return Resting',
        ),
        encoding="utf-8",
    )
    rests = ["--set", f"training.optimizer={tmp_path / 'resting.py'}:make", "--inline"]
    assert run(tmp_path, "run", "auto", *rests) == 2
    said = capsys.readouterr().err
    assert "training.precision: auto could not measure (PluginError: " in said
    assert "no such" in said
    assert said.endswith("write precision: bf16 or fp32\n")
    assert not (tmp_path / "run").exists()


def test_a_replay_takes_what_its_results_were_trained_in(tmp_path: Path) -> None:
    assert (
        run(
            tmp_path,
            "run",
            "bf16",
            "--inline",
            "--set",
            "search.sampler=grid",
            "--set",
            "budget.macs={max: 33K, min: 20K}",
            "--set",
            "search.trials=all",
        )
        == 0
    )
    replayed = [
        "--set", f"execution={json.dumps({'replay': [str(tmp_path / 'run')]})}",
        "--set", "search.sampler=grid", "--set", "search.trials=all",
        "--set", "budget.macs={max: 33K, min: 20K}",
    ]  # fmt: skip
    assert run(tmp_path, "again", "auto", *replayed) == 0
    plan = manifest(tmp_path / "again")["plan"]
    assert (plan["training"]["precision"], plan["chosen"]) == ("bf16", None)
    assert losses(tmp_path / "again") == losses(tmp_path / "run")


def test_without_the_record_of_it_no_other_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a manifest was damaged, and deleted as advised."""
    few = ["--inline", "--set", "search.trials=1"]
    assert run(tmp_path, "run", "auto", *few, *optimizer(tmp_path, slow="fp32")) == 0
    whole = manifest(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").unlink()
    rests = ["--set", f"training.optimizer={tmp_path / 'resting.py'}:make"]
    assert run(tmp_path, "run", "auto", "--inline", *rests) == 2
    assert "was measured when this study began" in capsys.readouterr().err
    assert run(tmp_path, "run", whole["plan"]["chosen"]["precision"], *few, *rests) == 0


def test_images_that_take_all_of_the_time_limit_are_no_mistake(tmp_path: Path) -> None:
    space = open_space(write(tmp_path), ("training.precision=auto",))
    request = Request(out=tmp_path / "run", time_limit="5s")
    with pytest.raises(TimeUpError, match="--time-limit 5s: getting ready took all of it"):
        measured(prepare(space, folder=tmp_path / "run"), request, Console(), Deadline(0.0))
