"""Gives the series on which each candidate on axes lies, for planning contrasts."""

from typing import Any

from res2net import Architecture
from res2net.architecture import written
from search.design.contrasts import BASE, DIMENSIONS, Member
from search.space.survey import Survey

_LETTERS = {"scale": "s", "cardinality": "c", "depth": "d", "width": "w"}
_FIELDS = (*DIMENSIONS, "se", "skeleton", "planes")


def members_of(survey: Survey, *, solved: str | None = None) -> list[Member]:
    """The candidates along axes, each with the dimension in which it differs from the base.

    Args:
        survey: survey of the study; without a base there are no members.
        solved: the dimension that is solved for the budget; it forms no series.
    """
    if survey.base is None:
        return []
    origin = _values(survey, survey.base)
    return [_member(survey, candidate, origin, solved) for candidate in range(len(survey))]


def _values(survey: Survey, candidate: int) -> dict[str, Any]:
    network = survey.architecture(candidate)
    return {field: getattr(network, field) for field in _FIELDS} | survey.settings(candidate)


def _member(
    survey: Survey, candidate: int, origin: dict[str, Any], solved: str | None
) -> Member:
    network, cost = survey.architecture(candidate), survey.cost(candidate)
    values = _values(survey, candidate)
    away = (field for field in origin if field != solved and values[field] != origin[field])
    series = next(away, BASE)
    name, label = survey.name(candidate), _label(network, series)
    return Member(name, series, label, cost.params, cost.macs)


def _label(network: Architecture, series: str) -> str:
    if series not in DIMENSIONS:
        return series
    return f"{written(getattr(network, series))}{_LETTERS[series]}"
