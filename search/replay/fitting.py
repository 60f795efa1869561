"""Checks that results fit a study: its networks, epochs, seeds, metrics, data and recipe."""

import itertools
from collections.abc import Iterator, Sequence

from search.replay.results import Cell, Cells, Results, Source, joined
from search.schema.execution import ReplayedTable
from search.schema.study_plan import StudyPlan
from search.schema.wording import how_many
from search.schema.yaml import ConfigError, Document
from search.space.survey import Survey
from search.study.events import Status
from search.study.settings import settings_of

_PLACE = ("execution", "replay")
_LEFT_AS_IT_IS = "give other results"


def fitted(
    sources: Sequence[Source], plan: StudyPlan, survey: Survey, document: Document
) -> tuple[StudyPlan, Results]:
    """The plan of a study with what it replays, and the results.

    Args:
        sources: sources of the results.
        plan: plan of the study.
        survey: its candidates.
        document: gives the places of its values.

    Raises:
        ConfigError: the results are of other images or another recipe, or lack a network, an
            epoch, a seed or an objective of the study.
    """
    differences = [line for one in sources for line in _differences(one, plan, document)]
    if differences:
        raise ConfigError(*differences)
    place = f"{document.place(_PLACE)}: execution.replay"
    for one, other in itertools.combinations(sources, 2):
        if one.digest == other.digest:
            raise ConfigError(
                f"{place}: {one.place} and {other.place} are the same results; name one of them"
            )
    partial = sum(one.partial for one in sources)
    cells = _of_candidates(joined(sources), survey, place, partial)
    repeats = _repeats(cells, plan, document)
    for network, ones in cells.items():
        for repeat, cell in enumerate(ones[:repeats]):
            problem = _problem(cell, plan)
            if problem:
                raise ConfigError(f"{place}: its {network.name}, repeat {repeat}, {problem}")
    seeds = [one.plan.search.seed for one in sources if one.plan is not None]
    known = plan.with_tables([_known(one) for one in sources])
    return known, Results(cells, repeats, seeds[0] if seeds else 0)


def _differences(source: Source, plan: StudyPlan, document: Document) -> Iterator[str]:
    """A line for each setting that differs between the study and the results."""
    if source.plan is None:
        return
    there, here = settings_of(source.plan), settings_of(plan)
    for key in dict.fromkeys((*there, *here)):
        had, wanted = there.get(key), here.get(key)
        if had == wanted:
            continue
        why = ""
        if key == "training.epochs":
            why = (
                "; another length has another schedule of the learning rate, and test images "
                "are scored after the last epoch"
            )
        yield (
            f"{document.place(tuple(key.split('.')))}: {key}: is {wanted!r}, but the results "
            f"of {source.place} were trained with {had!r}{why}; write that, or {_LEFT_AS_IT_IS}"
        )


def _of_candidates(cells: Cells, survey: Survey, place: str, partial: int) -> Cells:
    """The cells of the candidates, each of which must have some."""
    found = {survey.candidate(network): ones for network, ones in cells.items()}
    found.pop(None, None)
    lacking = len(survey) - len(found)
    if lacking:
        first = next(each for each in range(len(survey)) if each not in found)
        left = f"; {partial:,} of its trials have not ended, or were stopped early"
        wanted = survey.architecture(first)
        others = {network.classes for network in cells} - {wanted.classes}
        classes = f"; it has networks of {min(others, default=0)} classes, but the data have "
        raise ConfigError(
            f"{place}: lacks {lacking:,} of the {len(survey):,} candidates, such as "
            f"{wanted.name}{left if partial else ''}"
            f"{f'{classes}{wanted.classes}' if others else ''}; narrow network or "
            f"budget to what the results contain, or give more results"
        )
    return {
        network: ones for network, ones in cells.items() if survey.candidate(network) in found
    }


def _repeats(cells: Cells, plan: StudyPlan, document: Document) -> int:
    """Number of trials that every network has."""
    network, fewest = min(cells.items(), key=lambda item: len(item[1]))
    if plan.search.seeds > len(fewest):
        raise ConfigError(
            f"{document.place(('search', 'seeds'))}: search.seeds: {plan.search.seeds} is more "
            f"than the {len(fewest)} that the results contain for {network.name}; write at "
            "most that, or give more results"
        )
    return len(fewest)


def _problem(cell: Cell, plan: StudyPlan) -> str:
    """What a cell lacks for a study; empty where it lacks nothing."""
    epochs, wanted = len(cell.epochs), plan.training.epochs
    if epochs > wanted or (epochs < wanted and cell.status is Status.OK):
        return (
            f"has {how_many(epochs, 'epoch')}, but training.epochs is {wanted}; write what it "
            "has (another length has another schedule of the learning rate), or "
            f"{_LEFT_AS_IT_IS}"
        )
    for objective in plan.objectives:
        lacks = [n for n, one in enumerate(cell.epochs, 1) if objective.name not in one.metrics]
        if objective.source == "reported" and lacks:
            return (
                f"has no {objective.name} at epoch {lacks[0]}, but search.objectives names it; "
                f"remove it there, or {_LEFT_AS_IT_IS}"
            )
    return ""


def _known(source: Source) -> ReplayedTable:
    """What the plan records about results."""
    networks, trials = len(source.cells), sum(map(len, source.cells.values()))
    devices = {cell.device for ones in source.cells.values() for cell in ones} - {""}
    where = f", trained on {', '.join(sorted(devices))}" if devices else ""
    how = f" of {source.plan.study}" if source.plan else "; images and recipe are not noted"
    return ReplayedTable(
        digest=source.digest,
        trained=f"{how_many(trials, 'trial')} of {how_many(networks, 'network')}{how}{where}",
    )
