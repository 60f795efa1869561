"""Shows a run as an Optuna study: takes the records of the journal, gives Optuna trials.

There is one Optuna trial for each network of the search, its first trial: repeats with other
seeds, confirmations and trials of other runs are left out. Nothing is read back from Optuna.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from search.schema.study_plan import StudyPlan
from search.space.axis import SETTINGS, Axis, Dimension, axes_of, setting_axis
from search.space.named import plain
from search.study.events import Ended, Epoch, Measured, Record, Retried, Started
from search.study.manifest import Manifest
from search.study.outcome import outcome_of

_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class Params:
    """The varying dimensions of a space, as Optuna parameters.

    Whole numbers are integers between the smallest and the largest value of the file; all else
    is a categorical choice among the values of the file, per-stage values written as 1.2.4.

    Args:
        plan: gives the dimensions, and the settings with several values. A width that is
            solved for the budget is not a dimension.

    Raises:
        ArchitectureError: a foreign skeleton no longer exists.
    """

    def __init__(self, plan: StudyPlan) -> None:
        axes, _ = axes_of(plan.network)
        settings = (setting_axis(key, values) for key, values in plan.varied.items())
        self._axes = (*axes, *settings)
        self.distributions: dict[str, BaseDistribution] = {
            dimension.name: _distribution(dimension)
            for axis in self._axes
            for dimension in axis.dimensions
            if len(dimension.values) > 1
        }

    def of(self, started: Started) -> dict[str, Any]:
        """The values of a trial's network, by dimension."""
        found: dict[str, Any] = {}
        architecture = started.network()
        for axis in self._axes:
            given: tuple[Any, ...] = tuple(
                started.own.get(field) if field in SETTINGS else getattr(architecture, field)
                for field in axis.fields
            )
            if given in axis.values:
                found |= self._values(axis, axis.values.index(given))
        return found

    def _values(self, axis: Axis, place: int) -> dict[str, Any]:
        at = zip(axis.dimensions, axis.indices[place], strict=True)
        return {
            dimension.name: plain(dimension.values[int(index)])
            for dimension, index in at
            if dimension.name in self.distributions
        }


def _distribution(dimension: Dimension) -> BaseDistribution:
    values = dimension.values
    if all(type(value) is int for value in values):
        return IntDistribution(min(values), max(values))
    return CategoricalDistribution([plain(value) for value in values])


@dataclass(slots=True)
class _Trial:
    """What the records say of a trial, and its id in Optuna's storage."""

    started: Started
    rungs: dict[int, float] = field(default_factory=dict)  # ranking metric by epoch
    seconds: float = 0.0
    measured: dict[str, float] = field(default_factory=dict)
    ended: Ended | None = None
    stored: int | None = None  # Optuna's own id, once it has one
    told: int = 0  # epochs that were reported to Optuna


class OptunaStudy:
    """An Optuna study, in an Optuna storage, that follows the records of a run.

    Args:
        manifest: manifest of the run.
        storage: where Optuna keeps the study; nothing else writes to it.

    Attributes:
        study: the Optuna study.

    Raises:
        ArchitectureError: a foreign skeleton no longer exists.
        optuna.exceptions.DuplicatedStudyError: the storage holds a study of this name.
    """

    def __init__(self, manifest: Manifest, storage: BaseStorage) -> None:
        self._params = Params(manifest.plan)
        self._fills = manifest.plan.network.width == "fill"
        self._objectives = manifest.objectives
        self._single = len(self._objectives) == 1
        self._storage = storage
        self.study = optuna.create_study(
            storage=storage,
            study_name=manifest.plan.study,
            directions=[one.direction for one in self._objectives],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            self.study.set_metric_names([one.name for one in self._objectives])
        self._id = storage.get_study_id_from_name(manifest.plan.study)
        self._trials: dict[int, _Trial] = {}

    def take(self, records: Iterable[Record]) -> None:
        """Take the next records, in the order of the journal.

        A trial that failed and was retried is one Optuna trial if both records come in one
        call. It is two if Optuna already had the failure, as an ended trial cannot be changed.
        """
        changed: dict[int, None] = {}
        for record in records:
            if self._note(record):
                changed[record.trial] = None
        for number in changed:
            self._tell(self._trials[number])

    def _note(self, record: Record) -> bool:
        """Update the trials by a record; tell whether it belongs to a trial that is shown."""
        if isinstance(record, Started) and record.phase == "search" and not record.repeat:
            self._trials[record.trial] = _Trial(record)
        trial = self._trials.get(record.trial)
        if trial is None:
            return False
        if isinstance(record, Epoch):
            self._reported(trial, record)
        elif isinstance(record, Measured):
            trial.measured = record.values
        elif isinstance(record, Ended):
            trial.ended = record
        elif isinstance(record, Retried):
            if trial.ended is not None and trial.stored is not None and self._is_over(trial):
                trial.stored, trial.told = None, 0
            trial.ended = None
        return True

    def _reported(self, trial: _Trial, epoch: Epoch) -> None:
        trial.seconds += epoch.seconds
        value = epoch.metrics.get(self._objectives[0].name)
        if self._single and value is not None:  # Optuna takes them only for a single objective
            trial.rungs[epoch.epoch] = value

    def _is_over(self, trial: _Trial) -> bool:
        assert trial.stored is not None, "asked only of those that Optuna has"
        return self._storage.get_trial(trial.stored).state.is_finished()

    def _tell(self, trial: _Trial) -> None:
        """Report what is new in a trial to Optuna."""
        if trial.stored is None:
            trial.stored = self._storage.create_new_trial(self._id, self._frozen(trial))
        else:
            for epoch, value in list(trial.rungs.items())[trial.told :]:
                self._storage.set_trial_intermediate_value(trial.stored, epoch, value)
            for key, value in self._about(trial).items():
                self._storage.set_trial_user_attr(trial.stored, key, value)
            state, values = self._outcome(trial)
            if state is not TrialState.RUNNING:
                self._storage.set_trial_state_values(trial.stored, state, values)
        trial.told = len(trial.rungs)

    def _frozen(self, trial: _Trial) -> FrozenTrial:
        state, values = self._outcome(trial)
        params = self._params.of(trial.started)
        ended = trial.ended
        return FrozenTrial(
            number=-1,  # the storage assigns it
            trial_id=-1,
            state=state,
            value=None,
            values=values,
            datetime_start=datetime.fromtimestamp(trial.started.time),
            datetime_complete=None if ended is None else datetime.fromtimestamp(ended.time),
            params=params,
            distributions={name: self._params.distributions[name] for name in params},
            user_attrs=self._about(trial),
            system_attrs={},
            intermediate_values=dict(trial.rungs),
        )

    def _outcome(self, trial: _Trial) -> tuple[TrialState, list[float] | None]:
        """The Optuna state in which a trial ended; its values where Optuna keeps some."""
        if trial.ended is None:
            return TrialState.RUNNING, None
        values = trial.started.values(trial.ended.metrics) | trial.measured
        outcome = outcome_of(trial.ended, values, self._objectives)
        state = _STATES[outcome.state]
        kept = state is TrialState.COMPLETE or (state is TrialState.PRUNED and self._single)
        return state, list(outcome.values) if kept else None

    def _about(self, trial: _Trial) -> dict[str, Any]:
        """User attributes of the Optuna trial: all besides its parameters and values."""
        started, ended = trial.started, trial.ended
        about: dict[str, Any] = {
            "trial": started.trial,
            "name": started.name,
            "macs": started.macs,
            "params": started.params,
            "seed": started.seed,
            "repeat": started.repeat,
            "status": "running" if ended is None else ended.status.value,
            "seconds": trial.seconds if ended is None else ended.seconds,
        }
        if self._fills:
            about["width"] = started.architecture["width"]
        if ended is not None and ended.reason:
            about["reason"] = ended.reason
        return about
