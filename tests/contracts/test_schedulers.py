"""What every scheduler promises: rebuilt as it was, the truth about ends, no deadlock."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pytest

from search.schedulers.base import Decision, make_scheduler, rungs_of
from search.schedulers.checked import scheduler_of
from search.schema.schedulers import SCHEDULERS, scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey, survey
from search.study.events import Epoch, Record, Started, Status
from search.study.history import History
from search.study.journal import Journal, read
from search.study.learning import Learning
from search.study.observer import Observer
from search.study.study import Study
from tests.contracts.simulated import EPOCHS, drive, plan_with

CHECKED = "\nfidelity={check: 6, at_least: -0.99}"
CHOICES = [
    *SCHEDULERS,
    "{name: asha, promotion: true, reduction: 2}",
    "{name: curves, quantum: 3}",
    *(f"{name}{CHECKED}" for name in SCHEDULERS if name != "fifo"),
    "{name: asha, promotion: true, reduction: 2}\nfidelity={check: 6}",
]
OBJECTIVES = ["search.objectives=[val_error]", "search.objectives=[val_error, params]"]
every_scheduler = pytest.mark.parametrize("scheduler", CHOICES)
one_or_eight = pytest.mark.parametrize("slots", [1, 8])
# Each number of slots and of objectives stands in two of the four.
in_four_ways = pytest.mark.parametrize(
    ("slots", "objectives"),
    [
        pytest.param(1, OBJECTIVES[0], id="1-one"),
        pytest.param(8, OBJECTIVES[1], id="8-two"),
        pytest.param(1, OBJECTIVES[1], id="1-two", marks=pytest.mark.slow),
        pytest.param(8, OBJECTIVES[0], id="8-one", marks=pytest.mark.slow),
    ],
)
# With two, test_it_is_a_function_of_the_journal has the same after a kill.
one_or_two = pytest.mark.parametrize(
    "objectives",
    [OBJECTIVES[0], pytest.param(OBJECTIVES[1], marks=pytest.mark.slow)],
    ids=["one", "two"],
)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return survey(plan_with(tmp_path_factory.mktemp("space"), "fifo"))


def rungs_in(plan: StudyPlan) -> tuple[int, ...]:
    found = rungs_of(
        make_scheduler(plan.scheduler, epochs=EPOCHS, trials=12, objectives=plan.objectives)
    )
    assert found is not None
    return found


@every_scheduler
@in_four_ways
def test_a_study_comes_to_its_end(
    tmp_path: Path, surveyed: Survey, scheduler: str, slots: int, objectives: str
) -> None:
    """Every trial is whole or was stopped at a rung, and says so; some are of each kind."""
    plan = plan_with(tmp_path, scheduler, objectives, "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        drive(study, slots=slots)
    history = study.history
    assert study.finished
    assert len(history.networks) == 12
    assert not history.live
    for trial, ended in history.ends.items():
        assert ended.status in (Status.OK, Status.PRUNED)
        assert ended.epochs == history.epochs(trial)
        if ended.status is Status.PRUNED:
            assert ended.epochs in rungs_in(plan)
            assert ended.epochs < EPOCHS
            assert history.trials[trial].repeat == 0
            assert "val error" in ended.reason
            assert ("params" in ended.reason) == ("params" in objectives)
    counts = Counter(ended.status for ended in history.ends.values())
    assert counts[Status.OK] > 0
    if plan.fidelity is None or plan.fidelity.at_least < 0:
        assert (counts[Status.PRUNED] > 0) == bool(scheduler_traits(plan.scheduler))


@every_scheduler
@in_four_ways
def test_it_is_a_function_of_the_journal(
    tmp_path: Path, surveyed: Survey, scheduler: str, slots: int, objectives: str
) -> None:
    """Killed after any record, it is where it was: who rests, who goes on, what is decided.

    After some of the records, of every kind among them.
    """
    plan = plan_with(tmp_path, scheduler, objectives)
    with Journal(tmp_path / "run") as journal:
        drive(lived := Watched(plan, surveyed, journal), slots=slots)
        records = read(tmp_path / "run")
        assert len(lived.states) == len(records)
        for killed_after in sorted(some_of_each_kind(records)):
            again = Rebuilt(plan, surveyed, journal)
            for record in records[:killed_after]:
                again.take(record)
            assert again.take(records[killed_after]) == lived.states[killed_after]


def some_of_each_kind(records: Sequence[Record]) -> set[int]:
    """Places of the first, a middle and the last record of each kind, and some between."""
    places: dict[type[Record], list[int]] = {}
    for place, record in enumerate(records):
        places.setdefault(type(record), []).append(place)
    chosen = {some[at] for some in places.values() for at in (0, len(some) // 2, -1)}
    return chosen | {*range(0, len(records), 25)}


State = tuple[Decision, list[int], int | None, tuple[int, ...] | None]


def state_of(decision: Decision, learning: Learning) -> State:
    """What was decided, who rests, who would go on, and which rungs are believed."""
    found = learning.fidelity
    believed = None if found is None else found.believed
    return decision, list(learning.paused), learning.resume(), believed


class Watched(Study):
    """A study that notes its state after each record."""

    def _append(self, record: Record) -> Decision:
        decision = super()._append(record)
        self.states.append(state_of(decision, self._learning))
        return decision

    @cached_property
    def states(self) -> list[State]:
        return []


class Rebuilt:
    """History and learning as a start of the study makes them from its journal."""

    def __init__(self, plan: StudyPlan, surveyed: Survey, journal: Journal) -> None:
        self._history = History(plan.ranking, plan.objectives)
        self._learning = Learning(plan, surveyed, self._history, journal)

    def take(self, record: Record) -> State:
        self._history.note(record)
        return state_of(self._learning.note(record), self._learning)


@every_scheduler
@one_or_two
def test_after_a_kill_the_same_trials_run_in_the_same_order(
    tmp_path: Path, surveyed: Survey, scheduler: str, objectives: str
) -> None:
    plan = plan_with(tmp_path, scheduler, objectives)
    with Journal(tmp_path / "whole") as journal:
        study = Study(plan, surveyed, journal)
        whole = drive(study, slots=1)
    ends = {trial: (end.status, end.epochs) for trial, end in study.history.ends.items()}
    for stop_after in sorted({1, len(whole) // 3, 2 * len(whole) // 3, len(whole) - 1}):
        folder = tmp_path / str(stop_after)
        with Journal(folder) as journal:
            before = drive(Study(plan, surveyed, journal), slots=1, stop_after=stop_after)
        with Journal(folder) as journal:
            study = Study(plan, surveyed, journal)
            assert before + drive(study, slots=1) == whole, stop_after
        found = {trial: (end.status, end.epochs) for trial, end in study.history.ends.items()}
        assert found == ends


@every_scheduler
@one_or_eight
def test_trials_that_fail_do_no_harm_and_may_be_tried_again(
    tmp_path: Path, surveyed: Survey, scheduler: str, slots: int
) -> None:
    """A third diverges or fails, each at another epoch, some before their first report."""

    def fate(started: Started, epoch: int) -> Status:
        number = list(study.history.networks).index(started.name)
        if number % 3 or epoch != 1 + number // 3:
            return Status.OK
        return Status.DIVERGED if number % 2 else Status.FAILED

    plan = plan_with(tmp_path, scheduler)
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        drive(study, slots=slots, fate=fate)
    ends = study.history.ends
    assert study.finished
    assert len(ends) == 12
    failed = [trial for trial, end in ends.items() if end.status is Status.FAILED]
    assert 0 in failed
    assert any(end.status is Status.OK for end in ends.values())
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        assert study.retry([Status.FAILED]) == len(failed)
        drive(study, slots=slots)
    assert study.finished
    assert {study.history.ends[t].status for t in failed} <= {Status.OK, Status.PRUNED}


@every_scheduler
def test_a_study_that_is_extended_keeps_its_ends(
    tmp_path: Path, surveyed: Survey, scheduler: str
) -> None:
    plan = plan_with(tmp_path, scheduler)
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        drive(study, slots=4)
    before = dict(study.history.ends)
    with Journal(tmp_path / "run") as journal:
        study = Study(
            plan.model_copy(update={"search": plan.search.model_copy(update={"trials": 18})}),
            surveyed,
            journal,
        )
        assert study.history.ends == before
        drive(study, slots=4)
    assert study.finished
    assert len(study.history.networks) == 18
    assert study.history.ends.items() >= before.items()


@every_scheduler
def test_of_equals_some_come_to_their_end(tmp_path: Path, scheduler: str) -> None:
    """All report the same: nobody is worse than another, so nobody is stopped."""
    asked = scheduler_of(plan_with(tmp_path, scheduler))
    epochs, ready = dict.fromkeys(range(12), 0), list(range(12))
    whole = 0
    while ready:
        trial = ready.pop(0)
        epochs[trial] += 1
        decision = asked.report(trial, epochs[trial], {"val_error": 50.0})
        assert decision is not Decision.STOP
        if epochs[trial] == EPOCHS:
            asked.ended(trial)
            whole += 1
        elif decision is Decision.CONTINUE:
            ready.append(trial)
        if not ready and (resumed := asked.resume()) is not None:
            asked.resumed(resumed)
            ready.append(resumed)
    assert whole > 0


class Expects(Observer):
    """Notes after each report how many epochs are said to be left."""

    def __init__(self, study: Study) -> None:
        self._study, self.left = study, list[int]()

    def reported(self, started: Started, epoch: Epoch) -> None:
        self.left.append(self._study.remaining.epochs())


@pytest.mark.parametrize("slots", [1, 5])
@pytest.mark.parametrize("scheduler", [*CHOICES, "{name: curves, grace: 2, share: 0.35}"])
def test_no_more_epochs_follow_than_are_said_to_be_left(
    tmp_path: Path, surveyed: Survey, scheduler: str, slots: int
) -> None:
    """And where a study knows how many trials go on, not one fewer."""
    plan = plan_with(tmp_path, scheduler, OBJECTIVES[0], "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, surveyed, journal)
        study.observers.append(expects := Expects(study))
        drive(study, slots=slots)
    reports = len(expects.left)
    came = [reports - number for number in range(1, reports + 1)]
    assert all(left >= n for left, n in zip(expects.left, came, strict=True))
    assert study.remaining.epochs() == 0
    if scheduler == "fifo" or (scheduler == "one_epoch" and slots == 1):
        assert expects.left == came
    if scheduler == "curves" and slots == 1:
        assert expects.left[0] < 0.7 * 12 * 2 * EPOCHS, "it spends 30 % of the first trials'"
