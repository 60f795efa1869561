"""What the infrastructure loses is run again, within a bound; what failed, if a person asks."""

import contextlib
import dataclasses
from pathlib import Path

import pytest

from search.samplers.base import Outcome
from search.schema.yaml import ConfigError
from search.space.survey import Survey, survey
from search.study.checkpoints import checkpoint_path
from search.study.deadline import Deadline
from search.study.events import Ended, Epoch, Lost, Retried, Started, Status
from search.study.journal import Journal, Record, read
from search.study.losses import RETRIES, retried_statuses
from search.study.study import Study
from tests.search.spaces import TINY, plan_of
from tests.search.study.test_study import HALVED, end_of, epoch_of, run

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
        other = study.next()
        assert other.trial == 1
        assert 0 not in study.history.ends, "it may be the machine"
        study.report(epoch_of(other, 1))
        ended = study.history.ends[0]
        assert ended.status is Status.FAILED
        assert "lost 4 times without an epoch in between" in ended.reason
        assert "worker 4 died" in ended.reason


def test_a_machine_that_lets_no_trial_get_further_fails_none_of_them(
    tmp_path: Path, surveyed: Survey
) -> None:
    plan = plan_of(tmp_path, TINY, MANY)
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        for _ in range(2 * RETRIES + 1):
            study.lost(study.next().trial, "the disk of the images is gone")
        second = study.next()
        with pytest.raises(OSError, match=r"no trial makes progress .* 0 and 1 were lost"):
            study.lost(second.trial, "the disk of the images is gone")
        assert study.history.live == {0, 1}
        assert not study.history.ends
    with Journal(tmp_path / "run") as journal:  # it is back
        run(Study(plan, surveyed, journal))
    assert {status for status, _ in results(read(tmp_path / "run")).values()} == {Status.OK}


def test_where_nothing_else_is_left_the_last_trial_is_given_up(
    tmp_path: Path, surveyed: Survey
) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path, TINY, "search.trials=1"), surveyed, journal)
        for _ in range(RETRIES + 1):
            study.lost(study.next().trial, "no worker lives long")
        assert study.next() is None
        assert study.finished
        assert study.history.ends[0].status is Status.FAILED


def test_trials_that_kill_their_workers_end_though_all_of_them_do(
    tmp_path: Path, surveyed: Survey
) -> None:
    """It stops a start, because it looks like the machine, but not for ever."""
    for _ in range(12):
        with Journal(tmp_path / "run") as journal:
            study = Study(plan_of(tmp_path), surveyed, journal)
            with contextlib.suppress(OSError):
                while (started := study.next()) is not None:
                    study.lost(started.trial, "killed by its network")
            if study.finished:
                return
    pytest.fail("it never ends")


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


def test_the_checkpoint_of_a_trial_that_ended_well_goes_however_often_it_was_lost(
    tmp_path: Path, surveyed: Survey
) -> None:
    """As where a store does not give its weights at first: it was lost after its last epoch."""
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        started = study.next()
        checkpoint = checkpoint_path(tmp_path / "run", started.trial)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_bytes(b"the state")
        for number in (1, 2, 3):
            study.report(epoch_of(started, number))
        for _ in range(RETRIES):
            study.lost(started.trial, "its weights were not fetched")
            assert study.next() == started
        assert checkpoint.exists()
        study.end(end_of(started))
        assert not checkpoint.exists()


def test_losses_are_counted_over_starts_of_the_driver(tmp_path: Path, surveyed: Survey) -> None:
    for _ in range(RETRIES + 1):
        with Journal(tmp_path / "run") as journal:
            study = Study(plan_of(tmp_path), surveyed, journal)
            study.lost(study.next().trial, "it dies at once")
            if study.history.losses(0) > RETRIES:
                study.report(epoch_of(study.next(), 1))
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


def test_a_trial_tried_again_may_be_stopped_early_though_its_repeats_have_run(
    tmp_path: Path, surveyed: Survey
) -> None:
    """A network that early stopping ends has no other seed, but this one had."""
    plan = plan_of(tmp_path, HALVED, "search.trials=3", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        failed = study.next()
        study.end(end_of(failed, Status.FAILED))
        run(study)
        repeats = sum(started.name == failed.name for started in study.history.trials.values())
        assert repeats == 2
        study.retry([Status.FAILED])
        again = study.next()
        bad = dict.fromkeys(("train_loss", "val_error", "val_error_top5"), 99.0)
        assert study.report(dataclasses.replace(epoch_of(again, 1), metrics=bad))
        assert study.history.ends[again.trial].status is Status.PRUNED
        assert study.left() == 0
        assert study.finished


def test_a_loss_near_the_end_of_the_time_is_no_ctrl_c(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal, Deadline(1000.0))
        started = study.next()
        study.report(dataclasses.replace(epoch_of(started, 1), seconds=5000.0))
        study.lost(started.trial, "its node is gone")
        assert study.next() is None, "no epoch fits any more"
        assert study.over
        assert study.out_of_time
        assert not study.runs(started.trial)


def test_the_name_of_one_status_will_do() -> None:
    assert retried_statuses("failed") == (Status.FAILED,)
    with pytest.raises(ConfigError, match=r"'diverged': only trials that ended as failed or"):
        retried_statuses(["diverged"])


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
        other = study.next()
        study.report(epoch_of(other, 1))
        assert study.history.ends[0].status is Status.FAILED
        study.tidy()
        assert checkpoint.exists()
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
        sampler = study._learning._sampler = Told()
        started: Started = study.next()
        study.lost(started.trial, "its node is gone")
        study.end(end_of(study.next(), Status.FAILED))
        study.retry([Status.FAILED])
        study.end(end_of(study.next()))
    assert sampler.heard == ["take 0", "failed 0", "take 0", "complete 0"]


RESTING = {
    "one_epoch": ("scheduler=one_epoch", 3),
    "curves": ("scheduler={name: curves, share: 0.5}", 4),
    "asha": ("scheduler={name: asha, promotion: true}", 3),
}


@pytest.mark.parametrize("scheduler", RESTING)
def test_a_trial_that_kills_its_workers_takes_none_of_those_that_rest_with_it(
    tmp_path: Path, surveyed: Survey, scheduler: str
) -> None:
    """The scheduler waits for it, and lets another go on once it has failed."""
    setting, trials = RESTING[scheduler]
    sets = (setting, f"search.trials={trials}", "training.epochs=6")
    plan = plan_of(tmp_path, TINY, *sets)
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        while (started := study.next()) is not None:
            if started.trial == trials - 1:
                study.lost(started.trial, "killed by its network")
                continue
            stopped = False
            while not stopped and study.history.epochs(started.trial) < started.epochs:
                number = study.history.epochs(started.trial) + 1
                stopped = study.report(epoch_of(started, number))
            if not stopped:
                study.end(end_of(started))
        assert study.finished
        status = [ended.status for ended in study.history.ends.values()]
        assert status.count(Status.FAILED) == 1
        assert status.count(Status.OK) == 1, "one comes to its end in any case"
