"""Resolves a space file to a study plan: images counted, candidates surveyed.

All mistakes that can be found before anything runs are reported here, with their place.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from res2net import Architecture, ArchitectureError, cost
from search.images.resolve import resolve_data
from search.schema.budget import Budget
from search.schema.counts import Use
from search.schema.data import Data, PlannedData
from search.schema.fidelity import check_fidelity
from search.schema.network import Network
from search.schema.parts import Choice
from search.schema.schedulers import check_scheduler
from search.schema.search import Base, Search
from search.schema.settings import DepthRule
from search.schema.space_file import SpaceFile
from search.schema.study_plan import StudyPlan
from search.schema.training import Training, planned_training
from search.schema.values import MisfitError
from search.schema.yaml import ConfigError, Document
from search.schema.zero_cost import check_zero_cost
from search.space.axes import Axes
from search.space.axis import axes_of
from search.space.carried import carried
from search.space.configuration import planned_rule
from search.space.planned import planned_analysis
from search.space.prior import places_of, spelled
from search.space.sorting import Near
from search.space.survey import Survey, survey
from search.space.trainable import check_norms, check_trainable

_MOST_CANDIDATES = 20_000_000


class Resolved(NamedTuple):
    """A study that is ready to begin: its plan, and the candidates inside its budget."""

    plan: StudyPlan
    survey: Survey


class _Counted(NamedTuple):
    """The sections that a survey needs, before there is a plan."""

    network: Network
    budget: Budget
    data: PlannedData
    search: Search
    varied: Mapping[str, Sequence[float]]
    task: Choice


def resolve(
    space: SpaceFile,
    document: Document,
    *,
    unseen: bool = False,
    known: PlannedData | None = None,
) -> Resolved:
    """Fill in what a space file leaves open, and count everything.

    For `gpu: auto`, the plan has one whole GPU; `StudyPlan.with_gpu` replaces that by the
    measured share.

    Args:
        space: space file as written.
        document: gives the places of its values.
        unseen: whether a data set without files may be counted from what is known of it.
        known: images of a study that has begun, which are used where their files are gone.

    Raises:
        ConfigError: the images are missing or too few, a network is impossible, nothing fits
            the budget (with the nearest on each side), or more trials than candidates.
    """
    section = _at_largest(space.data, space.network)
    data = resolve_data(section, document, unseen=unseen, known=known)
    training = planned_training(space.training, space.data.name)
    use = Use.of(space.task, data)
    for resolution in space.network.resolution or (data.resolution,):
        seen = data.at(resolution)
        check_trainable(space.network, training, seen, document)
        probes = _probed(space.network, data, document)
        size = use.image_size(resolution)
        check_norms(space.network, training, seen, document, size=size)
    _check_countable(space.network, data, use, document)
    _check_surveyable(space, document)
    search = _with_base(space.network, space.search, document)
    varied = space.training.varied
    surveyed = survey(_Counted(space.network, space.budget, data, search, varied, space.task))
    transfer = None
    if space.transfer is not None and len(surveyed):
        surveyed, transfer = carried(surveyed, space.transfer, search.seeds, document)
    _check_candidates(search, surveyed, document)
    search = _with_prior(space.network, search, surveyed, document)
    analysis = planned_analysis(space.analysis, space.network, data, surveyed, document)
    written: dict[str, Any] = space.model_dump()
    trials = _trials(search, surveyed)
    check_scheduled(space, trials, document)
    objectives = tuple(one.name for one in space.objectives)
    gpu = 1.0 if space.resources.gpu == "auto" else space.resources.gpu
    decided = {
        "data": data.model_dump(),
        "training": training.model_dump(),
        "transfer": transfer and transfer.model_dump(),
        "varied": varied,
        "lr_rule": _rule(space.training, probes, document),
        "search": search.model_dump() | {"trials": trials, "objectives": objectives},
        "analysis": analysis.model_dump(),
        "resources": space.resources.model_dump() | {"gpu": gpu},
        "candidates": len(surveyed),
    }
    return Resolved(StudyPlan.model_validate(written | decided), surveyed)


def _at_largest(data: Data, network: Network) -> Data:
    """The section with the largest resolution that a network sees."""
    if not network.resolution:
        return data
    return data.model_copy(update={"resolution": max(network.resolution)})


def _probed(network: Network, data: PlannedData, document: Document) -> list[Architecture]:
    """A network for each value of the file, after checking that all are possible."""
    try:
        return list(network.probes(data.classes, data.channels))
    except ArchitectureError as error:
        place = document.place(("network", error.field))
        raise ConfigError(f"{place}: network.{error.field}: {error.problem}") from error


def _rule(
    training: Training, probes: list[Architecture], document: Document
) -> dict[str, Any] | None:
    """The rule of the learning rate with its reference counted; None where there is none."""
    if not isinstance(training.lr, DepthRule):
        return None
    try:
        return planned_rule(training.lr, probes).model_dump()
    except ArchitectureError as error:
        raise ConfigError(
            f"{document.place(('training', 'lr', 'depth'))}: training.lr.depth: {error.problem}"
        ) from error


def _trials(search: Search, surveyed: Survey) -> int:
    """Number of networks to try."""
    if search.per_band is not None:
        held = np.bincount(surveyed.bands)
        return int(np.minimum(held, search.per_band).sum())
    return len(surveyed) if search.trials == "all" else search.trials


def _check_countable(network: Network, data: PlannedData, use: Use, document: Document) -> None:
    """Check that costs fit the 64-bit integers of grids, which overflow silently."""
    size = use.image_size(data.resolution)
    for largest in network.largest(data.classes, data.channels):
        head = int(use.head(largest, size).macs)
        if head >= 2**62:
            raise ConfigError(
                f"{document.place(('task',))}: task: its head has more than 2**62 "
                "multiply-adds, too many to count; lower its values"
            )
        if cost(largest, image_size=size).macs + head >= 2**62:
            raise ConfigError(
                f"{document.place(('network',))}: network: its largest candidate "
                f"({largest.name}) has more than 2**62 multiply-adds, too many to count; "
                "lower the largest values"
            )


def _check_surveyable(space: SpaceFile, document: Document) -> None:
    """Check the size of the space: each candidate is counted first, a few million a second."""
    network, tuned = space.network, space.search.tune.keys if space.search.tune else ()
    sizes = [network.count(field) for field in ("width", "scale", "cardinality")]
    sizes += [len(network.planes), len(network.resolution or (0,))]
    sizes += [len(v) for key, v in space.training.varied.items() if key not in tuned]
    candidates = len(network.forms()) * len(network.se) * math.prod(sizes)
    if candidates > _MOST_CANDIDATES:
        raise ConfigError(
            f"{document.place(('network',))}: network: gives {candidates:,} combinations, "
            f"more than the {_MOST_CANDIDATES:,} that are surveyed; write fewer values, or "
            "fewer of them per_stage"
        )


def _with_base(network: Network, search: Search, document: Document) -> Search:
    """The section with the complete base of axes, to record where the axes meet."""
    if not search.has_axes:
        return search
    try:
        axes = Axes(axes_of(network)[0], search)
    except MisfitError as error:
        place = document.place(tuple(error.at.split(".")))
        raise ConfigError(f"{place}: {error.at}: {error}") from error
    return search.model_copy(update={"base": Base(**axes.values)})


def _check_candidates(search: Search, surveyed: Survey, document: Document) -> None:
    """Check that a study has candidates, and as many as it tries networks."""
    if len(surveyed) == 0:
        place = document.place(("budget",))
        near = "; ".join(_near_words(side, near) for side, near in surveyed.near.items())
        raise ConfigError(
            f"{place}: budget: none of {surveyed.total:,} candidates fits; {near}; "
            "widen the budget or the dimensions"
        )
    if search.has_axes and surveyed.base is None:
        values = search.base.model_dump(exclude_none=True)
        shown = ", ".join(f"{key} {value}" for key, value in values.items())
        raise ConfigError(
            f"{document.place(('search', 'base'))}: search.base: the network where the axes "
            f"meet ({shown}) is outside the budget, so nothing could be compared with it; "
            "widen the budget, or write another base"
        )
    if search.trials != "all" and search.trials > len(surveyed):
        place = document.place(("search", "trials"))
        raise ConfigError(
            f"{place}: search.trials: {search.trials:,} is more than the "
            f"{len(surveyed):,} distinct candidates inside the budget; write at most that, or "
            "widen the budget or the dimensions"
        )


def _with_prior(
    network: Network, search: Search, surveyed: Survey, document: Document
) -> Search:
    """The section with its prior normalized; the prior's dimensions must vary."""
    if search.prior is None:
        return search
    prior = spelled(search.prior, network)
    varied = tuple(one for one in surveyed.dimensions if len(one.values) > 1)
    try:
        places_of(prior, varied)
    except MisfitError as error:
        place = document.place(tuple(error.at.split(".")))
        raise ConfigError(f"{place}: {error.at}: {error}") from error
    return search.model_copy(update={"prior": prior})


def check_scheduled(space: SpaceFile, trials: int, document: Document) -> None:
    """Check a scheduler's keys against the number of networks, unknown before for `all`.

    Args:
        space: space file as written.
        trials: number of networks to try.
        document: gives the places of its values.

    Raises:
        ConfigError: one does not fit.
    """
    try:
        check_scheduler(space.scheduler, epochs=space.training.longest, trials=trials)
        if space.fidelity is not None:
            tuned = space.search.tune is not None
            check_fidelity(space.fidelity, space.scheduler, trials=trials, tuned=tuned)
        replay = bool(space.execution.replay)
        check_zero_cost(space.zero_cost, space.search, trials=trials, replay=replay)
    except MisfitError as error:
        place = document.place(tuple(error.at.split(".")))
        raise ConfigError(f"{place}: {error.at}: {error}") from error


def _near_words(side: str, near: Near) -> str:
    counted = near.cost
    return (
        f"nearest {side}: {near.architecture.name} with {counted.macs:,} MACs, "
        f"{counted.params:,} params, {counted.activations:,} activations"
        + "".join(f", {amount:,} {name}" for name, amount in near.model.items())
    )
