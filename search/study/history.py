"""What has happened in a study, by trial: read from the journal, kept up as it grows."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from res2net import Architecture
from search.study.events import Ended, Epoch, Phase, Started, Status, Taken
from search.study.journal import JournalError, Record


class Ranked(NamedTuple):
    """A network of the search: its mean validation error, first start, and whole trials."""

    error: float
    started: Started
    ends: tuple[Ended, ...]


class History:
    """Trials that were started, how far they got and how they ended.

    Attributes:
        trials, ends: by number of the trial.
        live: trials that were started and have not ended.
        networks: of the search, in the order they were first tried.
        repeats: of them that were started, by name and repeat.
    """

    def __init__(self) -> None:
        self.trials: dict[int, Started] = {}
        self.ends: dict[int, Ended] = {}
        self.live: set[int] = set()
        self.networks: dict[str, Architecture] = {}
        self.repeats: set[tuple[str, int]] = set()
        self._next_number = 0
        self._last: dict[int, Epoch] = {}
        self._seconds: dict[int, float] = {}
        self._started, self._ended = Counter[Phase](), Counter[Phase]()

    def note(self, record: Record) -> None:
        """Take the next record.

        Raises:
            JournalError: it does not follow from those before it.
        """
        trial = record.trial
        if isinstance(record, Started):
            self._require(trial not in self.trials, trial, "starts twice")
            self.trials[trial] = record
            self.live.add(trial)
            self._next_number = max(self._next_number, trial + 1)
            self._started[record.phase] += 1
            if record.phase == "search":
                self.networks.setdefault(record.name, record.network())
                self.repeats.add((record.name, record.repeat))
            return
        self._require(trial in self.live, trial, f"has an {record.event} but is not running")
        if isinstance(record, Epoch):
            self._last[trial] = record
            self._seconds[trial] = self.seconds(trial) + record.seconds
        else:
            self.ends[trial] = record
            self.live.discard(trial)
            self._ended[self.trials[trial].phase] += 1

    def _require(self, sound: bool, trial: int, problem: str) -> None:
        if not sound:
            raise JournalError(
                f"journal: trial {trial} {problem}; restore the file from a copy, or delete "
                f"every line of trial {trial}"
            )

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

    def last_epoch(self, trial: int) -> Epoch:
        """The last epoch of a trial that was reported; KeyError where there is none."""
        return self._last[trial]

    def pruned(self, trial: int, taken: Taken | None = None) -> Ended:
        """The end of a running trial that early stopping stops, with what it took."""
        epoch = self.last_epoch(trial)
        return Ended(
            trial=trial,
            status=Status.PRUNED,
            reason=(
                f"validation error {epoch.val_error:.2f} % is not among the best at "
                f"epoch {epoch.epoch}"
            ),
            epochs=epoch.epoch,
            val_error=epoch.val_error,
            val_error_top5=epoch.val_error_top5,
            seconds=self.seconds(trial),
            time=time.time(),
            taken=taken,
        )

    def whole(self, phase: Phase) -> Iterator[tuple[float, Started, Ended]]:
        """Validation error, start and end of each trial of a phase that was trained whole."""
        for trial, ended in self.ends.items():
            started = self.trials[trial]
            is_whole = ended.status is Status.OK and ended.val_error is not None
            if is_whole and started.phase == phase:
                assert ended.val_error is not None, "checked above"
                yield ended.val_error, started, ended

    def ranked(self) -> list[Ranked]:
        """Networks of the search with whole trials, by the mean of these, best first."""
        rows: dict[str, list[tuple[float, Started, Ended]]] = {}
        for row in self.whole("search"):
            rows.setdefault(row[1].name, []).append(row)
        ranked = [
            Ranked(
                sum(error for error, _, _ in members) / len(members),
                min((started for _, started, _ in members), key=lambda one: one.trial),
                tuple(ended for _, _, ended in members),
            )
            for members in rows.values()
        ]
        return sorted(ranked, key=lambda one: (one.error, one.started.trial))
