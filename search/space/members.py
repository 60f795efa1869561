"""Says of the candidates on axes which series each lies on: what contrasts are planned of."""

from res2net import Architecture
from res2net.architecture import written
from search.design.contrasts import BASE, DIMENSIONS, Member
from search.space.survey import Survey

_LETTERS = {"scale": "s", "cardinality": "c", "depth": "d", "width": "w"}
_FIELDS = (*DIMENSIONS, "se", "skeleton")


def members_of(survey: Survey, *, solved: str | None = None) -> list[Member]:
    """The candidates of a study along axes, each with the dimension that it leaves the base in.

    Args:
        survey: of the study; without a base there are no members.
        solved: the dimension that takes what spends the budget; it makes no series.
    """
    if survey.base is None:
        return []
    base = survey.architecture(survey.base)
    return [_member(survey, candidate, base, solved) for candidate in range(len(survey))]


def _member(survey: Survey, candidate: int, base: Architecture, solved: str | None) -> Member:
    network, cost = survey.architecture(candidate), survey.cost(candidate)
    away = (
        field
        for field in _FIELDS
        if field != solved and getattr(network, field) != getattr(base, field)
    )
    series = next(away, BASE)
    return Member(network.name, series, _label(network, series), cost.params, cost.macs)


def _label(network: Architecture, series: str) -> str:
    if series not in DIMENSIONS:
        return series
    value = network.layers if series == "depth" else getattr(network, series)
    return f"{written(value)}{_LETTERS[series]}"
