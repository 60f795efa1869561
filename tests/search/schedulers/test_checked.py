"""A scheduler is believed where early epochs rank networks as the last does, and only there."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search import run_study
from search.schedulers.asha import Asha
from search.schedulers.base import Decision, Fifo, Scheduler
from search.schedulers.checked import Checked
from search.schedulers.simulated import best_lost, whole_trials
from search.schema.fidelity import Fidelity
from search.schema.metrics import Objective
from search.study.events import Status
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
    from search.run import main  # noqa: PLC0415 - beside run_study, for what it prints

    changed = ["search.trials=8", "scheduler={name: asha, reduction: 2}", "fidelity={check: 4}"]
    words = [word for text in changed for word in ("--set", text)]
    path = write(tmp_path, TINY)
    assert main([str(path), "--plan", *words]) == 0
    assert "fidelity: the first 4 networks run to their end" in capsys.readouterr().out
    assert main([str(path), "--out", str(tmp_path / "run"), "--inline", *words]) == 0
    printed = capsys.readouterr().out
    assert printed.count("fidelity: 4 networks were trained whole") == 1
    assert "epoch 1:" in printed
    result = run_study(path, overrides=changed, out=tmp_path / "run", inline=True)
    first = [trial.ended.status for trial in result.trials[:4] if trial.ended]
    assert first == [Status.OK] * 4
