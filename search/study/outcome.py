"""Translates the end of a trial into the outcome that samplers are told."""

from collections.abc import Sequence

from search.samplers.base import Outcome
from search.schema.metrics import Objective
from search.study.events import Ended, Started, Status


def outcome_of(started: Started, ended: Ended, objectives: Sequence[Objective]) -> Outcome:
    """How a trial ended, with a value for each objective, counted or reported."""
    known = started.values(ended.metrics)
    whole = ended.status is Status.OK
    told = whole or ended.status is Status.PRUNED
    if not told or any(one.name not in known for one in objectives):
        return Outcome("failed")
    values = tuple(known[one.name] for one in objectives)
    return Outcome("complete" if whole else "pruned", values, ended.epochs)
