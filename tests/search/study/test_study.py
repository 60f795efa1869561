"""The one who decides: queue, early stopping, confirmation, all rebuilt from the journal."""

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from search.schema.study_plan import StudyPlan
from search.space.survey import Survey, survey
from search.study.checkpoints import checkpoint_path
from search.study.events import Ended, Epoch, Measured, Started, Status, Turn
from search.study.journal import Journal, JournalError, Record, read
from search.study.study import Study
from tests.search.spaces import TINY, plan_of

CONFIRMED = TINY.replace("resources:", "confirm: {top: 2, seeds: 2, epochs: 5}\nresources:")
HALVED = TINY.replace(
    "resources:", "scheduler: {name: asha, grace: 1, reduction: 2}\nresources:"
)

FRONT = HALVED.replace("sampler: random", "sampler: tpe, objectives: [val_error, throughput]")


def error_of(started: Started) -> float:
    """Larger networks are better, a little differently for each seed."""
    return 90 - started.macs / 10_000 + started.seed % 7 / 100


def epoch_of(started: Started, number: int) -> Epoch:
    return Epoch(
        trial=started.trial, epoch=number, images_per_s=1.0, seconds=2.0,
        metrics={"train_loss": 1.0, "val_error": error_of(started), "val_error_top5": 0.0},
    )  # fmt: skip


def turn_of(started: Started) -> Turn:
    """A measurement before the first epoch, in which larger networks are slower."""
    values = {"throughput": 1e9 / started.macs}
    measured = Measured(
        trial=started.trial, values=values, low=values, high=values, passes={"throughput": 9},
        place={"device": "cpu"}, alone=True, others=0.0, first=started.trial,
    )  # fmt: skip
    return Turn(trial=started.trial, share=0.0, seconds=0.0, measured=measured)


def end_of(started: Started, status: Status = Status.OK) -> Ended:
    ok = status is Status.OK
    error = error_of(started)
    return Ended(
        trial=started.trial, status=status, reason="" if ok else "broken",
        metrics={"val_error": error, "test_error": error} if ok else {}, epochs=started.epochs,
    )  # fmt: skip


def run(
    study: Study,
    *,
    stop_after: int = 10**9,
    status: Callable[[int], Status] = lambda _: Status.OK,
) -> list[Started]:
    """Run trials as an executor does, one after another; stop after so many reports."""
    ran = []
    reports = 0
    while not study.finished:
        started = study.next()
        assert started is not None
        ran.append(started)
        if study.plan.measured:
            study.turned(turn_of(started))
        stopped = False
        for number in range(1, started.epochs + 1):
            stopped = study.report(epoch_of(started, number))
            reports += 1
            if reports == stop_after:
                return ran
            if stopped:
                break
        if not stopped:
            study.end(end_of(started, status(started.trial)))
    return ran


@pytest.fixture
def surveyed(tmp_path: Path) -> Survey:
    return survey(plan_of(tmp_path))


def test_every_trial_runs_once_and_in_order(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        ran = run(study)
        assert [started.trial for started in ran] == [0, 1, 2]
        assert len({started.seed for started in ran}) == 1, "no luck to differ by"
        assert study.next() is None
        again = Study(plan_of(tmp_path), surveyed, journal)
        assert again.finished


@pytest.mark.parametrize(
    "text", [TINY, CONFIRMED, HALVED, FRONT], ids=["plain", "confirm", "asha", "front"]
)
def test_stopped_after_any_report_it_ends_as_if_it_had_not_been(
    tmp_path: Path, surveyed: Survey, text: str
) -> None:
    config = plan_of(tmp_path, text, f"search.trials={14 if text == FRONT else 8}")
    with Journal(tmp_path / "whole") as journal:
        run(Study(config, surveyed, journal))
    whole = list(journal.records())
    reports = sum(isinstance(record, Epoch) for record in whole)
    for stop_after in range(1, reports + 1):
        folder = tmp_path / str(stop_after)
        with Journal(folder) as journal:
            run(Study(config, surveyed, journal), stop_after=stop_after)
        with Journal(folder) as journal:
            run(Study(config, surveyed, journal))
        assert without_times(read(folder)) == without_times(whole)


def test_why_a_trial_was_stopped_is_told_by_what_was_measured_too(
    tmp_path: Path, surveyed: Survey
) -> None:
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path, FRONT, "search.trials=8"), surveyed, journal))
        ends = [one for one in journal.records() if isinstance(one, Ended)]
    reasons = [one.reason for one in ends if one.status is Status.PRUNED]
    assert reasons
    assert all("val error" in one and "throughput" in one for one in reasons)


def without_times(records: list[Record]) -> list[dict[str, object]]:
    return [
        {key: value for key, value in record.to_json().items() if key != "time"}
        for record in records
    ]


def test_more_trials_extend_a_finished_study(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path), surveyed, journal))
        more = run(Study(plan_of(tmp_path, TINY, "search.trials=5"), surveyed, journal))
    assert [started.trial for started in more] == [3, 4]
    with Journal(tmp_path / "other") as journal:
        at_once = run(Study(plan_of(tmp_path, TINY, "search.trials=5"), surveyed, journal))
    assert [s.name for s in at_once[3:]] == [s.name for s in more]


def test_the_best_are_confirmed_with_shared_fresh_seeds(
    tmp_path: Path, surveyed: Survey
) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        ran = run(Study(config, surveyed, journal))
    search = [started for started in ran if started.phase == "search"]
    confirm = [started for started in ran if started.phase == "confirm"]
    best = [s.name for s in sorted(search, key=error_of)[:2]]
    assert [s.name for s in confirm] == best * 2, "whole repeats first"
    assert [s.seed for s in confirm][::2] == [s.seed for s in confirm][1::2]
    assert len({s.seed for s in ran}) == 1 + 2
    assert {s.epochs for s in confirm} == {5}


def test_fewer_whole_trials_than_asked_are_confirmed(tmp_path: Path, surveyed: Survey) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        ran = run(study, status=lambda trial: Status.OK if trial == 1 else Status.FAILED)
        assert study.finished
    assert [s.phase for s in ran] == ["search"] * 3 + ["confirm"] * 2


def test_a_stopped_trial_is_pruned_at_its_rung(tmp_path: Path, surveyed: Survey) -> None:
    config = plan_of(tmp_path, HALVED, "search.trials=12")
    checkpoint_path(tmp_path / "run", 1).parent.mkdir(parents=True)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        run(study)
    pruned = [ended for ended in study.history.ends.values() if ended.status is Status.PRUNED]
    assert pruned
    for ended in pruned:
        assert ended.epochs in (1, 2)
        assert "test_error" not in ended.metrics, "the test images are not for choosing"
        assert ended.seconds == 2.0 * ended.epochs
        assert f"at epoch {ended.epochs}" in ended.reason


def test_an_epoch_reported_again_is_left_aside(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        started = study.next()
        assert started is not None
        for number in (1, 2, 1, 2):
            study.report(epoch_of(started, number))
        study.report(epoch_of(started, 3))
    epochs = [r.epoch for r in journal.records() if isinstance(r, Epoch)]
    assert epochs == [1, 2, 3]


def test_the_checkpoint_of_an_ended_trial_is_removed(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        started = study.next()
        assert started is not None
        path = checkpoint_path(tmp_path / "run", started.trial)
        path.parent.mkdir()
        path.write_bytes(b"state")
        study.end(end_of(started))
        assert not path.exists()


def test_trials_beside_each_other_wait_for_the_confirmation(
    tmp_path: Path, surveyed: Survey
) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        running = [study.next() for _ in range(3)]
        assert study.next() is None, "the best are not known yet"
        assert not study.finished
        for started in running:
            assert started is not None
            study.end(end_of(started))
        assert study.next() is not None


def test_what_is_left_is_counted(tmp_path: Path, surveyed: Survey) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        assert (study.left(), study.remaining.epochs()) == (3 + 4, 3 * 3 + 4 * 5)
        started = study.next()
        assert started is not None
        study.report(epoch_of(started, 1))
        assert study.remaining.epochs() == 3 * 3 + 4 * 5 - 1
        study.end(end_of(started))
        assert (study.left(), study.remaining.epochs()) == (2 + 4, 2 * 3 + 4 * 5)
        ((error, best, _),) = study.history.ranked()
        assert (error, best) == (error_of(started), started)


@pytest.mark.slow  # test_growth.py watches what a trial costs, of more kinds of study
def test_two_thousand_trials_are_decided_as_fast_as_two_hundred(tmp_path: Path) -> None:
    """The cost of a decision must not grow with the journal.

    If it grew in proportion, the last batches would take 6 times the first; 3 leaves room
    for a busy machine.
    """
    import time  # noqa: PLC0415 - this test alone

    config = wide_config(tmp_path)
    surveyed = survey(config)
    seconds = []
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        for _ in range(10):
            begin = time.perf_counter()
            for _ in range(200):
                started = study.next()
                assert started is not None
                for number in range(1, started.epochs + 1):
                    study.report(epoch_of(started, number))
                study.end(end_of(started))
            seconds.append(time.perf_counter() - begin)
    assert min(seconds[5:]) < 3 * min(seconds[:3])
    begin = time.perf_counter()
    with Journal(tmp_path / "run") as journal:
        assert Study(config, surveyed, journal).finished
    assert time.perf_counter() - begin < sum(seconds), "reading is no slower than running"


def wide_config(tmp_path: Path) -> StudyPlan:
    text = TINY.replace("width: [1, 2, 3]", "width: {from: 1, to: 500}")
    return plan_of(
        tmp_path, text.replace("{max: 300K, min: 20K}", "{min: 1K}"), "search.trials=2000"
    )


@pytest.mark.parametrize("sizes", [(4, 8, 14), (4, 8, 10), (3, 4, 5)])
def test_a_confirmed_study_can_be_extended_again_and_again(
    tmp_path: Path, surveyed: Survey, sizes: tuple[int, ...]
) -> None:
    with Journal(tmp_path / "run") as journal:
        for trials in sizes:
            config = plan_of(tmp_path, CONFIRMED, f"search.trials={trials}")
            study = Study(config, surveyed, journal)
            assert study.left() >= 0
            run(study)
            ranked = [started.name for _, started, _ in study.history.ranked()]
            assert len(ranked) == trials
            confirmed = {s.name for _, s, _ in study.history.whole("confirm")}
            assert set(ranked[:2]) <= confirmed


def test_confirmation_can_be_taken_back_or_changed(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path, CONFIRMED), surveyed, journal))
        plain = Study(plan_of(tmp_path, TINY, "search.trials=5"), surveyed, journal)
        assert [started.phase for started in run(plain)] == ["search"] * 2
        longer = plan_of(
            tmp_path, CONFIRMED, "search.trials=5", "confirm.epochs=6", "confirm.seeds=1"
        )
        assert [s.epochs for s in run(Study(longer, surveyed, journal))] == [6, 6]


def test_a_stop_between_a_verdict_and_its_record_changes_nothing(
    tmp_path: Path, surveyed: Survey
) -> None:
    """Every prefix of the journal, cut between any two records, goes on to the same end."""
    config = plan_of(tmp_path, HALVED, "search.trials=6")
    with Journal(tmp_path / "whole") as journal:
        run(Study(config, surveyed, journal))
    whole = list(journal.records())
    for size in range(len(whole)):
        with Journal(tmp_path / str(size)) as journal:
            for record in whole[:size]:
                journal.append(record)
            run(Study(config, surveyed, journal))
        assert without_times(list(journal.records())) == without_times(whole), size


def test_a_trial_whose_lines_were_deleted_is_run_again(
    tmp_path: Path, surveyed: Survey
) -> None:
    """The remedy that the message about a damaged line gives."""
    config = plan_of(tmp_path)
    with Journal(tmp_path / "run") as journal:
        run(Study(config, surveyed, journal))
        kept = [record for record in journal.records() if record.trial != 1]
    with Journal(tmp_path / "mended") as journal:
        for record in kept:
            journal.append(record)
        study = Study(config, surveyed, journal)
        again = run(study)
    assert [started.trial for started in again] == [3]
    assert len({s.name for s in study.history.trials.values()}) == 3


@pytest.mark.parametrize("records", [[1, 1], [2], [1, 3, 2]], ids=["twice", "unknown", "after"])
def test_records_that_do_not_follow_are_an_error(
    tmp_path: Path, surveyed: Survey, records: list[int]
) -> None:
    with Journal(tmp_path / "made") as journal:
        started = Study(plan_of(tmp_path), surveyed, journal).next()
    assert started is not None
    known = {1: started, 2: epoch_of(started, 1), 3: end_of(started)}
    with Journal(tmp_path / "run") as journal:
        for record in records:
            journal.append(known[record])
        with pytest.raises(JournalError, match=r"trial 0 .* delete every line of trial 0"):
            Study(plan_of(tmp_path), surveyed, journal)


def test_what_workers_leave_behind_is_removed(tmp_path: Path, surveyed: Survey) -> None:
    """A worker that is stopped saves once more, also when its trial was pruned."""
    with Journal(tmp_path / "run") as journal:
        study = Study(plan_of(tmp_path), surveyed, journal)
        first, second = study.next(), study.next()
        assert first is not None
        assert second is not None
        for number in range(1, first.epochs + 1):
            study.report(epoch_of(first, number))
        study.end(end_of(first))
        folder = checkpoint_path(tmp_path / "run", 0).parent
        folder.mkdir()
        theirs = {"my_resnet.pt", "notes.txt"}
        for name in ("0.pt", "0.before.pt", "1.pt", "1.pt.77.part", "9.pt", *theirs):
            (folder / name).write_bytes(b"state")
        weights = tmp_path / "run" / "networks"
        weights.mkdir()
        for name in ("mine.json", "mine.safetensors", f"{first.name}-seed9.json"):
            (weights / name).write_bytes(b"state")
        Study(plan_of(tmp_path), surveyed, journal)
        assert {path.name for path in folder.iterdir()} == {"1.pt", *theirs}
        assert {path.name for path in weights.iterdir()} == {"mine.json", "mine.safetensors"}


SEEDED = TINY.replace("trials: 3", "trials: 3, seeds: 3")


def test_whole_seeds_come_one_after_the_other(tmp_path: Path, surveyed: Survey) -> None:
    config = plan_of(tmp_path, SEEDED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        assert study.left() == 9
        ran = run(study)
    assert [one.repeat for one in ran] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    names = [one.name for one in ran]
    assert names[:3] == names[3:6] == names[6:]
    assert len(set(names)) == 3
    assert len({(one.repeat, one.seed) for one in ran}) == len({one.seed for one in ran}) == 3


@pytest.mark.parametrize("stop_after", [1, 5, 9, 12, 20])
def test_wherever_it_stops_seeds_go_on_as_if_it_had_not(
    tmp_path: Path, surveyed: Survey, stop_after: int
) -> None:
    config = plan_of(tmp_path, SEEDED)
    with Journal(tmp_path / "whole") as journal:
        whole = run(Study(config, surveyed, journal))
    with Journal(tmp_path / "run") as journal:
        run(Study(config, surveyed, journal), stop_after=stop_after)
    with Journal(tmp_path / "run") as journal:
        run(Study(config, surveyed, journal))
        starts = [record for record in journal.records() if isinstance(record, Started)]
    said = [(one.trial, one.name, one.repeat, one.seed) for one in starts]
    assert said == [(one.trial, one.name, one.repeat, one.seed) for one in whole]


def test_more_seeds_and_more_networks_extend_a_study(tmp_path: Path, surveyed: Survey) -> None:
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path, TINY), surveyed, journal))
    extended = plan_of(tmp_path, SEEDED, "search.trials=4", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        more = run(Study(extended, surveyed, journal))
        study = Study(extended, surveyed, journal)
        assert study.finished
        assert len(study.history.ranked()) == 4
        assert all(len(one.ends) == 2 for one in study.history.ranked())
    assert [one.repeat for one in more] == [0, 1, 1, 1, 1]


def test_the_best_network_is_the_best_on_average(tmp_path: Path, surveyed: Survey) -> None:
    config = plan_of(tmp_path, SEEDED, "confirm={top: 1, seeds: 1, epochs: 5}")
    with Journal(tmp_path / "run") as journal:
        study = Study(config, surveyed, journal)
        ran = run(study)
    errors: dict[str, list[float]] = {}
    for one in ran[:9]:
        errors.setdefault(one.name, []).append(error_of(one))
    assert ran[9].name == min(errors, key=lambda name: sum(errors[name]))
    assert len(ran) == 10


def test_a_network_is_stopped_by_its_first_seed_and_others_of_it_run_whole(
    tmp_path: Path, surveyed: Survey
) -> None:
    plan = plan_of(tmp_path, HALVED, "search.trials=8", "search.seeds=3")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        ran = run(study)
        assert study.finished
        assert study.left() == 0
    ends, trials = study.history.ends, study.history.trials
    first = {trials[t].name: ends[t].status for t in ends if trials[t].repeat == 0}
    pruned = {name for name, status in first.items() if status is Status.PRUNED}
    assert pruned
    assert len(pruned) < 8
    again = [one for one in ran if one.repeat]
    assert {one.name for one in again} == set(first) - pruned
    assert len(again) == 2 * (8 - len(pruned))
    assert all(ends[one.trial].epochs == one.epochs for one in again)
    assert plan.search_trials(len(pruned)) == len(ends)


def test_a_repeat_waits_for_the_end_of_the_first_seed(tmp_path: Path, surveyed: Survey) -> None:
    plan = plan_of(tmp_path, HALVED, "search.trials=2", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        one, other = study.next(), study.next()
        assert one is not None
        assert other is not None
        assert study.next() is None, "nothing is known yet of either"
        assert not study.over
        study.report(epoch_of(one, 1))
        study.end(end_of(one))
        again = study.next()
        assert again is not None
        assert (again.name, again.repeat) == (one.name, 1)


PAUSING = "scheduler={name: 'tests.search.schedulers.pausing:Pausing', group: 4}"


def run_pausing(study: Study, *, stop_after: int = 10**9) -> list[tuple[int, int]]:
    """As `run`, from where each trial rests; (trial, epoch) of each report."""
    reports: list[tuple[int, int]] = []
    while not study.finished and len(reports) < stop_after:
        started = study.next()
        if started is None:
            continue
        stopped = False
        while not stopped and study.history.epochs(started.trial) < started.epochs:
            number = study.history.epochs(started.trial) + 1
            stopped = study.report(epoch_of(started, number))
            reports.append((started.trial, number))
            if len(reports) == stop_after:
                return reports
        if not stopped:
            study.end(end_of(started))
    return reports


def test_paused_trials_go_on_when_the_scheduler_says_so(
    tmp_path: Path, surveyed: Survey
) -> None:
    plan = plan_of(tmp_path, TINY, "search.trials=8", PAUSING)
    with Journal(tmp_path / "whole") as journal:
        study = Study(plan, surveyed, journal)
        whole = run_pausing(study)
    ends = study.history.ends
    assert len(ends) == 8
    assert sum(ended.status is Status.OK for ended in ends.values()) == 4
    pruned = [ended for ended in ends.values() if ended.status is Status.PRUNED]
    assert [ended.epochs for ended in pruned] == [1] * 4, "those that nobody resumed"
    best = sorted(ends, key=lambda t: error_of(study.history.trials[t]))
    assert ends[best[0]].status is Status.OK
    assert len(whole) == len(set(whole)) == 8 + 4 * 2, "no epoch twice"
    for stop_after in range(1, len(whole), 3):
        folder = tmp_path / str(stop_after)
        with Journal(folder) as journal:
            before = run_pausing(Study(plan, surveyed, journal), stop_after=stop_after)
        with Journal(folder) as journal:
            study = Study(plan, surveyed, journal)
            assert before + run_pausing(study) == whole, stop_after
            assert {t: e.status for t, e in study.history.ends.items()} == {
                t: e.status for t, e in ends.items()
            }


def mended(folder: Path, journal: Journal, lost: Collection[int]) -> None:
    """Another journal without the lines of some trials, as the message of damage advises."""
    with Journal(folder) as other:
        for record in journal.records():
            if record.trial not in lost:
                other.append(record)


@pytest.mark.parametrize("lost", [(1,), (4,), (2, 12), (0, 5, 11, 13)], ids=str)
def test_a_network_whose_first_trial_was_deleted_is_tried_again_as_itself(
    tmp_path: Path, surveyed: Survey, lost: Collection[int]
) -> None:
    plan = plan_of(tmp_path, TINY, "search={sampler: tpe, trials: 12, seeds: 2}")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        whole = {(one.name, one.repeat) for one in run(study)}
        mended(tmp_path / "mended", journal, lost)
    with Journal(tmp_path / "mended") as journal:
        study = Study(plan, surveyed, journal)
        assert study.left() == len(lost)
        assert len(run(study)) == len(lost)
        assert study.next() is None
        assert {(one.name, one.repeat) for one in study.history.trials.values()} == whole
        assert len(study.history.trials) == 24
        assert Study(plan, surveyed, journal).finished


def test_seeds_of_a_network_that_nobody_tries_any_more_hold_up_no_study(
    tmp_path: Path, surveyed: Survey
) -> None:
    """So a study is that went on after such a repair before networks were tried again."""
    plan = plan_of(tmp_path, SEEDED)
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path, SEEDED, "search.trials=4"), surveyed, journal))
        mended(tmp_path / "mended", journal, {1})
    with Journal(tmp_path / "mended") as journal:
        study = Study(plan, surveyed, journal)
        assert study.left() == 0
        assert study.finished
        confirmed = plan_of(tmp_path, SEEDED, "confirm={top: 2, seeds: 1, epochs: 5}")
        study = Study(confirmed, surveyed, journal)
        assert [one.phase for one in run(study)] == ["confirm"] * 2


def test_a_run_of_more_networks_than_its_plan_goes_on(tmp_path: Path, surveyed: Survey) -> None:
    """Its manifest was damaged and deleted, and with it what it was extended to."""
    with Journal(tmp_path / "run") as journal:
        run(Study(plan_of(tmp_path, TINY, "search.trials=4"), surveyed, journal))
        small = Study(plan_of(tmp_path, CONFIRMED, "search.trials=2"), surveyed, journal)
        assert small.left() == 4
        assert [one.phase for one in run(small)] == ["confirm"] * 4
        seeded = Study(plan_of(tmp_path, SEEDED), surveyed, journal)
        assert seeded.left() == 4 * 2
        assert [one.repeat for one in run(seeded)] == [1] * 4 + [2] * 4
