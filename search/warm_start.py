"""Takes finished trials of other runs, so that a search starts from their results."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from res2net.file_names import path_of
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError, Document
from search.space.survey import Survey
from search.study import manifest
from search.study.events import Ended, Known, Started, Status
from search.study.journal import JournalError, read
from search.study.settings import settings_of
from search.study.study import Study

_TOLD = (Status.OK, Status.PRUNED)


def known_trials(
    plan: StudyPlan, survey: Survey, document: Document, console: Console
) -> tuple[Known, ...]:
    """The first trial of each network in other runs, where it is a candidate here.

    Args:
        plan: plan of the study; `search.warm_start` names the runs.
        survey: its candidates.
        document: gives the places of the space file's values.
        console: where to report how many there are, and how many are left out.

    Raises:
        ConfigError: a run does not exist, its data or recipe differ, or too few candidates
            are left; with the place in the file.
    """
    place = f"{document.place(('search', 'warm_start'))}: search.warm_start"
    found: dict[int, Known] = {}
    for folder in plan.search.warm_start:
        outside = 0
        before = len(found)
        for started, ended in _first_trials(folder, plan, place):
            candidate = survey.candidate(started.network())
            outside += candidate is None
            if candidate is not None and candidate not in found:
                found[candidate] = _known(len(found), started, ended, folder)
        aside = f"; {outside} are not candidates of this space" if outside else ""
        console.print(f"warm start: {len(found) - before} trials of {folder} are known{aside}")
    require_left(plan, survey, len(found), document)
    return tuple(found.values())


def require_left(plan: StudyPlan, survey: Survey, known: int, document: Document) -> None:
    """Make sure that there are candidates for all trials.

    Args:
        plan: plan of the study.
        survey: its candidates.
        known: how many of them other runs have tried.
        document: gives the places of the space file's values.

    Raises:
        ConfigError: there are too few, with the place in the file.
    """
    left = len(survey) - known
    if plan.search.trials > left:
        raise ConfigError(
            f"{document.place(('search', 'trials'))}: search.trials: {plan.search.trials:,} "
            f"is more than the {left:,} candidates left after search.warm_start; write at "
            "most that, or widen the space"
        )


def warmed(study: Study, known: Sequence[Known]) -> None:
    """Add trials of other runs, once each, to a study that has no trial yet."""
    if study.history.trials:
        return
    for one in known:
        if one.name not in study.history.known:
            study.know(one)


def _first_trials(folder: str, plan: StudyPlan, place: str) -> Iterator[tuple[Started, Ended]]:
    """Start and end of each network's first trial that was trained, completely or in part."""
    path = path_of(folder)
    _require_comparable(path, plan, place)
    starts: dict[int, Started] = {}
    names = set[str]()
    try:
        records = read(path, epochs=False)
    except JournalError as error:
        raise ConfigError(f"{place}: {folder}: {error}") from error
    for record in records:
        if isinstance(record, Started) and record.phase == "search":
            starts[record.trial] = record
    for record in records:
        started = starts.get(record.trial) if isinstance(record, Ended) else None
        if started is None or not isinstance(record, Ended) or record.status not in _TOLD:
            continue
        values = started.values(record.metrics)
        if started.name not in names and all(one.name in values for one in plan.objectives):
            names.add(started.name)
            yield started, record


def _require_comparable(path: Path, plan: StudyPlan, place: str) -> None:
    written = manifest.read(path)
    if written is None:
        raise ConfigError(
            f"{place}: {path} is not the folder of a run; give one such as runs/<study>"
        )
    there, here = settings_of(written.plan), settings_of(plan)
    keys = dict.fromkeys((*there, *here))
    different = [key for key in keys if there.get(key) != here.get(key)]
    if different:
        shown = "; ".join(
            f"{key} is {there.get(key)!r} there and {here.get(key)!r} here" for key in different
        )
        raise ConfigError(
            f"{place}: the trials of {path} cannot be compared with this study's: {shown}; "
            "write what they had, or remove the run"
        )


def _known(number: int, started: Started, ended: Ended, source: str) -> Known:
    return Known(
        trial=-1 - number,
        name=started.name,
        architecture=started.architecture,
        status=ended.status,
        epochs=ended.epochs,
        values=started.values(ended.metrics),
        source=source,
    )
