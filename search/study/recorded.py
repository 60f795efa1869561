"""Reads plan and starts of a study from its manifest, of this version or an earlier one."""

from typing import Any

from pydantic import BaseModel, StrictInt, TypeAdapter

from search.schema.data import Data, planned_data
from search.schema.parsing import plain
from search.schema.parts import TRUSTED
from search.schema.search import Base
from search.schema.study_plan import StudyPlan
from search.space.axes import Axes
from search.space.axis import axes_of


class _Start(BaseModel, extra="allow"):
    """The types of a start; each version recorded more; see `provenance.start_of`."""

    time: str = ""
    command: tuple[str, ...] = ()
    git_commit: str | None = None
    python: str = ""
    versions: dict[str, str] = {}
    machine: str = ""
    processor: str = ""
    cpus: int | None = None
    trials: StrictInt = 1
    seeds: StrictInt = 1


_STARTS: TypeAdapter[tuple[_Start, ...]] = TypeAdapter(tuple[_Start, ...])


def starts_of(raw: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The recorded starts of a manifest, after a check of their types.

    Args:
        raw: the manifest as parsed JSON; ValueError or KeyError where it has no valid starts.
    """
    _STARTS.validate_python(raw["starts"])
    return tuple(raw["starts"])


def plan_of(raw: dict[str, Any]) -> StudyPlan:
    """The plan of a manifest; for versions up to 3 it is made from their config.

    Args:
        raw: the manifest as parsed JSON.
    """
    if "plan" in raw:
        return StudyPlan.model_validate(plain(raw["plan"]), context=TRUSTED)
    config: dict[str, Any] = plain(raw["config"])
    data = planned_data(Data.model_validate(config["data"]))
    gpu = config["resources"].get("gpu", 0.0)
    filled: dict[str, Any] = {
        "data": data.model_dump() | {"decoding": None},  # differs from this program's
        "resources": config["resources"] | {"gpu": 1.0 if gpu == "auto" else gpu},
        "candidates": config["search"]["trials"],  # a lower bound; it was not recorded
    }
    scheduler = config.get("scheduler") or {"name": "fifo"}
    if scheduler["name"] == "fifo":  # its keys had no effect
        filled["scheduler"] = "fifo"
    network = config["network"]
    if isinstance(network.get("skeleton"), str):
        filled["network"] = network | {"skeleton": (network["skeleton"],)}
    return _with_base(StudyPlan.model_validate(config | filled))


def _with_base(plan: StudyPlan) -> StudyPlan:
    """The plan with the complete base of axes; earlier versions recorded it only as written."""
    if not plan.search.has_axes:
        return plan
    base = Base(**Axes(axes_of(plan.network)[0], plan.search).values)
    search = plan.search.model_copy(update={"base": base})
    return plan.model_copy(update={"search": search})
