"""What the infrastructure loses is run again, within a bound; what failed, if a person asks."""

from pathlib import Path

import pytest

from search.samplers.base import Outcome
from search.space.survey import Survey, survey
from search.study.checkpoints import checkpoint_path
from search.study.events import Ended, Epoch, Lost, Retried, Started, Status
from search.study.journal import Journal, Record, read
from search.study.losses import RETRIES
from search.study.study import Study
from tests.search.spaces import TINY, plan_of
from tests.search.study.test_study import end_of, epoch_of, run

MANY = "search.trials=8"


@pytest.fixture
def surveyed(tmp_path: Path) -> Survey:
    return survey(plan_of(tmp_path))


def results(records: list[Record]) -> dict[int, tuple[Status, dict[str, float]]]:
    return {r.trial: (r.status, r.metrics) for r in records if isinstance(r, Ended)}


def test_a_lost_trial_goes_on_after_its_epochs_and_ends_as_if_nothing_had_been(
    tmp_path: Path, surveyed: Survey
) -> None:
    plan = plan_of(tmp_path, TINY, MANY)
    with Journal(tmp_path / "whole") as journal:
        run(Study(plan, surveyed, journal))
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        started = study.next()
        study.report(epoch_of(started, 1))
        study.lost(started.trial, "a node is gone")
        assert not study.runs(started.trial)
        assert study.next() == started, "before anything new"
        assert study.history.epochs(started.trial) == 1
        for number in (1, 2, 3):  # from the start again: its checkpoint was lost too
            study.report(epoch_of(started, number))
        study.end(end_of(started))
        run(study)
    assert results(read(tmp_path / "run")) == results(read(tmp_path / "whole"))
    losses = [record for record in read(tmp_path / "run") if isinstance(record, Lost)]
    assert [(one.trial, one.times, one.reason) for one in losses] == [(0, 1, "a node is gone")]


def test_a_trial_that_gets_no_further_is_given_up(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        for times in range(1, RETRIES + 2):
            started = study.next()
            assert started.trial == 0
            study.lost(0, f"worker {times} died")
        ended = study.history.ends[0]
        assert ended.status is Status.FAILED
        assert "lost 4 times without an epoch in between" in ended.reason
        assert "worker 4 died" in ended.reason
        assert study.next().trial == 1


def test_a_trial_that_gets_further_each_time_is_never_given_up(
    tmp_path: Path, surveyed: Survey
) -> None:
    plan = plan_of(tmp_path, TINY, "training.epochs=9")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        for number in range(1, 10):
            started = study.next()
            assert started.trial == 0
            study.report(epoch_of(started, number))
            study.lost(0, "a spot machine was taken away")
        assert {one.times for one in journal.records() if isinstance(one, Lost)} == {1}


def test_losses_are_counted_over_starts_of_the_driver(tmp_path: Path, surveyed: Survey) -> None:
    for _ in range(RETRIES + 1):
        with Journal(tmp_path / "run") as journal:
            study = Study(plan_of(tmp_path), surveyed, journal)
            study.lost(study.next().trial, "it dies at once")
    assert results(read(tmp_path / "run"))[0][0] is Status.FAILED


def failed_study(tmp_path: Path, surveyed: Survey, folder: Path) -> None:
    """Eight trials, of which those with an odd number fail after their epochs."""
    odd = {True: Status.FAILED, False: Status.OK}
    with Journal(folder) as journal:
        study = Study(plan_of(tmp_path, TINY, MANY), surveyed, journal)
        run(study, status=lambda trial: odd[trial % 2 == 1])


def test_failed_trials_are_tried_again_when_asked(tmp_path: Path, surveyed: Survey) -> None:
    plan = plan_of(tmp_path, TINY, MANY)
    failed_study(tmp_path, surveyed, tmp_path / "run")
    with Journal(tmp_path / "whole") as journal:
        run(Study(plan, surveyed, journal))
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        assert study.finished
        assert study.retry([Status.FAILED]) == 4
        assert study.left() == 4
        study.report(epoch_of(study.next(), 3))  # and the driver dies
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        assert study.left() == 4, "asked once is enough"
        assert [started.trial for started in run(study)] == [1, 3, 5, 7]
    records = read(tmp_path / "run")
    assert results(records) == results(read(tmp_path / "whole"))
    for trial in range(8):
        epochs = [r.epoch for r in records if isinstance(r, Epoch) and r.trial == trial]
        assert epochs == [1, 2, 3], "those that it had reported are not reported again"
    assert [r.trial for r in records if isinstance(r, Retried)] == [1, 3, 5, 7]


def test_what_was_given_up_keeps_its_checkpoint_for_another_try(
    tmp_path: Path, surveyed: Survey
) -> None:
    folder = tmp_path / "run"
    with Journal(folder) as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        (folder / "checkpoints").mkdir()
        checkpoint = checkpoint_path(folder, 0)
        checkpoint.write_bytes(b"its state")
        for _ in range(RETRIES + 1):
            study.lost(study.next().trial, "no worker lives long")
        study.tidy()
        assert checkpoint.exists()
        other = study.next()
        checkpoint_path(folder, other.trial).write_bytes(b"its state")
        study.end(end_of(other, Status.FAILED))
        assert not checkpoint_path(folder, other.trial).exists(), "it failed by itself"


class Told:
    """A sampler that remembers what it is told, to see what it learns of lost trials."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def propose(self, trial: int) -> int:
        return trial

    def take(self, candidate: int) -> None:
        self.heard.append(f"take {candidate}")

    def tell(self, candidate: int, outcome: Outcome) -> None:
        self.heard.append(f"{outcome.state} {candidate}")


def test_a_sampler_hears_nothing_of_a_loss_and_of_another_try_that_it_is_running(
    tmp_path: Path, surveyed: Survey
) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        sampler = study._sampler = Told()
        started: Started = study.next()
        study.lost(started.trial, "its node is gone")
        study.end(end_of(study.next(), Status.FAILED))
        study.retry([Status.FAILED])
        study.end(end_of(study.next()))
    assert sampler.heard == ["take 0", "failed 0", "take 0", "complete 0"]
