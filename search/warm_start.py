"""Takes finished trials of other runs, so that a search starts from their results."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from res2net.file_names import path_of
from search.preparation import Space
from search.schema.metrics import counted_by
from search.schema.study_plan import StudyPlan
from search.schema.wording import how_many
from search.schema.yaml import ConfigError, Document
from search.space.resolve import check_scheduled
from search.space.survey import Survey
from search.study import manifest
from search.study.events import Ended, Known, Started, Status
from search.study.journal import FILE, JournalError, read
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
        ConfigError: a run does not exist, or its data or recipe differ; with the place in the
            file.
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
                counted = _counted(candidate, plan, survey)
                found[candidate] = _known(len(found), started, ended, folder, counted)
        new = how_many(len(found) - before, "trial")
        aside = f"; {outside} are not candidates of this space" if outside else ""
        console.print(f"warm start: knows {new} of {folder}{aside}")
    return tuple(found.values())


def known_of(
    folder: Path, plan: StudyPlan, survey: Survey, document: Document, console: Console
) -> tuple[Known, ...]:
    """The trials of other runs that a run began with; of one that has not begun, will.

    Args:
        folder: folder of the run; it may not exist yet.
        plan: plan of the study.
        survey: its candidates.
        document: gives the places of the space file's values.
        console: where to report how many there are, and how many are left out.

    Raises:
        ConfigError: as for `known_trials`.
        JournalError: the run's journal cannot be read.
    """
    if plan.search.warm_start and (folder / FILE).exists():
        records = read(folder, epochs=False)
        if any(isinstance(one, Started) for one in records):  # else some may be missing
            return tuple(one for one in records if isinstance(one, Known))
    return known_trials(plan, survey, document, console)


def with_trials_left(plan: StudyPlan, survey: Survey, known: int, space: Space) -> StudyPlan:
    """The plan of a study that tries none of the networks that other runs have tried.

    Args:
        plan: plan of the study.
        survey: its candidates.
        known: how many of them other runs have tried.
        space: space file of the study.

    Returns:
        The plan; where the file says `trials: all`, with the candidates that are left.

    Raises:
        ConfigError: too few are left, with the place in the file.
    """
    left, document = len(survey) - known, space.document
    if known and space.file.search.trials == "all":
        if not left:
            raise ConfigError(
                f"{document.place(('search', 'warm_start'))}: search.warm_start: its runs have "
                f"tried all {known:,} candidates, so none is left; remove a run, or widen the "
                "space"
            )
        check_scheduled(space.file, left, document)
        search = plan.search.model_copy(update={"trials": left})
        return plan.model_copy(update={"search": search})
    if plan.search.trials > left:
        raise ConfigError(
            f"{document.place(('search', 'trials'))}: search.trials: {plan.search.trials:,} "
            f"is more than the {left:,} candidates left after search.warm_start; write at "
            "most that, or widen the space"
        )
    return plan


def candidates_of(trials: Iterable[Known], survey: Survey) -> list[int]:
    """The candidate of each trial of other runs, by its number in the survey."""
    numbers = (survey.candidate(one.network()) for one in trials)
    return [number for number in numbers if number is not None]


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
    reported = [one.name for one in plan.objectives if one.source == "reported"]
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
        if started.name not in names and all(name in record.metrics for name in reported):
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


def _counted(candidate: int, plan: StudyPlan, survey: Survey) -> dict[str, float]:
    """What is counted of a network for this study, whose objectives may be others."""
    network, cost = survey.architecture(candidate), survey.cost(candidate)
    own = [one for one in plan.objectives if one.counter is not None]
    return survey.model(candidate) | {one.name: counted_by(one, network, cost) for one in own}


def _known(
    number: int, started: Started, ended: Ended, source: str, counted: dict[str, float]
) -> Known:
    return Known(
        trial=-1 - number,
        name=started.name,
        architecture=started.architecture,
        status=ended.status,
        epochs=ended.epochs,
        values=started.values(ended.metrics) | counted,
        source=source,
    )
