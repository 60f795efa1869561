"""A scheduler is believed where early epochs rank networks as the last does, and only there."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.cards.fidelity import fidelity_card
from analysis.runs.run import read_run
from search import run_study
from search.run import main
from search.schedulers.asha import Asha
from search.schedulers.base import Decision, Fifo, Scheduler
from search.schedulers.checked import Checked
from search.schedulers.simulated import best_lost, whole_trials
from search.schema.fidelity import Fidelity
from search.schema.metrics import Objective
from search.study.checked import findings_of
from search.study.events import Status
from search.study.journal import read
from tests.analysis.made import made
from tests.analysis.questions.test_fidelity import curved
from tests.search.spaces import TINY, write

ERROR = Objective("val_error", "minimize", "reported", "%")
EPOCHS = 6


def asha(_trials: int) -> Scheduler:
    return Asha(epochs=EPOCHS, objectives=[ERROR], grace=1, reduction=2)  # rungs 1, 2, 4


def checked(check: int = 12) -> Checked:
    return Checked(
        asha, trials=40, epochs=EPOCHS, objectives=[ERROR],
        fidelity=Fidelity(check=check, at_least=0.3), seed=0,
    )  # fmt: skip


def curve(number: int) -> list[dict[str, float]]:
    """Until epoch 3 it says nothing of the end; then all."""
    rng = np.random.default_rng(number)
    end = rng.uniform(0, 10)
    early = [50 + float(noise) for noise in rng.uniform(0, 10, 3)]
    return [{"val_error": error} for error in [*early, end + 3, end + 2, end]]


def run(scheduler: Checked, trial: int, points: Sequence[dict[str, float]]) -> int:
    """Report a trial until it is stopped or whole; its epochs."""
    for epoch, metrics in enumerate(points, 1):
        if scheduler.report(trial, epoch, metrics) is Decision.STOP:
            scheduler.ended(trial)
            return epoch
    scheduler.ended(trial)
    return len(points)


def test_trials_are_stopped_only_where_ranks_agree() -> None:
    scheduler = checked()
    for trial in range(12):
        assert scheduler.findings is None
        assert run(scheduler, trial, curve(trial)) == EPOCHS
    found = scheduler.findings
    assert found is not None
    assert found.networks == 12
    assert list(found.rungs) == [1, 2, 4]
    assert found.believed == (4,)
    assert found.rungs[4].tau == pytest.approx(1.0)
    assert found.rungs[1].low < 0.3
    assert {run(scheduler, trial, curve(trial)) for trial in range(12, 30)} == {4, EPOCHS}
    assert 0.2 < found.lost() <= 1, "stopping at epoch 1 loses the best"


def test_a_network_that_fails_is_replaced() -> None:
    scheduler = checked(check=4)
    scheduler.report(0, 1, curve(0)[0])
    scheduler.ended(0)  # it diverged
    for trial in range(1, 5):
        assert scheduler.findings is None
        run(scheduler, trial, curve(trial))
    assert scheduler.findings is not None
    assert scheduler.findings.networks == 4


def test_the_best_is_never_lost_where_nobody_is_stopped_or_all_curves_are_parallel() -> None:
    curves = [curve(number) for number in range(12)]

    def loss(metrics: object) -> float:
        assert isinstance(metrics, dict)
        return float(metrics["val_error"])

    def fifo(trials: int) -> Scheduler:
        return Fifo(epochs=EPOCHS, trials=trials, objectives=[ERROR])

    assert best_lost(fifo, curves, loss, draws=20, seed=0) == 0
    assert best_lost(asha, curves, loss, draws=20, seed=0) > 0
    parallel = [[{"val_error": 10.0 * n - e} for e in range(EPOCHS)] for n in range(12)]
    assert best_lost(asha, parallel, loss, draws=20, seed=0) == 0


def test_a_scheduler_is_simulated_as_a_study_runs_it() -> None:
    """Against the rule by hand: two rungs, halving, in the order of the trials."""
    ends = [5.0, 4.0, 9.0, 1.0]
    curves = [[{"val_error": end}] * EPOCHS for end in ends]
    assert whole_trials(asha(4), curves) == {0, 1, 3}


def test_a_study_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = ["search.trials=8", "scheduler={name: asha, reduction: 2}", "fidelity={check: 4}"]
    words = [word for text in changed for word in ("--set", text)]
    path = write(tmp_path, TINY)
    assert main([str(path), "--plan", *words]) == 0
    assert "fidelity: the first 4 networks run to their end" in capsys.readouterr().out
    assert main([str(path), "--out", str(tmp_path / "run"), "--inline", *words]) == 0
    printed = capsys.readouterr().out
    assert printed.count("fidelity: 4 networks were fully trained") == 1
    result = run_study(path, overrides=changed, out=tmp_path / "run", inline=True)
    first = [trial.ended.status for trial in result.trials[:4] if trial.ended]
    assert first == [Status.OK] * 4
    assert "epoch 1: all of them score the same: no trial is stopped there" in printed


def test_a_replay_and_the_report_say_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = [
        "budget.macs={max: 1.2M}", "search={sampler: random, trials: 20}",
        "execution={replay: [search/tables/digits], workers: 4}",
        "scheduler=asha", "fidelity={check: 8}",
    ]  # fmt: skip
    words = [word for text in changed for word in ("--set", text)]
    assert main(["spaces/digits_table.yaml", "--out", str(tmp_path), *words]) == 0
    printed = capsys.readouterr().out
    assert printed.count("fidelity: 8 networks were fully trained") == 1
    run = read_run(tmp_path)
    found = findings_of(run.plan, read(tmp_path))
    assert found is not None
    told = re.findall(r"\n  epoch (\d+): ([+-]\d\.\d\d)", printed)
    assert told == [(str(epoch), f"{one.tau:+.2f}") for epoch, one in found.rungs.items()]
    lost = re.search(r"the best of these networks in (\d+%)", printed)
    assert lost is not None
    said = " ".join(fidelity_card(run).sentences)
    assert "The first 8 networks were trained completely" in said
    assert f"in {lost[1]} of simulated searches" in said


def test_too_few_networks_say_nothing(tmp_path: Path) -> None:
    rows = curved(seeds=1)[:6]
    run = made(tmp_path, rows, "training.epochs=8", "scheduler=asha", "search.trials=12",
               "fidelity={check: 8}")  # fmt: skip
    assert "fewer than 8 networks have come to their end" in " ".join(
        fidelity_card(run).sentences
    )
