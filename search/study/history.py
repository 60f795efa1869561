"""The history of a study by trial: read from the journal, kept up as it grows."""

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
    """Trials that were started, how far they got and how they ended.

    Args:
        ranking: the metric that says which network is the best.
        objectives: by which networks are compared, where that is known.
        tries: trials of each network with its first seed (`StudyPlan.tries`).
        clock: tells when a trial is stopped early, in seconds.

    Attributes:
        ranking: the same.
        trials, ends: by number of the trial.
        measured: what was measured before a trial's first epoch, the newest, by its number.
        measured_of: all that was measured of a network, by its architecture's name.
        known: trials of other runs that the search began with, by name of the network.
        live: trials that were started and have not ended.
        networks: of the search, in the order they were first tried, by name.
        repeats: of them that were started, by name and repeat.
        searched: grows with everything that may change the ranking of the search.
        confirmed: confirmations that were started, by name, repeat and epochs.
        live_epochs: that the live trials have reported, together.
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
        if isinstance(record, Epoch):  # by far the most
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
            self.repeats.add((started.name, started.repeat))
            if started.repeat:
                self._tries.repeat(started)
        else:
            self.confirmed.add((started.name, started.repeat, started.epochs))

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

    def _rank(self, started: Started, ended: Ended) -> None:
        if started.phase != "search":
            return
        self.searched += 1
        value = self.value(ended)
        settled = self._tries.settled.get(started.name, started.trial)
        if started.is_try and started.trial != settled:
            return  # its settings are not those of the other seeds
        if value is not None:
            self._ranking.whole(value, started, ended)
        elif self.failed(started.trial):
            self._ranking.failed(started)

    def _retried(self, trial: int) -> None:
        """It has not ended any more; the epochs that it reported stay."""
        self._require(self.failed(trial), trial, "is tried again but had not failed")
        del self.ends[trial]
        self.live.add(trial)
        self.live_epochs += self.epochs(trial)
        started = self.trials[trial]
        self._ended[started.phase] -= 1
        if started.is_try:
            self._tries.retried(started)
        if started.phase == "search":
            self.searched += 1
            self._ranking.retried(started)
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
        """Networks that early stopping or a measured budget ended: they have no other seed."""
        return len(self._tries.cut)

    @property
    def pruned_repeats(self) -> int:
        """Trials of these with other seeds, as of one that was tried again."""
        return self._tries.cut_repeats

    @property
    def tries(self) -> Mapping[str, Sequence[int]]:
        """The first trials of each network of the search, in order, by name."""
        return self._tries.of

    @property
    def orphans(self) -> Mapping[str, Sequence[Started]]:
        """Other seeds of networks whose first trial is not in the journal, by name."""
        return self._tries.orphans

    def chosen(self, name: str) -> int | None:
        """The try that stands for a network; None until all its tries have ended."""
        return self._tries.chosen.get(name)

    def stands(self, started: Started) -> bool:
        """Whether a trial counts for its network: every one but the tries that lost."""
        chosen = self.chosen(started.name) if started.is_try else None
        return chosen in (None, started.trial)

    def started(self, phase: Phase) -> int:
        """Trials of a phase that were started."""
        return self._started[phase]

    def ended(self, phase: Phase) -> int:
        """Trials of a phase that have ended."""
        return self._ended[phase]

    def next_number(self) -> int:
        """A number that no trial has had."""
        return self._next_number

    def epochs(self, trial: int) -> int:
        """Epochs of a trial that were reported."""
        return self._last[trial].epoch if trial in self._last else 0

    def seconds(self, trial: int) -> float:
        """Time that the reported epochs of a trial took."""
        return self._seconds.get(trial, 0.0)

    def losses(self, trial: int) -> int:
        """How often a trial was lost since it last reported a new epoch, or was tried again."""
        return self._losses[trial]

    def last_epoch(self, trial: int) -> Epoch:
        """The last epoch of a trial that was reported; KeyError where there is none."""
        return self._last[trial]

    def pruned(self, trial: int, taken: Taken | None = None) -> Ended:
        """The end of a running trial that early stopping stops, with what it took."""
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
        """What a trial that was not good enough had reached."""
        values = self.values(epoch.trial, epoch.metrics)
        said = [f"{one.label} {one.text(values[one.name])}" for one in self._objectives]
        if len(said) == 1:
            return f"{said[0]} is not among the best"
        return f"{', '.join(said)} together are not among the best (non-dominated rank)"

    def values(self, trial: int, reported: Mapping[str, float]) -> dict[str, float]:
        """What a trial reported, with what was counted and measured of its network, by name."""
        measured = self.measured.get(trial)
        return self.trials[trial].values(reported) | (measured.values if measured else {})

    def value(self, ended: Ended) -> float | None:
        """What ranks a trial that was trained whole; None for any other."""
        return ended.metrics.get(self.ranking.name) if ended.status is Status.OK else None

    def failed(self, trial: int) -> bool:
        """Whether a trial ended otherwise than trained whole, stopped early or rejected."""
        ended = self.ends.get(trial)
        return ended is not None and ended.status not in SOUND

    def whole(self, phase: Phase) -> Iterator[tuple[float, Started, Ended]]:
        """What ranks it, start and end of each trial of a phase that was trained whole."""
        for trial, ended in self.ends.items():
            started, value = self.trials[trial], self.value(ended)
            if value is not None and started.phase == phase:
                yield value, started, ended

    def ranked(self) -> list[Ranked]:
        """Networks of the search with whole trials, by the mean of these, best first.

        Those with a trial that failed come after all others: their mean is of survivors.
        """
        return self._ranking.ranked()

    def best(self) -> Ranked | None:
        """The first of `ranked`, at any number of networks; None where there is none."""
        return self._ranking.best()
