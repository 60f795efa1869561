"""The table of schedulers: which trials end before their last epoch. No torch here."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PositiveInt

from res2net.plugins import PluginError
from search.schema.parts import NoOptions, Table, traits_of
from search.schema.section import Section

TRAITS: Mapping[str, str] = {
    "stops": "ends trials before their last epoch",
    "pauses": "lets trials rest, which may go on later from their checkpoint",
}


class SchedulerFacts(NamedTuple):
    """What the table says of a scheduler; its maker takes (epochs, objective, **options)."""

    maker: str
    traits: frozenset[str]
    summary: str
    options: type[Section] | None = NoOptions


class Asha(Section):
    """Keys of asynchronous successive halving."""

    grace: PositiveInt = 1
    """Length of the first rung: before it no trial is stopped. [epochs]"""
    reduction: Annotated[int, Field(ge=2)] = 3
    """One trial in so many goes on at each rung; rungs are as many times further apart."""


def _foreign(name: str, value: Any) -> SchedulerFacts:
    if not callable(value):
        raise PluginError(
            f"{name}: is no scheduler; write a class or function that takes (*, epochs, "
            "objective) and its own options"
        )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    return SchedulerFacts(name, traits_of(name, value, TRAITS), summary, None)


SCHEDULERS = Table(
    "scheduler",
    {
        "fifo": SchedulerFacts(
            "search.schedulers.base:Fifo", frozenset(), "every trial runs to its last epoch"
        ),
        "asha": SchedulerFacts(
            "search.schedulers.asha:Asha",
            frozenset({"stops"}),
            "asynchronous successive halving: trials that are not among the best end",
            Asha,
        ),
    },
    _foreign,
)
