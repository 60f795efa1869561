"""A study under way: what runs next, what was reported, what it means. No Ray, no torch here.

The journal is the only record. Everything else here (history, sampler, rungs, queue) is
rebuilt from it, so that the same command goes on where the last one stopped.
"""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from res2net import Architecture
from search.samplers import SAMPLERS
from search.samplers.base import Sampler
from search.schedulers.asha import rungs_of
from search.schema.config import Config
from search.schema.seeds import seed_of
from search.space.survey import Survey
from search.study.deadline import Deadline
from search.study.events import Ended, Epoch, Phase, Started, Taken, Turn, architecture_to_json
from search.study.history import History
from search.study.journal import Journal, Record
from search.study.observer import Watcher


def checkpoint_path(folder: Path, trial: int) -> Path:
    """Where a trial under way keeps its state; gone when it has ended."""
    return folder / "checkpoints" / f"{trial}.pt"


class Study:
    """The one who decides; executors ask it for trials and report to it.

    Args:
        config: the space file.
        survey: the candidates inside the budget.
        journal: open; what it holds has happened.
        deadline: when this start of it must end; None for when it is done.

    Attributes:
        config: the space file.
        watchers: are told what happens from now on.
        history: what has happened, by trial.

    Raises:
        JournalError: the journal's records do not follow from each other.
    """

    def __init__(
        self,
        config: Config,
        survey: Survey,
        journal: Journal,
        deadline: Deadline | None = None,
    ) -> None:
        self.config, self._survey, self._journal = config, survey, journal
        self._deadline = deadline
        self._closed = False
        self.watchers: list[Watcher] = []
        self.history = History()
        self._sampler: Sampler = SAMPLERS[config.search.sampler](
            survey, seed=config.search.seed, objectives=config.search.objectives
        )
        self._rungs = rungs_of(config)
        stopped = {}
        for record in journal.records:
            if self._note(record):
                stopped[record.trial] = record
        for trial in sorted(stopped.keys() & self.history.live):
            self._append(
                self.history.pruned(trial)
            )  # decided, but a crash came before it was written
        self._interrupted = sorted(self.history.live)
        self._repeats = self._unrepeated()  # looked at when every network was started
        self.tidy()

    @property
    def over(self) -> bool:
        """Whether this start of the study hands out nothing any more."""
        return self.finished or self._closed or self._is_time_up()

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline ended this start: it is over, or too near for anything left."""
        return self._is_time_up() or (self._closed and not self.history.live)

    @property
    def save_from(self) -> float | None:
        """From when on workers should save after each turn, as one may be their last."""
        return self._deadline.save_from if self._deadline else None

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
        confirm = self.config.confirm
        epochs = self._search_left() * self.config.training.epochs
        epochs += self._confirm_left() * (confirm.epochs if confirm else 0)
        return max(0, epochs - sum(map(self.history.epochs, self.history.live)))

    def next(self) -> Started | None:
        """The next trial to run; None where there is none now (see `over`).

        Interrupted trials come first, then new proposals, then their repeats, seed by seed,
        so that whenever it is stopped most seeds are complete; then, when the whole search
        has ended, the confirmation of the best.
        """
        started = None if self._closed else self._next()
        if started is None:
            return None
        if self._deadline is not None and not self._deadline.allows(started):
            self._closed = True
            return None
        if started.trial not in self.history.trials:
            self._append(started)
        for watcher in self.watchers:
            watcher.started(started)
        return started

    def report(self, epoch: Epoch, taken: Taken | None = None) -> bool:
        """Take an epoch of a running trial; True stops it: for good, or as time is up.

        Epochs that the journal already holds (a trial that went on from an older checkpoint)
        are left aside.

        Args:
            epoch: that was finished.
            taken: what the trial took so far; its end says so, if this stops it.
        """
        if epoch.epoch <= self.history.epochs(epoch.trial):
            return self._is_time_up()
        stop = self._append(epoch)
        started = self.history.trials[epoch.trial]
        if self._deadline is not None:
            self._deadline.note(started, epoch)
        for watcher in self.watchers:
            watcher.reported(started, epoch)
        if stop:
            self.end(self.history.pruned(epoch.trial, taken))
        return stop or self._is_time_up()

    def turned(self, turn: Turn) -> bool:
        """Take how far a running trial is; True where it should not run any more."""
        if turn.trial not in self.history.live:
            return True
        for watcher in self.watchers:
            watcher.turned(self.history.trials[turn.trial], turn)
        return self._is_time_up()

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

    def _is_time_up(self) -> bool:
        up = self._deadline is not None and self._deadline.over
        self._closed |= up
        return up

    def _next(self) -> Started | None:
        if self._interrupted:
            return self.history.trials[self._interrupted.pop(0)]
        searched = len(self.history.networks)
        if searched < self.config.search.networks:
            candidate = self._sampler.propose(searched)
            return self._start("search", self._survey.architecture(candidate))
        repeated = next(self._repeats, None)
        if repeated is not None:
            return self._start("search", *repeated)
        upcoming = self._confirmations() if self._search_left() == 0 else []
        if upcoming:
            architecture, repeat = upcoming[0]
            return self._start("confirm", architecture, repeat)
        return None

    def _start(self, phase: Phase, architecture: Architecture, repeat: int = 0) -> Started:
        config = self.config
        counted = self._survey.cost(self._candidate(architecture))
        return Started(
            trial=self.history.next_number(),
            phase=phase,
            name=architecture.name,
            architecture=architecture_to_json(architecture),
            seed=trial_seed(config.search.seed, phase, repeat),
            epochs=_epochs(config, phase),
            threads=config.resources.cpu,
            params=counted.params,
            macs=counted.macs,
            activations=counted.activations,
            time=time.time(),
            repeat=repeat,
        )

    def _unrepeated(self) -> Iterator[tuple[Architecture, int]]:
        """Networks of the search with the repeats that were not started, seed by seed."""
        for repeat in range(1, self.config.search.seeds):
            for name, architecture in self.history.networks.items():
                if (name, repeat) not in self.history.repeats:
                    yield architecture, repeat

    def _search_left(self) -> int:
        search = self.config.search
        return search.networks * search.seeds - self.history.ended("search")

    def _confirm_left(self) -> int:
        confirm = self.config.confirm
        running = self.history.started("confirm") - self.history.ended("confirm")
        if confirm is None:
            return running
        most = min(confirm.top, self.config.search.networks) * confirm.seeds
        return running + (most if self._search_left() else len(self._confirmations()))

    def _confirmations(self) -> list[tuple[Architecture, int]]:
        """Networks and repeats of the confirmation that have not been started."""
        confirm = self.config.confirm
        if confirm is None:
            return []
        best = [one.started.network() for one in self.history.ranked()[: confirm.top]]
        done = {
            (started.name, started.repeat)
            for started in self.history.trials.values()
            if started.phase == "confirm" and started.epochs == confirm.epochs
        }
        every = itertools.product(range(confirm.seeds), best)  # whole seeds first
        return [(one, repeat) for repeat, one in every if (one.name, repeat) not in done]

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
        if started.repeat:  # the sampler has learned from the first seed
            return False
        candidate = self._candidate(started.network())
        if isinstance(record, Started):
            self._sampler.take(candidate)
        else:
            self._sampler.tell(candidate, record)
        return False

    def _candidate(self, architecture: Architecture) -> int:
        candidate = self._survey.candidate(architecture)
        assert candidate is not None, "a journal of this space holds only its candidates"
        return candidate


def trial_seed(study_seed: int, phase: Phase, repeat: int) -> int:
    """Networks share a seed, repeat by repeat: images in one order are less to differ by."""
    return seed_of(study_seed, phase, repeat)


def _epochs(config: Config, phase: Phase) -> int:
    if phase == "search":
        return config.training.epochs
    assert config.confirm is not None, "the phase exists only where it is asked for"
    return config.confirm.epochs
