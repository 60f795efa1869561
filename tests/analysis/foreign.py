"""Parts from outside, as a user would write them: a task, an objective and samplers."""

from collections.abc import Iterator
from typing import Any

from res2net import Architecture, Cost


class Scored:
    """A task whose metric is to be made large, and is no percentage."""

    metrics = (("score", "maximize"), ("time", "minimize", "ms"))


def blocks(architecture: Architecture, cost: Cost) -> float:
    """How many blocks a network has."""
    return float(sum(architecture.blocks))


def silent(survey: Any, *, seed: int, objectives: Any) -> Iterator[int]:
    """A sampler that says nothing of itself."""
    return iter(range(len(survey)))


def fair(survey: Any, *, seed: int, objectives: Any) -> Iterator[int]:
    """A sampler that says that it is uniform."""
    return iter(range(len(survey)))


fair.traits = {"uniform"}  # type: ignore[attr-defined]  # as a user would
