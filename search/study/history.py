"""The history of a study by trial: read from the journal, and updated as it grows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from search.schema.metrics import Objective
from search.space.configuration import Configuration
from search.study.clock import wall_clock
from search.study.events import (
    SOUND,
    Ended,
    Epoch,
    Known,
    Lost,
    Measured,
    Phase,
    Record,
    Resumed,
    Retried,
    Started,
    Status,
    Taken,
)
from search.study.journal import JournalError
from search.study.ranking import Ranked, Ranking
from search.study.tries import Tries


class History:
    """The trials that were started, their progress and how they ended.

    Args:
        ranking: the metric by which networks are ranked.
        objectives: objectives by which networks are compared, where that is known.
        tries: trials of each network with its first seed (`StudyPlan.tries`).
        clock: gives the time of an early stop, in seconds.

    Attributes:
        ranking: same as the argument.
        trials, ends: start and end records, by number of the trial.
        measured: the newest measurement before a trial's first epoch, by number of the trial.
        measured_of: all measurements of a network, by its architecture's name.
        known: trials of other runs that the search started from, by name of the network.
        live: trials that were started and have not ended.
        networks: networks of the search, in the order they were first tried, by name.
        repeats: started trials of these networks, by name and repeat.
        searched: a counter of everything that may change the ranking of the search.
        confirmed: confirmations that were started, by name, repeat and epochs.
        live_epochs: total of the epochs that the live trials have reported.
    """

    def __init__(
        self,
        ranking: Objective,
        objectives: Sequence[Objective] = (),
        *,
        tries: int = 1,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        self.ranking, self._clock = ranking, clock
        self._objectives = tuple(objectives) or (ranking,)
        self.searched, self.live_epochs = 0, 0
        self.confirmed: set[tuple[str, int, int]] = set()
        self._ranking = Ranking(ranking, tuned=tries > 1)
        self._tries = Tries(tries, ranking)
        self.trials: dict[int, Started] = {}
        self.ends: dict[int, Ended] = {}
        self.known: dict[str, Known] = {}
        self.measured: dict[int, Measured] = {}
        self.measured_of: dict[str, list[Measured]] = {}
        self.live: set[int] = set()
        self.networks: dict[str, Configuration] = {}
        self.repeats: set[tuple[str, int]] = set()
        self._next_number = 0
        self._losses = Counter[int]()
        self._last: dict[int, Epoch] = {}
        self._seconds: dict[int, float] = {}
        self._started, self._ended = Counter[Phase](), Counter[Phase]()

    def note(self, record: Record) -> None:
        """Take the next record.

        Raises:
            JournalError: it does not follow from those before it.
        """
        trial = record.trial
        if isinstance(record, Epoch):  # first, as nearly all records are epochs
            self._require_live(record)
            self.live_epochs += record.epoch - self.epochs(trial)
            self._last[trial] = record
            self._seconds[trial] = self.seconds(trial) + record.seconds
            self._losses.pop(trial, None)
        elif isinstance(record, Started):
            self._start(record)
        elif isinstance(record, Known):
            self.known[record.name] = record
        elif isinstance(record, Retried):
            self._retried(trial)
        elif isinstance(record, Lost | Resumed | Measured):
            self._require_live(record)
            if isinstance(record, Lost):
                self._losses[trial] += 1
            elif isinstance(record, Measured):
                self.measured[trial] = record
                name = self.trials[trial].network().name
                self.measured_of.setdefault(name, []).append(record)
        else:
            self._require_live(record)
            self._end(record)

    def _start(self, started: Started) -> None:
        trial = started.trial
        self._require(trial not in self.trials, trial, "starts twice")
        self.trials[trial] = started
        self.live.add(trial)
        self._next_number = max(self._next_number, trial + 1)
        self._started[started.phase] += 1
        if started.phase == "search":
            if started.is_try:
                self.networks.setdefault(started.name, started.configuration)
                self._tries.start(started)
                if self._tries.settled.get(started.name) == trial:
                    self._ranking.settled(started)
            self.repeats.add((started.name, started.repeat))
            if started.repeat:
                self._tries.repeat(started)
        else:
            self.confirmed.add((started.name, started.repeat, started.epochs))
            self._tries.settle(started)

    def _end(self, ended: Ended) -> None:
        trial = ended.trial
        started = self.trials[trial]
        self.ends[trial] = ended
        self.live.discard(trial)
        self.live_epochs -= self.epochs(trial)
        self._ended[started.phase] += 1
        self._rank(started, ended)
        if started.is_try:
            self._tries.end(started, ended)
            chosen = self.chosen(started.name)
            if chosen is not None and self.failed(chosen):
                self._ranking.failed(self.trials[chosen])

    def _rank(self, started: Started, ended: Ended) -> None:
        if started.phase != "search":
            return
        self.searched += 1
        value = self.value(ended)
        settled = self._tries.settled.get(started.name, started.trial)
        if started.is_try and started.trial != settled:
            return  # its settings differ from those of the other seeds
        if value is not None:
            self._ranking.whole(value, started, ended)
        elif self.failed(started.trial) and not started.is_try:  # tries: once one is chosen
            self._ranking.failed(started)

    def _retried(self, trial: int) -> None:
        """Make a failed trial live again; the epochs that it reported stay."""
        self._require(self.failed(trial), trial, "is tried again but had not failed")
        del self.ends[trial]
        self.live.add(trial)
        self.live_epochs += self.epochs(trial)
        started = self.trials[trial]
        self._ended[started.phase] -= 1
        if started.phase == "search":
            self.searched += 1
            self._ranking.retried(started)
        if started.is_try:
            chosen = self.chosen(started.name)
            if chosen is not None:
                self._ranking.retried(self.trials[chosen])
            self._tries.retried(started)
        self._losses.pop(trial, None)

    def _require_live(self, record: Record) -> None:
        if record.trial not in self.live:
            event = f"has a line {record.event!r} but is not running"
            self._require(False, record.trial, event)

    def _require(self, sound: bool, trial: int, problem: str) -> None:
        if not sound:
            raise JournalError(
                f"journal: trial {trial} {problem}; restore the file from a copy, or delete "
                f"every line of trial {trial}"
            )

    @property
    def pruned_networks(self) -> int:
        """Number of networks that were stopped early or rejected: these get no other seeds."""
        return len(self._tries.cut)

    @property
    def pruned_repeats(self) -> int:
        """Number of trials of these networks with other seeds, as after a retry."""
        return self._tries.cut_repeats

    @property
    def tries(self) -> Mapping[str, Sequence[int]]:
        """The first trials of each network of the search, in order, by name."""
        return self._tries.of

    @property
    def orphans(self) -> Mapping[str, Sequence[Started]]:
        """Trials with other seeds whose network has no first trial in the journal, by name."""
        return self._tries.orphans

    def chosen(self, name: str) -> int | None:
        """The try that represents a network; None until all its tries have ended."""
        return self._tries.chosen.get(name)

    def stands(self, started: Started) -> bool:
        """Whether a trial counts for its network: all do except the tries not chosen."""
        chosen = self.chosen(started.name) if started.is_try else None
        return chosen in (None, started.trial)

    def started(self, phase: Phase) -> int:
        """Number of started trials of a phase."""
        return self._started[phase]

    def ended(self, phase: Phase) -> int:
        """Number of ended trials of a phase."""
        return self._ended[phase]

    def next_number(self) -> int:
        """A number that no trial has used."""
        return self._next_number

    def epochs(self, trial: int) -> int:
        """Number of reported epochs of a trial."""
        return self._last[trial].epoch if trial in self._last else 0

    def seconds(self, trial: int) -> float:
        """Seconds that the reported epochs of a trial took."""
        return self._seconds.get(trial, 0.0)

    def losses(self, trial: int) -> int:
        """How often a trial was lost since it last reported a new epoch, or was tried again."""
        return self._losses[trial]

    def last_epoch(self, trial: int) -> Epoch:
        """The last reported epoch of a trial; KeyError where there is none."""
        return self._last[trial]

    def pruned(self, trial: int, taken: Taken | None = None) -> Ended:
        """The end record of a running trial that is stopped early, with what it took."""
        epoch = self.last_epoch(trial)
        return Ended(
            trial=trial,
            status=Status.PRUNED,
            reason=f"{self._reached(epoch)} at epoch {epoch.epoch}",
            epochs=epoch.epoch,
            metrics=epoch.validation,
            seconds=self.seconds(trial),
            time=self._clock(),
            taken=taken,
        )

    def _reached(self, epoch: Epoch) -> str:
        """The reason for an early stop: what the trial had reached."""
        values = self.values(epoch.trial, epoch.metrics)
        said = [f"{one.label} {one.text(values[one.name])}" for one in self._objectives]
        if len(said) == 1:
            return f"{said[0]} is not among the best"
        return f"{', '.join(said)} together are not among the best (non-dominated rank)"

    def values(self, trial: int, reported: Mapping[str, float]) -> dict[str, float]:
        """What a trial reported, and what was counted and measured of its network, by name."""
        measured = self.measured.get(trial)
        return self.trials[trial].values(reported) | (measured.values if measured else {})

    def value(self, ended: Ended) -> float | None:
        """The ranking metric of a trial that was trained completely; None for any other."""
        return ended.metrics.get(self.ranking.name) if ended.status is Status.OK else None

    def failed(self, trial: int) -> bool:
        """Whether a trial failed: it ended, but not as complete, stopped early or rejected."""
        ended = self.ends.get(trial)
        return ended is not None and ended.status not in SOUND

    def whole(self, phase: Phase) -> Iterator[tuple[float, Started, Ended]]:
        """Ranking metric, start and end of each completely trained trial of a phase."""
        for trial, ended in self.ends.items():
            started, value = self.trials[trial], self.value(ended)
            if value is not None and started.phase == phase:
                yield value, started, ended

    def ranked(self) -> list[Ranked]:
        """Networks of the search by the mean of their completely trained trials, best first.

        Those with a failed trial come last: their mean covers only the surviving trials.
        """
        return self._ranking.ranked()

    def best(self) -> Ranked | None:
        """The first of `ranked`, fast for any number of networks; None where there is none."""
        return self._ranking.best()
