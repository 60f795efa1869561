"""The broker passes trials and reports between an executor and the study.

An exception raised in a callback would surface inside the executor, which may take it for a
failure of the trial. The broker keeps the first one and asks no more of the study; whoever
started the executor raises it after the executor has stopped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from search.schema.files import NO_ROOM, in_words
from search.schema.remote import File
from search.schema.yaml import ConfigError
from search.study.events import Ended, Epoch, Status, Taken, Turn
from search.study.study import Study

_Answer = TypeVar("_Answer")


class Broker:
    """Hands out trials and takes their reports, by the executor's names for them.

    Args:
        study: decides what runs.
        slots: trials that may run at once.

    Attributes:
        slots: initially as the argument; it changes as machines come and go.
        failure: the first exception of the study, None if there was none.
    """

    def __init__(self, study: Study, slots: int) -> None:
        self._study, self.slots = study, slots
        self._trials: dict[str, int] = {}  # running trials
        self._errors: dict[str, tuple[Status, str]] = {}
        self._nodes: dict[str, str] = {}  # machines of workers that failed, where known
        self._heard = False  # whether any worker has reported something
        self.failure: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether no trial will be handed out any more."""
        return self.failure is not None or self._study.over

    def suggest(self, name: str) -> dict[str, Any] | None:
        """The next trial, with all that a worker needs for it; None if none can start now."""
        if len(self._trials) >= self.slots:
            return None
        started = self._guarded(self._study.next, None)
        if started is None:
            return None
        self._trials[name] = started.trial
        deadline = self._study.deadline
        weights = self._study.weights.path(started)
        return {
            "started": json.dumps(started.to_json()),
            "reported": self._study.history.epochs(started.trial),
            "save_from": deadline.save_from if deadline else None,
            "save_epochs": self._study.saves_epochs,
            "checkpoint": _written(self._study.checkpoints.path(started.trial)),
            "weights": weights and _written(self._study.checkpoints.weights(weights)),
            "known": json.dumps([one.to_json() for one in self._study.measured(started)]),
        }

    def report(self, result: dict[str, Any]) -> bool:
        """Take an epoch, if one was finished; return whether to stop its trial."""
        self._heard = True
        if self.failure is not None:
            return True
        if not result["epoch"]:
            turn = Turn.from_json(json.loads(result["turn"]))
            return self._guarded(lambda: self._study.turned(turn), True)
        epoch = Epoch.from_json(json.loads(result["epoch"]))
        if not self._study.runs(epoch.trial):  # stopped or lost; its worker learned too late
            return True
        taken = Taken(**json.loads(result["taken"]))
        return self._guarded(lambda: self._study.report(epoch, taken), True)

    def error(
        self, name: str, reason: str, status: Status = Status.FAILED, *, node: str = ""
    ) -> None:
        """Keep the first reason why a worker failed, until its trial is complete.

        Args:
            name: the executor's name for the trial.
            reason: reason in words.
            status: with which the trial ends if it is lost too often.
            node: address of the worker's machine, where it is known and not in the reason.
        """
        self._errors.setdefault(name, (status, reason))
        if node:
            self._nodes[name] = node

    def silent(self, name: str, seconds: float, *, running: bool) -> None:
        """Note that a worker has been silent, or was not ready, for so many seconds."""
        started = self._study.history.trials[self._trials[name]]
        for observer in self._study.observers:
            observer.silent(started, seconds, running=running)

    def cannot_start(self, reason: str) -> None:
        """Note that a worker cannot be set up: no more trials are handed out."""
        if self.failure is not None:
            return
        said = f"a worker cannot start: {reason}; fix that and give the same command again"
        # If another worker could start, the fault is a machine's, not the request's.
        self.failure = OSError(said) if self._heard else ConfigError(said)

    def complete(self, name: str, result: dict[str, Any] | None) -> None:
        """Take the end of a trial; the result is None if its worker failed."""
        trial = self._trials.pop(name, None)
        if trial in self._trials.values():  # it was paused here, and continues elsewhere
            return
        if trial is not None and self._study.runs(trial):
            self._guarded(lambda: self._complete(trial, name, result), None)

    def _guarded(self, ask: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        if self.failure is not None:
            return otherwise
        try:
            return ask()
        except Exception as error:  # noqa: BLE001 - raised again after the executor has stopped
            self.failure = error
            return otherwise

    def _complete(self, trial: int, name: str, result: dict[str, Any] | None) -> None:
        if result is None:
            status, reason = self._errors.pop(name, (Status.FAILED, "no reason given"))
            node = self._nodes.pop(name, "")
            where = f" on node {node}" if node else ""
            self._study.lost(trial, f"its worker{where} is gone: {reason}", status)
            return
        if "failure" in result:
            raise OSError(result["failure"])
        if result.get("epoch"):
            self._study.report(Epoch.from_json(json.loads(result["epoch"])))
        if result["ended"]:  # else its time was up, and its worker saves it
            ended = Ended.from_json(json.loads(result["ended"]))
            weights = self._study.weights.path(self._study.history.trials[trial])
            if ended.status is Status.OK and weights is not None:
                try:
                    self._study.checkpoints.fetch(weights)
                except OSError as error:  # it writes them again, from its checkpoint
                    if error.errno in NO_ROOM:
                        raise
                    self._study.lost(trial, f"its weights were not fetched: {in_words(error)}")
                    return
            self._study.end(ended)


def _written(file: File) -> str:
    """A path for a worker, which may have another current folder."""
    return str(file.resolve() if isinstance(file, Path) else file)
