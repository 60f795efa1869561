"""The study decides what runs next, and notes what was reported. No Ray, no torch here.

The journal is the only record: all else here is rebuilt from it, and the same command goes on.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Collection

from search.samplers.in_order import NotYet
from search.schedulers.base import Decision
from search.schedulers.checked import Findings
from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey
from search.study.checkpoints import Checkpoints
from search.study.clock import wall_clock
from search.study.deadline import Deadline
from search.study.events import (
    Ended,
    Epoch,
    Known,
    Lost,
    Measured,
    Record,
    Resumed,
    Retried,
    Started,
    Status,
    Taken,
    Turn,
)
from search.study.history import History
from search.study.journal import Journal
from search.study.learning import Learning
from search.study.losses import Suspects, keeps_checkpoint, lost_once_more
from search.study.measurements import Measurements
from search.study.observer import Observer
from search.study.remaining import Remaining
from search.study.repeats import Repeats
from search.study.starting import Starts
from search.study.weights import KeptWeights


class Study:
    """The one who decides; executors ask it for trials and report to it.

    Args:
        plan: of the study.
        survey: the candidates inside the budget.
        journal: open; what it holds has happened.
        deadline: when this start of it must end; None for when it is done.
        clock: tells the times that records bear, in seconds.

    Attributes:
        plan, deadline: of the study, and of this start.
        observers: are told what happens from now on.
        history, remaining: what has happened, by trial, and how much is left.
        checkpoints, weights: what trials keep of themselves, on the way and in the end.

    Raises:
        JournalError: the journal's records do not follow from each other.
        PluginError: a foreign sampler or scheduler cannot be made.
    """

    def __init__(
        self,
        plan: StudyPlan,
        survey: Survey,
        journal: Journal,
        deadline: Deadline | None = None,
        *,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        self.plan, self._journal, self._clock = plan, journal, clock
        self.deadline, self._closed = deadline, False
        self._handed_out, self.observers = set[int](), list[Observer]()  # of this start
        self.history = History(plan.ranking, plan.objectives, tries=plan.tries, clock=clock)
        self._starts = Starts(plan, survey, self.history, clock=clock)
        self.remaining = Remaining(plan, self.history)
        self._measurements = Measurements(plan, self.history)
        self._learning = Learning(plan, survey, self.history, journal)
        self._suspects = Suspects()
        self._replay(journal)
        left = self.history.live - self._learning.paused.keys()
        self._interrupted = OrderedDict.fromkeys(sorted(left))
        self._repeats, seeds = Repeats(plan, self.history), plan.search.seeds
        folder = journal.path.parent
        self.checkpoints = Checkpoints(folder, plan, self.history.trials)
        self.weights = KeptWeights(folder, self.history, best=plan.keep.best, seeds=seeds)
        self.tidy()

    @property
    def over(self) -> bool:
        """Whether this start of the study hands out nothing any more."""
        return self.finished or self._closed or self._is_time_up()

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline ended this start: it is over, or too near for anything left."""
        running = any(map(self.runs, self._handed_out & self.history.live))
        return self._is_time_up() or (self._closed and not running)

    @property
    def saves_epochs(self) -> bool:
        """Whether workers should save after each epoch, as a pause may follow."""
        return "pauses" in scheduler_traits(self.plan.scheduler)

    @property
    def fidelity(self) -> Findings | None:
        """What the first networks say of the scheduler, where that is asked and known."""
        return self._learning.fidelity

    @property
    def finished(self) -> bool:
        """Whether nothing is left to run, not even in a phase to come."""
        return self.left() <= 0

    def left(self) -> int:
        """Trials that have not ended, running ones included; the most that it can be."""
        return self.remaining.trials()

    def next(self) -> Started | None:
        """The next trial to run; None where there is none now (see `over`).

        Interrupted trials come first, then paused ones that the scheduler resumes, then new
        proposals, then their repeats, seed by seed, so that whenever it is stopped most seeds
        are complete; then, when the whole search has ended, the confirmation of the best.
        """
        started = None if self._closed else self._next()
        if started is None:
            return None
        if self.deadline is not None and not self.deadline.allows(started):
            self._closed = True
            if started.trial in self.history.live:
                self._interrupted[started.trial] = None
            return None
        self._handed_out.add(started.trial)
        if started.trial not in self.history.trials:
            self._append(started)
        for observer in self.observers:
            observer.started(started)
        return started

    def report(self, epoch: Epoch, taken: Taken | None = None) -> bool:
        """Take an epoch of a running trial; True stops it: for good, for now, or as time is up.

        Epochs that the journal already holds, from before a checkpoint, are left aside.

        Args:
            epoch: that was finished.
            taken: what the trial took so far; its end says so, if this stops it.
        """
        if epoch.epoch <= self.history.epochs(epoch.trial):
            return self._is_time_up()
        decision = self._append(epoch)
        started = self.history.trials[epoch.trial]
        if self.deadline is not None:
            self.deadline.note(started, epoch)
        for observer in self.observers:
            observer.reported(started, epoch)
        for ended in self._suspects.further(epoch.trial):
            self.end(ended)
        if decision is Decision.STOP:
            self.end(self.history.pruned(epoch.trial, taken))
        return decision is not Decision.CONTINUE or self._is_time_up()

    def turned(self, turn: Turn) -> bool:
        """Take how far a running trial is; True where it should not run any more.

        What was measured before its first epoch may reject it, which ends it.
        """
        if turn.trial not in self.history.live or turn.trial in self._learning.paused:
            return True
        if turn.measured is not None and self._measured(turn.measured):
            return True
        for observer in self.observers:
            observer.turned(self.history.trials[turn.trial], turn)
        return self._is_time_up()

    def measured(self, started: Started) -> list[Measured]:
        """What was measured of a network so far, on whatever device."""
        return self._measurements.of(started)

    def runs(self, trial: int) -> bool:
        """Whether a trial is in the hands of an executor: not paused, lost or ended."""
        waiting = (self._learning.paused, self._interrupted, self._suspects)
        return trial in self.history.live and not any(trial in each for each in waiting)

    def lost(self, trial: int, reason: str, status: Status = Status.FAILED) -> None:
        """Take that the infrastructure lost a running trial: it goes on from its checkpoint.

        Args:
            trial: that was lost.
            reason: in words.
            status: how it ends where it was lost too often and got no further.
        """
        now = self._clock()
        record, times = lost_once_more(self.history, trial, reason, status, now=now)
        sure = self._suspects.lost(record, times)
        if sure and isinstance(record, Ended):
            self.end(record)
            return
        lost = Lost(trial=trial, reason=reason, times=times, time=now)
        self._append(lost)
        if sure:
            self._interrupted[trial] = None
        for observer in self.observers:
            observer.lost(self.history.trials[trial], lost)

    def know(self, known: Known) -> None:
        """Take a finished trial of another run: the sampler learns from it."""
        self._append(known)

    def retry(self, statuses: Collection[Status]) -> int:
        """Take trials that ended so as interrupted ones; how many these are."""
        again = [trial for trial, end in self.history.ends.items() if end.status in statuses]
        for trial in sorted(again):
            self.weights.retried(trial)
            self._append(Retried(trial=trial, time=self._clock()))
            self._interrupted[trial] = None
        return len(again)

    def end(self, ended: Ended) -> None:
        """Take the end of a running trial."""
        self._append(ended)
        if not keeps_checkpoint(self.history, ended.trial):
            self.checkpoints.remove(ended.trial)
        self.weights.ended(ended.trial)
        for observer in self.observers:
            observer.ended(self.history.trials[ended.trial], ended)

    def tidy(self) -> None:
        """Remove what workers left in checkpoints/ and networks/ that nobody needs."""
        self.weights.tidy()
        kept = [one for one in self.history.trials if keeps_checkpoint(self.history, one)]
        self.checkpoints.tidy(kept)

    def _measured(self, measured: Measured) -> bool:
        """Take what was measured; whether it ends the trial."""
        if measured != self.history.measured.get(measured.trial):  # else from before a stop
            self._append(measured)
        rejected = self._measurements.rejected(measured, now=self._clock())
        if rejected is not None:
            self.end(rejected)
        return rejected is not None

    def _replay(self, journal: Journal) -> None:
        """Let all that the journal holds count; it keeps no more of it than later events do."""
        stopped = {one.trial for one in journal.records() if self._note(one) is Decision.STOP}
        for trial in sorted(stopped & self.history.live):  # a crash came before it was written
            self._append(self.history.pruned(trial))

    def _is_time_up(self) -> bool:
        self._closed |= (up := self.deadline is not None and self.deadline.over)
        return up

    def _next(self) -> Started | None:
        if self._interrupted:
            return self.history.trials[self._interrupted.popitem(last=False)[0]]
        if (paused := self._learning.resume()) is not None:
            self._append(Resumed(trial=paused, time=self._clock()))
            return self.history.trials[paused]
        # Where trials that wait end, it is known what stands for their networks.
        return self._new() or (self._next() if self._end_waiting() else None)

    def _new(self) -> Started | None:
        """A trial that was not started; None where there is none, or none yet."""
        new = len(self.history.networks) < self.plan.search.trials
        if tried := self._repeats.first() or self._learning.further(beside=not new):
            return self._starts.start("search", tried)
        if new:
            with contextlib.suppress(NotYet):
                return self._starts.start("search", self._learning.propose())
            return None
        if (repeated := self._repeats.next()) is not None:
            return self._starts.start("search", *repeated)
        confirmed = self.remaining.to_confirm()
        return self._starts.start("confirm", *confirmed) if confirmed else None

    def _end_waiting(self) -> bool:
        """Where nothing runs any more, what waits ends: at its rung, or as lost too often."""
        if len(self._learning.paused) + len(self._suspects) < len(self.history.live):
            return False
        # Once the lost ones have, the scheduler may resume one that rests.
        ends = self._suspects.cleared() or [*map(self.history.pruned, self._learning.paused)]
        for ended in ends:
            self.end(ended)
        return bool(ends)

    def _append(self, record: Record) -> Decision:
        self._journal.append(record)  # only what is written counts
        return self._note(record)

    def _note(self, record: Record) -> Decision:
        """Let a record count; what becomes of its trial."""
        self.history.note(record)
        self._measurements.note(record)
        return self._learning.note(record)
