"""Feeds a study's sampler and scheduler with first trials, in the order of the journal.

Both are functions of what they were told, so that after a stop their state is rebuilt.
"""

from collections.abc import Mapping, Sequence

from res2net import Architecture
from search.samplers.base import Outcome
from search.samplers.in_order import InOrder
from search.samplers.planned import sampler_of
from search.schedulers.base import Decision, Spared, spared_by
from search.schedulers.checked import Checked, Findings, scheduler_of
from search.schema.metrics import Objective
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.space.survey import Survey
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
)
from search.study.history import History
from search.study.journal import Journal
from search.study.outcome import known_outcome, outcome_of
from search.study.tuning import Tuning


class Learning:
    """Proposes networks, and decides whether their first trials continue, pause or stop.

    Args:
        plan: plan of the study.
        survey: the candidates inside the budget.
        history: history of the study; a record is noted there first.
        journal: named in the error about a record of another space.

    Attributes:
        paused: paused trials, in the order they were paused.

    Raises:
        PluginError: a foreign sampler or scheduler cannot be made.
    """

    def __init__(
        self, plan: StudyPlan, survey: Survey, history: History, journal: Journal
    ) -> None:
        self._survey, self._history, self._journal = survey, history, journal
        self._objectives = plan.objectives
        self._sampler = sampler_of(plan, survey)
        self._scheduler = scheduler_of(plan)
        self._tuning, self._tries = Tuning(plan, survey), plan.tries
        self.paused: dict[int, None] = {}

    @property
    def fidelity(self) -> Findings | None:
        """What the first networks showed about the scheduler, where that is asked and known."""
        return self._scheduler.findings if isinstance(self._scheduler, Checked) else None

    def spared(self) -> Spared:
        """What the scheduler will surely not train."""
        return spared_by(self._scheduler)

    def propose(self) -> Configuration:
        """The next network to try, with its settings.

        Raises:
            NotYet: the sampler must first see a result that is not there yet.
        """
        candidate = self._sampler.propose(len(self._history.networks))
        return self._tuning.first(self._survey.configuration(candidate))

    def further(self, *, beside: bool) -> Configuration | None:
        """Another try of a network that was tried before; None if none can start now.

        Args:
            beside: whether the network may have a running try, whose result the new try does
                not see.
        """
        return self._tuning.further(beside=beside)

    def resume(self) -> int | None:
        """A paused trial that should resume now, or None; it is not noted yet."""
        trial = self._scheduler.resume()
        return trial if trial in self.paused else None

    def note(self, record: Record) -> Decision:
        """Update sampler and scheduler by a record; return the decision about its trial."""
        if isinstance(record, Known):
            self._know(record)
            return Decision.CONTINUE
        started = self._history.trials[record.trial]
        if not started.is_try or isinstance(record, Lost | Measured):
            return Decision.CONTINUE
        if isinstance(record, Epoch):
            return self._reported(started, record)
        if isinstance(record, Ended):
            self._ended(started, record)
        elif isinstance(record, Resumed):
            self.paused.pop(record.trial, None)
            self._scheduler.resumed(record.trial)
        elif isinstance(record, Retried):
            self._tuning.retried(started)
            self._take(started, new=self._was_told(started))
        else:
            self._take(started, new=self._tuning.start(started))
        return Decision.CONTINUE

    def _know(self, known: Known) -> None:
        candidate = self._candidate(known.network())
        outcome = known_outcome(known, self._objectives)
        if isinstance(self._sampler, InOrder):
            self._sampler.know(candidate, outcome)
        else:
            self._sampler.take(candidate)
            self._sampler.tell(candidate, outcome)

    def _reported(self, started: Started, epoch: Epoch) -> Decision:
        values = self._history.values(epoch.trial, epoch.metrics)
        decision = self._scheduler.report(epoch.trial, epoch.epoch, values)
        if epoch.epoch == started.epochs:  # its end record follows
            return Decision.CONTINUE
        if decision is Decision.PAUSE:
            self.paused[epoch.trial] = None
        return decision

    def _ended(self, started: Started, ended: Ended) -> None:
        self.paused.pop(ended.trial, None)
        self._scheduler.ended(ended.trial)
        self._tuning.end(started, self._outcome(ended, (self._history.ranking,)))
        chosen = self._history.chosen(started.name)
        if chosen is not None:  # the try that represents the network is known
            self._sampler.tell(
                self._candidate_of(started),
                self._outcome(self._history.ends[chosen], self._objectives),
            )

    def _outcome(self, ended: Ended, objectives: Sequence[Objective]) -> Outcome:
        values = self._history.values(ended.trial, ended.metrics)
        return outcome_of(ended, values, objectives)

    def _was_told(self, started: Started) -> bool:
        """Whether all tries of a network had ended before this one was retried."""
        tries, ends = self._history.tries[started.name], self._history.ends
        return sum(trial in ends for trial in tries) == self._tries - 1

    def _take(self, started: Started, *, new: bool) -> None:
        if new:  # else the sampler knows that the network is being tried
            self._sampler.take(self._candidate_of(started))

    def _candidate_of(self, started: Started) -> int:
        return self._candidate(started.network(), started.settings)

    def _candidate(
        self, architecture: Architecture, settings: Mapping[str, float] | None = None
    ) -> int:
        candidate = self._survey.candidate(architecture, settings)
        if candidate is None:
            raise self._journal.of_another_space(architecture.name)
        return candidate
