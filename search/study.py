"""A study under way: what runs next, what was reported, what it means. No Ray, no torch here.

The journal is the only record. Everything else here (queue, sampler, rungs) is rebuilt from
it, so that the same command goes on where the last one stopped.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from res2net import Architecture
from search.config import Config
from search.journal import Journal, Record
from search.proposals import SAMPLERS, Sampler
from search.records import (
    Ended,
    Epoch,
    Phase,
    Started,
    Status,
    architecture_to_json,
)
from search.rungs import Rungs
from search.seeds import seed_of
from search.space import Survey


@dataclass
class _Tally:
    """Trials of one phase."""

    started: int = 0
    ended: int = 0


class Watcher(Protocol):
    """Someone who is told what happens, such as a progress display."""

    def started(self, started: Started) -> None:
        """A trial starts or goes on."""

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
        trials, ends: what was started and what has ended, by number of the trial.
    """

    def __init__(self, config: Config, survey: Survey, journal: Journal) -> None:
        self._config, self._survey, self._journal = config, survey, journal
        self.watchers: list[Watcher] = []
        self._sampler: Sampler = SAMPLERS[config.search.sampler](
            survey, seed=config.search.seed, objectives=config.search.objectives
        )
        self._rungs = _rungs(config)
        self.trials: dict[int, Started] = {}
        self.ends: dict[int, Ended] = {}
        self._live: set[int] = set()  # started and not ended
        self._epochs: dict[int, int] = {}  # finished ones of each trial
        self._seconds: dict[int, float] = {}
        self._phases = {"search": _Tally(), "confirm": _Tally()}
        self._rebuild(journal.records)
        self._interrupted = sorted(self._live)

    def _rebuild(self, records: Iterable[Record]) -> None:
        for record in records:
            if isinstance(record, Started):
                self._note_start(record)
            elif isinstance(record, Epoch):
                self._note_epoch(record)
            else:
                self._note_end(record)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to run, not even in a phase to come."""
        return self.left() == 0

    def left(self) -> int:
        """Trials that have not ended, running ones included.

        How many networks will be confirmed is known when the search has ended; until then
        this is the most that it can be.
        """
        config = self._config
        confirmations = 0
        if config.confirm is not None:
            most = min(config.confirm.top, config.search.trials) * config.confirm.seeds
            known = self._phases["confirm"].started + len(self._confirmations())
            confirmations = known if self._search_ended() else most
        return config.search.trials + confirmations - len(self.ends)

    def epochs_left(self) -> int:
        """Epochs of the trials that have not ended, if none is stopped early."""
        config = self._config
        search = config.search.trials - self._phases["search"].ended
        epochs = search * config.training.epochs
        if config.confirm is not None:
            epochs += (self.left() - search) * config.confirm.epochs
        return epochs - sum(self.reported(trial) for trial in self._live)

    def best(self) -> tuple[float, str] | None:
        """Lowest validation error (percent) of a whole trial, and its network."""
        whole = (
            (ended.val_error, self.trials[trial].name)
            for trial, ended in self.ends.items()
            if ended.status is Status.OK and ended.val_error is not None
        )
        return min(whole, default=None)

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

    def reported(self, trial: int) -> int:
        """Epochs of a trial that the journal has."""
        return self._epochs.get(trial, 0)

    def report(self, epoch: Epoch) -> bool:
        """Take an epoch of a running trial; True stops it, and its end is then noted.

        Epochs that the journal already holds (a trial that went on from an older checkpoint)
        are left aside.
        """
        started = self.trials[epoch.trial]
        if epoch.epoch <= self.reported(epoch.trial):
            return False
        self._journal.append(epoch)
        stop = self._note_epoch(epoch)
        for watcher in self.watchers:
            watcher.reported(started, epoch)
        if stop:
            self.end(self._pruned(epoch))
        return stop

    def end(self, ended: Ended) -> None:
        """Take the end of a running trial."""
        self._journal.append(ended)
        self._note_end(ended)
        checkpoint_path(self._journal.path.parent, ended.trial).unlink(missing_ok=True)
        for watcher in self.watchers:
            watcher.ended(self.trials[ended.trial], ended)

    def _next(self) -> Started | None:
        if self._interrupted:
            return self.trials[self._interrupted.pop(0)]
        searched = self._phases["search"].started
        if searched < self._config.search.trials:
            candidate = self._sampler.propose(searched)
            return self._start("search", self._survey.architecture(candidate))
        if self._search_ended() and self._confirmations():
            architecture, repeat = self._confirmations()[0]
            return self._start("confirm", architecture, repeat)
        return None

    def _search_ended(self) -> bool:
        return self._phases["search"].ended == self._config.search.trials

    def _start(self, phase: Phase, architecture: Architecture, repeat: int = 0) -> Started:
        config = self._config
        trial = len(self.trials)
        counted = self._survey.cost(self._candidate(architecture))
        started = Started(
            trial=trial,
            phase=phase,
            name=architecture.name,
            architecture=architecture_to_json(architecture),
            seed=trial_seed(config.search.seed, phase, trial, repeat),
            epochs=_epochs(config, phase),
            params=counted.params,
            macs=counted.macs,
            activations=counted.activations,
            time=time.time(),
        )
        self._journal.append(started)
        self._note_start(started)
        return started

    def _confirmations(self) -> list[tuple[Architecture, int]]:
        """Networks and repeats of the confirmation that have not been started."""
        confirm = self._config.confirm
        if confirm is None:
            return []
        whole = [
            (ended.val_error, trial)
            for trial, ended in self.ends.items()
            if ended.status is Status.OK
            and ended.val_error is not None
            and self.trials[trial].phase == "search"
        ]
        best = [self.trials[trial].network() for _, trial in sorted(whole)[: confirm.top]]
        done = {
            (started.name, started.seed)
            for started in self.trials.values()
            if started.phase == "confirm" and started.epochs == confirm.epochs
        }
        return [
            (architecture, repeat)
            for repeat in range(confirm.seeds)  # whole seeds first, whenever it is stopped
            for architecture in best
            if (architecture.name, trial_seed(self._config.search.seed, "confirm", 0, repeat))
            not in done
        ]

    def _note_start(self, started: Started) -> None:
        self.trials[started.trial] = started
        self._live.add(started.trial)
        self._phases[started.phase].started += 1
        if started.phase == "search":
            self._sampler.take(self._candidate(started.network()))

    def _note_epoch(self, epoch: Epoch) -> bool:
        self._epochs[epoch.trial] = epoch.epoch
        self._seconds[epoch.trial] = self._seconds.get(epoch.trial, 0.0) + epoch.seconds
        if self._rungs is None or self.trials[epoch.trial].phase != "search":
            return False
        return self._rungs.report(epoch.epoch, epoch.val_error)

    def _note_end(self, ended: Ended) -> None:
        started = self.trials[ended.trial]
        self.ends[ended.trial] = ended
        self._live.discard(ended.trial)
        self._phases[started.phase].ended += 1
        if started.phase == "search":
            self._sampler.tell(self._candidate(started.network()), ended)

    def _pruned(self, epoch: Epoch) -> Ended:
        error = f"{epoch.val_error:.2f} %"
        return Ended(
            trial=epoch.trial,
            status=Status.PRUNED,
            reason=f"validation error {error} is not among the best at epoch {epoch.epoch}",
            epochs=epoch.epoch,
            val_error=epoch.val_error,
            val_error_top5=epoch.val_error_top5,
            seconds=self._seconds[epoch.trial],
            time=time.time(),
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
