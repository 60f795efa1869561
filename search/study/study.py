"""The study decides what runs next, and records what was reported. No Ray, no torch here.

The journal is the only record: all other state is rebuilt from it when the command is repeated.
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
    """Decides what runs; executors ask it for trials and report to it.

    Args:
        plan: plan of the study.
        survey: the candidates inside the budget.
        journal: open; its records are replayed first.
        deadline: when this start of the study must end; None to run until it is done.
        clock: gives the times of records, in seconds.

    Attributes:
        plan, deadline: plan of the study, and deadline of this start.
        observers: called for each event from now on.
        history, remaining: what has happened, by trial, and how much is left.
        checkpoints, weights: what trials save while they run, and at their end.

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
        self._handed_out, self.observers = set[int](), list[Observer]()  # in this start
        self.history = History(plan.ranking, plan.objectives, tries=plan.tries, clock=clock)
        self._starts = Starts(plan, survey, self.history, clock=clock)
        self._measurements = Measurements(plan, self.history)
        self._learning = Learning(plan, survey, self.history, journal)
        self.remaining = Remaining(plan, self.history, self._learning.spared)
        self._suspects = Suspects()
        self._replay(journal)
        left = self.history.live - self._learning.paused.keys()
        self._interrupted = OrderedDict.fromkeys(sorted(left))
        self._repeats = Repeats(plan, self.history)
        folder = journal.path.parent
        self.checkpoints = Checkpoints(folder, plan, self.history.trials)
        self.weights = KeptWeights(folder, self.history, plan)
        self.tidy()

    @property
    def over(self) -> bool:
        """Whether this start of the study will hand out no more trials."""
        return self.finished or self._closed or self._is_time_up()

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline ended this start: it passed, or is too near for any trial."""
        running = any(map(self.runs, self._handed_out & self.history.live))
        return self._is_time_up() or (self._closed and not running)

    @property
    def saves_epochs(self) -> bool:
        """Whether workers should save after each epoch, because trials may be paused."""
        return "pauses" in scheduler_traits(self.plan.scheduler)

    @property
    def fidelity(self) -> Findings | None:
        """What the first networks showed about the scheduler, where that is asked and known."""
        return self._learning.fidelity

    @property
    def finished(self) -> bool:
        """Whether nothing is left to run, in any phase."""
        return self.left() <= 0

    def left(self) -> int:
        """Number of trials that have not ended, including running ones; an upper bound."""
        return self.remaining.trials()

    def next(self) -> Started | None:
        """The next trial to run; None if none can start now (`over` tells if any will later).

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
        """Take an epoch of a running trial; return whether the trial should stop or pause.

        That includes the end of the time limit. Epochs already in the journal are ignored.

        Args:
            epoch: the finished epoch.
            taken: what the trial took so far; noted in its end record if this stops it.
        """
        if epoch.epoch <= self.history.epochs(epoch.trial):
            return self._is_time_up()
        decision, started = self._append(epoch), self.history.trials[epoch.trial]
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
        """Take the progress of a running trial; return whether it should stop.

        A measurement before its first epoch may reject its network, which ends the trial.
        """
        self._journal.require_held()
        if turn.trial not in self.history.live or turn.trial in self._learning.paused:
            return True
        if turn.measured is not None and self._measured(turn.measured):
            return True
        for observer in self.observers:
            observer.turned(self.history.trials[turn.trial], turn)
        return self._is_time_up()

    def measured(self, started: Started) -> list[Measured]:
        """All measurements of a network so far, on any device."""
        return self._measurements.of(started)

    def runs(self, trial: int) -> bool:
        """Whether an executor is running a trial: it is not paused, lost or ended."""
        waiting = (self._learning.paused, self._interrupted, self._suspects)
        return trial in self.history.live and not any(trial in each for each in waiting)

    def lost(self, trial: int, reason: str, status: Status = Status.FAILED) -> None:
        """Note that the infrastructure lost a running trial, to be resumed from its checkpoint.

        Args:
            trial: the trial that was lost.
            reason: reason in words.
            status: with which it ends if it was lost too often without progress.
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
        """Add a finished trial of another run, from which the sampler learns."""
        self._append(known)

    def retry(self, statuses: Collection[Status]) -> int:
        """Retry the trials that ended with one of these statuses; return how many there are."""
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
            observer.ended(self.history.trials[ended.trial], self.history.ends[ended.trial])

    def tidy(self) -> None:
        """Remove files in checkpoints/ and networks/ that are no longer needed."""
        self._journal.require_held()  # else they are another host's
        self.weights.tidy()
        kept = [one for one in self.history.trials if keeps_checkpoint(self.history, one)]
        self.checkpoints.tidy(kept)

    def _measured(self, measured: Measured) -> bool:
        """Note a measurement; return whether it ends the trial."""
        if measured != self.history.measured.get(measured.trial):  # else noted before a stop
            self._append(measured)
        rejected = self._measurements.rejected(measured, now=self._clock())
        if rejected is not None:
            self.end(rejected)
        return rejected is not None

    def _replay(self, journal: Journal) -> None:
        """Rebuild all state from the journal, keeping no more of it than of later events."""
        stopped = {one.trial for one in journal.records() if self._note(one) is Decision.STOP}
        for trial in sorted(stopped & self.history.live):  # a crash prevented writing it
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
        # Ending the trials that wait settles which try represents their network.
        return self._new() or (self._next() if self._end_waiting() else None)

    def _new(self) -> Started | None:
        """A trial that was not started before; None if there is none, or none yet."""
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
        """If nothing runs any more, end waiting trials: at their rung, or as lost too often."""
        if len(self._learning.paused) + len(self._suspects) < len(self.history.live):
            return False
        # Once lost trials have ended, the scheduler may resume a paused one.
        ends = self._suspects.cleared() or [*map(self.history.pruned, self._learning.paused)]
        for ended in ends:
            self.end(ended)
        return bool(ends)

    def _append(self, record: Record) -> Decision:
        self._journal.append(record)  # only what is written counts
        return self._note(record)

    def _note(self, record: Record) -> Decision:
        """Update all state by a record; return the decision about its trial."""
        self.history.note(record)
        self._measurements.note(record)
        return self._learning.note(record)
