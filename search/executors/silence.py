"""Watches that every running trial is heard from: a worker may hang without dying."""

import time

import ray
from ray.tune.experiment import Trial as RayTrial

from search.executors.broker import Broker
from search.schema.units import duration

_LOOK_SECONDS = 1.0  # between two checks
_SAID = 1 / 3  # share of the time limit after which a warning is given


class Silence:
    """Kills workers that are silent for too long, so that their trials resume elsewhere.

    A worker that is still being set up is only warned about: it may be copying images, or the
    cluster may be starting a machine for it.

    Args:
        broker: gets the reason.
        limit: seconds of silence.
    """

    def __init__(self, broker: Broker, limit: float) -> None:
        self._broker, self._limit = broker, limit
        self._trials: dict[str, RayTrial] = {}
        self._status: dict[str, str] = {}  # Ray's, when they were last looked at
        self._heard: dict[str, float] = {}  # last sign of life, or change of the status
        self._said: set[str] = set()
        self._looked = time.monotonic()

    def watch(self, trial: RayTrial) -> None:
        """Watch a trial, which waits for a worker first."""
        self._trials[trial.trial_id] = trial

    def heard(self, trial: RayTrial) -> None:
        """Note a sign of life from a trial's worker."""
        self._heard[trial.trial_id] = time.monotonic()
        self._said.discard(trial.trial_id)

    def forget(self, trial: RayTrial) -> None:
        """Stop watching a trial."""
        for each in (self._trials, self._status, self._heard):
            each.pop(trial.trial_id, None)
        self._said.discard(trial.trial_id)

    def look(self) -> None:
        """Report workers that are silent, and kill those that were silent for too long."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for name, trial in self._trials.items():
            if self._status.get(name) != trial.status:
                self._status[name] = trial.status
                self.heard(trial)
            silent = now - self._heard[name]
            worker = trial.temporary_state.ray_actor
            if trial.status != RayTrial.RUNNING:
                worker = None
            if worker is not None and silent >= self._limit:
                self._heard[name] = now  # killing takes Ray a while
                self._broker.error(
                    name, f"it said nothing for {duration(self._limit)}, and was killed"
                )
                ray.kill(worker)
            elif silent >= self._limit * _SAID and name not in self._said:
                self._said.add(name)
                self._broker.silent(name, silent, running=worker is not None)
