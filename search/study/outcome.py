"""Translates the end of a trial into the outcome that samplers receive."""

from collections.abc import Mapping, Sequence

from search.samplers.base import Outcome
from search.schema.metrics import Objective
from search.study.events import Ended, Known, Status


def outcome_of(
    ended: Ended, known: Mapping[str, float], objectives: Sequence[Objective]
) -> Outcome:
    """How a trial ended, with a value for each objective.

    Args:
        ended: its end.
        known: what it reported, and the counted and measured values of its network.
        objectives: objectives of the study.
    """
    return _outcome(ended.status, known, ended.epochs, objectives)


def known_outcome(known: Known, objectives: Sequence[Objective]) -> Outcome:
    """The outcome of a trial of another run."""
    return _outcome(known.status, known.values, known.epochs, objectives)


def _outcome(
    status: Status, known: Mapping[str, float], epochs: int, objectives: Sequence[Objective]
) -> Outcome:
    whole = status is Status.OK
    told = whole or status is Status.PRUNED
    if not told or any(one.name not in known for one in objectives):
        return Outcome("failed")
    values = tuple(known[one.name] for one in objectives)
    return Outcome("complete" if whole else "pruned", values, epochs)
