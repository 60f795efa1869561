"""Checks that the measurements for objectives and budget are possible, before anything runs."""

from collections.abc import Iterator, Sequence

from search.schema.budget import Budget
from search.schema.metrics import Objective
from search.schema.values import MisfitError


def check_measured(
    objectives: Sequence[Objective],
    budget: Budget,
    *,
    gpu: float | str,
    replay: bool,
    warm: bool,
) -> None:
    """Check what is to be measured of each network.

    Args:
        objectives: objectives of the study.
        budget: budget of the study.
        gpu: GPUs of a trial, or auto.
        replay: whether results are replayed, so that there is no network to measure.
        warm: whether trials of other runs are known, which may have been measured elsewhere or
            not at all.

    Raises:
        MisfitError: something cannot be measured, with the key to look at.
    """
    for at, name in _asked(objectives, budget):
        if replay:
            raise MisfitError(
                at,
                f"{name} is measured on networks that are built, and a replay builds none; "
                "remove it, or write execution: trials",
            )
        if name == "inference_energy" and (isinstance(gpu, str) or gpu < 1):
            raise MisfitError(
                at,
                f"{name} is only reported by a GPU that a trial has to itself, but "
                f"resources.gpu is {gpu}; write resources: {{gpu: 1}}, or remove it",
            )
    if warm and any(one.source == "measured" for one in objectives):
        raise MisfitError(
            "search.warm_start",
            "names other runs, whose networks were not measured on this study's device; "
            "remove it, or the measured objectives",
        )


def _asked(objectives: Sequence[Objective], budget: Budget) -> Iterator[tuple[str, str]]:
    """Each measurement asked for: the place that asks for it, and its name."""
    for one in objectives:
        if one.source == "measured":
            yield "search.objectives", one.name
    for limits in budget.measured():
        yield f"budget.{limits.objective.name}", limits.objective.name
