"""The execution section: train networks, or replay results that exist already.

No torch here.
"""

from typing import Any, Self

from pydantic import Field, PositiveInt, model_validator

from search.schema.section import Section
from search.schema.values import MisfitError

SHIPPED = "digits"  # the name of the table that comes with the project
_FORMS = "write trials, replay, or {replay: [runs/x, table.csv], workers: 4}"


class Execution(Section):
    """Where the results of trials come from.

    `execution: trials` trains networks. `execution: replay` takes the results of the table that
    comes with the project, in simulated time: see [replay](replay.md).
    """

    replay: tuple[str, ...] = ()
    """Sources of the results: folders of earlier runs, tables (`.csv` or `.csv.gz`), or
    `digits`, which comes with the project. Empty: networks are trained.
    """
    workers: PositiveInt = 1
    """Trials that run at once in simulated time. [trials]"""

    @model_validator(mode="after")
    def _for_a_replay(self) -> Self:
        if "workers" in self.model_fields_set and not self.replay:
            raise MisfitError(
                "execution.workers", f"is only for a replay, which needs results; {_FORMS}"
            )
        return self


def execution_from(value: Any) -> Any:
    """`trials`, `replay`, or `{replay: [runs/x, table.csv], workers: 4}`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Execution):
        return value
    if value == "trials":
        return {}
    if value == "replay":
        return {"replay": (SHIPPED,)}
    if not isinstance(value, dict):
        raise ValueError(f"is not a kind of execution; {_FORMS}")
    places = value.get("replay", ())
    if "replay" in value and not places:
        raise ValueError(f"names no results to replay; {_FORMS}")
    return value | {"replay": (places,) if isinstance(places, str) else places}


class ReplayedTable(Section):
    """What is known about results that a study replays."""

    digest: str
    """SHA-256 of the run's journal, or of the table's file."""
    trained: str
    """Which results they are, and where they were trained, in words."""


class PlannedExecution(Section):
    """The same in a plan, with what is known about the results, in the order of `replay`."""

    replay: tuple[str, ...] = ()
    workers: PositiveInt = 1
    tables: tuple[ReplayedTable, ...] = Field(default=())

    @property
    def in_words(self) -> str:
        """The results that a replay takes, and the number of workers."""
        workers = f"{self.workers} worker{'s' * (self.workers > 1)}"
        known = zip(self.replay, self.tables, strict=True)
        taken = (f"{place} ({table.trained})" for place, table in known)
        return f"{workers}, of {'; '.join(taken)}: nothing is trained"
