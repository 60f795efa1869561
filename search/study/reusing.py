"""Takes over finished trials of other runs that are also trials of a study. No torch here.

A trial is a function of network, recipe, data and seed: a trial that one run has trained need
not be trained again in another.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from search.schedulers.base import Decision
from search.schema.files import replace_text, replacing
from search.schema.schedulers import scheduler_traits
from search.schema.settings import VARIABLE
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey
from search.study.deadline import Deadline
from search.study.events import Ended, Epoch, Record, Started, Status
from search.study.journal import Journal
from search.study.study import Study
from search.study.weights import SUFFIXES, weights_path


class Finished(NamedTuple):
    """A trial of another run that ended well.

    Attributes:
        candidate: number of its network and settings in the study that may take it over.
        folder: folder of the run that holds it.
        started, epochs, ended: its journal records.
    """

    candidate: int
    folder: Path
    started: Started
    epochs: tuple[Epoch, ...]
    ended: Ended


class ReusingStudy(Study):
    """A study that takes over trials that other runs have finished; it trains all others.

    Args:
        plan, survey, journal, deadline: as for every study.
        elsewhere: the finished trials of other runs, by `identity`.

    Attributes:
        waiting: trials that other runs have finished and this one has not, by `identity`.
    """

    def __init__(
        self,
        plan: StudyPlan,
        survey: Survey,
        journal: Journal,
        deadline: Deadline | None = None,
        *,
        elsewhere: Mapping[Hashable, Finished] = MappingProxyType({}),
    ) -> None:
        self._elsewhere = elsewhere
        self._taken_over: int | None = None  # the trial that is being taken over
        super().__init__(plan, survey, journal, deadline)
        self.expect()

    @property
    def sources(self) -> frozenset[Path]:
        """Folders of the runs whose trials it can take over."""
        return frozenset(one.folder for one in self._elsewhere.values())

    def expect(self) -> None:
        """Count what will be taken over; again after other trials became known."""
        plan, history = self.plan, self.history
        here = {identity(history.trials[trial], plan) for trial in history.ends}
        self.waiting: dict[Hashable, Finished] = {
            key: one
            for key, one in self._elsewhere.items()
            if key not in here
            and one.started.name not in history.known
            and _is_wanted(one.started, plan)
        }
        begun = {
            identity(history.trials[trial], plan): history.epochs(trial)
            for trial in history.live
        }
        self._certain = {  # epochs that are not to be trained
            key: one.started.epochs - begun.get(key, 0)
            for key, one in certain(self.waiting, plan, history.known).items()
        }
        self.remaining.taken_over = sum(self._certain.values())
        self.remaining.may_take_over = len(self._certain) < len(self.waiting)

    def runs(self, trial: int) -> bool:
        """Whether an executor is running a trial: one that is taken over runs nowhere."""
        return trial != self._taken_over and super().runs(trial)

    def _next(self) -> Started | None:
        """The next trial to train; trials that other runs have finished end at once."""
        while (started := super()._next()) is not None:
            key = identity(started, self.plan)
            found = self._elsewhere.get(key)
            if found is None:
                return started
            self.waiting.pop(key, None)
            self.remaining.taken_over -= self._certain.pop(key, 0)
            self._taken_over = started.trial
            self._take_over(started, found)
            self._taken_over = None
        return None

    def _take_over(self, started: Started, found: Finished) -> None:
        """Replay the reports of a finished trial; this study's scheduler may stop it.

        The time limit and the counts of lost trials ignore it: a trial trained elsewhere says
        nothing about this machine.
        """
        trial = started.trial
        if trial not in self.history.trials:
            self._append(started)
        for observer in self.observers:
            observer.started(started)
        for epoch in found.epochs[self.history.epochs(trial) :]:
            here = replace(epoch, trial=trial)
            decision = self._append(here)
            for observer in self.observers:
                observer.reported(started, here)
            if decision is Decision.STOP:
                self.end(self.history.pruned(trial))
            if decision is not Decision.CONTINUE:
                return
        reason = self._copy_weights(started, found) or found.ended.reason
        ended = replace(found.ended, trial=trial, time=self._clock(), source=_source(found))
        self.end(replace(ended, reason=reason))

    def _append(self, record: Record) -> Decision:
        if isinstance(record, Ended) and record.status is Status.PRUNED:
            record = self._with_source(record)
        return super()._append(record)

    def _with_source(self, pruned: Ended) -> Ended:
        """The end record of a trial that is stopped early; it says if another run trained it.

        It may have waited at its rung, through stops of this study, since it was taken over.
        """
        started, last = self.history.trials[pruned.trial], self.history.last_epoch(pruned.trial)
        found = self._elsewhere.get(identity(started, self.plan))
        if found is None or replace(last, trial=found.started.trial) not in found.epochs:
            return pruned
        return replace(pruned, source=_source(found), device=found.ended.device)

    def _copy_weights(self, started: Started, found: Finished) -> str:
        """Copy the weights that the other run has kept; return why they cannot be copied."""
        kept = self.weights.path(started)
        there = weights_path(found.folder, found.started)
        about = there.with_suffix(".json")
        if kept is None or not (there.is_file() and about.is_file()):
            return ""
        told = _about(there)
        if told is None:
            return f"its weights were not taken over: {there} or {about.name} is damaged"
        told |= {"name": started.name, "trial": started.trial, "settings": started.own}
        told |= {"objective": self.plan.ranking.told}
        kept.parent.mkdir(parents=True, exist_ok=True)
        for suffix in {*SUFFIXES} - {".json"}:
            if (source := there.with_suffix(suffix)).is_file():
                with source.open("rb") as read, replacing(kept.with_suffix(suffix)) as file:
                    shutil.copyfileobj(read, file)
        replace_text(kept.with_suffix(".json"), json.dumps(told, indent=2))
        return ""


def certain(
    elsewhere: Mapping[Hashable, Finished], plan: StudyPlan, known: Collection[str]
) -> dict[Hashable, Finished]:
    """The trials of other runs that a study will surely take over.

    Args:
        elsewhere: finished trials that are also trials of the study, by `identity`.
        plan: plan of the study.
        known: names of the networks that it knows from a warm start, and does not try.

    Returns:
        Trials of the search; none where it may need only some of its networks or tries.
    """
    search = plan.search
    some = search.trials + len(known) < plan.candidates
    some |= search.tune is not None and search.tune.trials != "all"
    if some or plan.rejects or scheduler_traits(plan.scheduler):
        return {}
    return {
        key: one
        for key, one in elsewhere.items()
        if one.started.phase == "search"
        and one.started.name not in known
        and _is_wanted(one.started, plan)
        # Other seeds have the settings that turn out best.
        and not (search.tune is not None and one.started.repeat)
    }


def _source(found: Finished) -> str:
    """The run that trained a trial."""
    return found.ended.source or str(found.folder)


def _is_wanted(started: Started, plan: StudyPlan) -> bool:
    """Whether a study has as many seeds as another run's trial is of."""
    confirm = plan.confirm.seeds if plan.confirm else 0
    return started.repeat < (confirm if started.phase == "confirm" else plan.search.seeds)


def _about(weights: Path) -> dict[str, Any] | None:
    """What is noted of kept weights; None where either file is damaged."""
    try:
        noted = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        return dict(noted) if noted.get("sha256", digest) == digest else None
    except (ValueError, TypeError, AttributeError):
        return None


def identity(started: Started, plan: StudyPlan) -> Hashable:
    """What the result of a trial depends on, among trials of comparable studies.

    Args:
        started: its start.
        plan: plan of its study.
    """
    network = started.network()
    source = plan.transfer.of(network.name, started.repeat) if plan.transfer else None
    initial = source.sha256 if source else None
    values = values_of(started, plan)
    values["resize"] = plan.data.at(values["resolution"]).resize
    return (network, started.seed, started.threads, initial, tuple(sorted(values.items())))


def values_of(started: Started, plan: StudyPlan) -> dict[str, Any]:
    """The values with which a trial trains, of all settings that may vary by trial, by name."""
    recipe = plan.training.with_settings(started.own)
    values = {key: getattr(recipe, key) for key in VARIABLE}
    resolution = int(started.own.get("resolution", plan.data.resolution))
    return {**values, "epochs": started.epochs, "resolution": resolution}


def finished_of(
    folder: Path, records: Iterable[Record], candidate_of: Callable[[Started], int | None]
) -> list[Finished]:
    """The trials of a run that ended well and fit a study, in the order they ended.

    Args:
        folder: folder of the run.
        records: its journal.
        candidate_of: gives a trial's candidate in the study; None where it does not fit.
    """
    found: list[Finished] = []
    starts: dict[int, tuple[int, Started]] = {}
    epochs: dict[int, list[Epoch]] = {}
    for record in records:
        if isinstance(record, Started):
            candidate = candidate_of(record)
            if candidate is not None:
                starts[record.trial], epochs[record.trial] = (candidate, record), []
        elif isinstance(record, Epoch) and record.trial in starts:
            epochs[record.trial].append(record)
        elif isinstance(record, Ended) and record.trial in starts:
            candidate, started = starts[record.trial]
            found.append(Finished(candidate, folder, started, (*epochs[record.trial],), record))
    return [one for one in found if one.ended.status is Status.OK]
