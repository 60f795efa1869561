"""A study under way: what runs next, what was reported, what it means. No Ray, no torch here.

The journal is the only record. Everything else here (history, sampler, rungs, queue) is
rebuilt from it, so that the same command goes on where the last one stopped.
"""

import time
from pathlib import Path
from typing import Protocol

from res2net import Architecture
from search.config import Config
from search.history import History
from search.journal import Journal, Record
from search.proposals import SAMPLERS, Sampler
from search.records import (
    Ended,
    Epoch,
    Phase,
    Started,
    Status,
    Taken,
    Turn,
    architecture_to_json,
)
from search.rungs import Rungs
from search.seeds import seed_of
from search.space import Survey


class Watcher(Protocol):
    """Someone who is told what happens, such as a progress display."""

    def started(self, started: Started) -> None:
        """A trial starts or goes on."""

    def turned(self, started: Started, turn: Turn) -> None:
        """A running trial is so far inside an epoch."""

    def reported(self, started: Started, epoch: Epoch) -> None:
        """A running trial finished an epoch."""

    def ended(self, started: Started, ended: Ended) -> None:
        """A trial ended."""


def checkpoint_path(folder: Path, trial: int) -> Path:
    """Where a trial under way keeps its state; gone when it has ended."""
    return folder / "checkpoints" / f"{trial}.pt"


class Study:
    """The one who decides; executors ask it for trials and report to it.

    Args:
        config: the space file.
        survey: the candidates inside the budget.
        journal: open; what it holds has happened.

    Attributes:
        watchers: are told what happens from now on.
        history: what has happened, by trial.

    Raises:
        JournalError: the journal's records do not follow from each other.
    """

    def __init__(self, config: Config, survey: Survey, journal: Journal) -> None:
        self._config, self._survey, self._journal = config, survey, journal
        self.watchers: list[Watcher] = []
        self.history = History()
        self._sampler: Sampler = SAMPLERS[config.search.sampler](
            survey, seed=config.search.seed, objectives=config.search.objectives
        )
        self._rungs = _rungs(config)
        stopped = {}
        for record in journal.records:
            if self._note(record):
                stopped[record.trial] = record
        for trial in sorted(stopped.keys() & self.history.live):
            self._append(self._pruned(trial))  # decided, but a crash came before it was written
        self._interrupted = sorted(self.history.live)
        self.tidy()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to run, not even in a phase to come."""
        return self.left() == 0

    def left(self) -> int:
        """Trials that have not ended, running ones included.

        How many networks will be confirmed is known when the search has ended; until then
        this is the most that it can be.
        """
        return self._search_left() + self._confirm_left()

    def epochs_left(self) -> int:
        """Epochs of the trials that have not ended, if none is stopped early."""
        confirm = self._config.confirm
        epochs = self._search_left() * self._config.training.epochs
        epochs += self._confirm_left() * (confirm.epochs if confirm else 0)
        return max(0, epochs - sum(map(self.history.epochs, self.history.live)))

    def next(self) -> Started | None:
        """The next trial to run; None where there is none now (see `finished`).

        Interrupted trials come first, then new proposals, then, when the whole search has
        ended, the confirmation of the best.
        """
        started = self._next()
        if started is not None:
            for watcher in self.watchers:
                watcher.started(started)
        return started

    def report(self, epoch: Epoch, taken: Taken | None = None) -> bool:
        """Take an epoch of a running trial; True stops it, and its end is then noted.

        Epochs that the journal already holds (a trial that went on from an older checkpoint)
        are left aside.

        Args:
            epoch: that was finished.
            taken: what the trial took so far; its end says so, if this stops it.
        """
        if epoch.epoch <= self.history.epochs(epoch.trial):
            return False
        stop = self._append(epoch)
        for watcher in self.watchers:
            watcher.reported(self.history.trials[epoch.trial], epoch)
        if stop:
            self.end(self._pruned(epoch.trial, taken))
        return stop

    def turned(self, turn: Turn) -> bool:
        """Take how far a running trial is; True where it should not run any more."""
        if turn.trial not in self.history.live:
            return True
        for watcher in self.watchers:
            watcher.turned(self.history.trials[turn.trial], turn)
        return False

    def end(self, ended: Ended) -> None:
        """Take the end of a running trial."""
        self._append(ended)
        checkpoint_path(self._journal.path.parent, ended.trial).unlink(missing_ok=True)
        for watcher in self.watchers:
            watcher.ended(self.history.trials[ended.trial], ended)

    def tidy(self) -> None:
        """Remove what workers left in checkpoints/ of trials that are not under way."""
        kept = {f"{trial}.pt" for trial in self.history.live}
        for path in (self._journal.path.parent / "checkpoints").glob("*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _next(self) -> Started | None:
        if self._interrupted:
            return self.history.trials[self._interrupted.pop(0)]
        searched = self.history.started("search")
        if searched < self._config.search.trials:
            candidate = self._sampler.propose(searched)
            return self._start("search", self._survey.architecture(candidate))
        upcoming = self._confirmations() if self._search_left() == 0 else []
        if upcoming:
            architecture, repeat = upcoming[0]
            return self._start("confirm", architecture, repeat)
        return None

    def _start(self, phase: Phase, architecture: Architecture, repeat: int = 0) -> Started:
        config = self._config
        trial = self.history.next_number()
        counted = self._survey.cost(self._candidate(architecture))
        started = Started(
            trial=trial,
            phase=phase,
            name=architecture.name,
            architecture=architecture_to_json(architecture),
            seed=trial_seed(config.search.seed, phase, trial, repeat),
            epochs=_epochs(config, phase),
            threads=config.resources.cpu,
            params=counted.params,
            macs=counted.macs,
            activations=counted.activations,
            time=time.time(),
        )
        self._append(started)
        return started

    def _search_left(self) -> int:
        return self._config.search.trials - self.history.ended("search")

    def _confirm_left(self) -> int:
        confirm = self._config.confirm
        running = self.history.started("confirm") - self.history.ended("confirm")
        if confirm is None:
            return running
        most = min(confirm.top, self._config.search.trials) * confirm.seeds
        return running + (most if self._search_left() else len(self._confirmations()))

    def _confirmations(self) -> list[tuple[Architecture, int]]:
        """Networks and repeats of the confirmation that have not been started."""
        confirm = self._config.confirm
        if confirm is None:
            return []
        best = [started.network() for _, started, _ in self.history.ranked()[: confirm.top]]
        done = {
            (started.name, started.seed)
            for started in self.history.trials.values()
            if started.phase == "confirm" and started.epochs == confirm.epochs
        }
        seed = self._config.search.seed
        return [
            (architecture, repeat)
            for repeat in range(confirm.seeds)  # whole seeds first, whenever it is stopped
            for architecture in best
            if (architecture.name, trial_seed(seed, "confirm", 0, repeat)) not in done
        ]

    def _append(self, record: Record) -> bool:
        """Write a record, then let it count."""
        self._journal.append(record)
        return self._note(record)

    def _note(self, record: Record) -> bool:
        """Let a record count; True where early stopping says to stop its trial."""
        self.history.note(record)
        started = self.history.trials[record.trial]
        if started.phase != "search":
            return False
        if isinstance(record, Epoch):
            return self._rungs is not None and self._rungs.report(
                record.epoch, record.val_error
            )
        candidate = self._candidate(started.network())
        if isinstance(record, Started):
            self._sampler.take(candidate)
        else:
            self._sampler.tell(candidate, record)
        return False

    def _pruned(self, trial: int, taken: Taken | None = None) -> Ended:
        epoch = self.history.last_epoch(trial)
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
            seconds=self.history.seconds(trial),
            time=time.time(),
            taken=taken,
        )

    def _candidate(self, architecture: Architecture) -> int:
        candidate = self._survey.candidate(architecture)
        assert candidate is not None, "a journal of this space holds only its candidates"
        return candidate


def trial_seed(study_seed: int, phase: Phase, trial: int, repeat: int) -> int:
    """A search trial has a seed of its own; confirmations share theirs repeat by repeat."""
    return seed_of(study_seed, phase, repeat if phase == "confirm" else trial)


def _epochs(config: Config, phase: Phase) -> int:
    if phase == "search":
        return config.training.epochs
    assert config.confirm is not None, "the phase exists only where it is asked for"
    return config.confirm.epochs


def _rungs(config: Config) -> Rungs | None:
    if config.scheduler.name == "fifo":
        return None
    return Rungs(
        grace=config.scheduler.grace,
        reduction=config.scheduler.reduction,
        epochs=config.training.epochs,
    )
