"""Finds the Pareto front of networks: those that no other network dominates."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.runs.scores import losses
from search.schema.metrics import COUNTED, Objective

_COST = COUNTED["macs"]  # the cost used where the study names none


def compared(objectives: Sequence[Objective], ranking: Objective) -> tuple[Objective, ...]:
    """The objectives of a study's front: its own; a single one is joined by multiply-adds.

    Args:
        objectives: objectives of the study.
        ranking: the objective by which networks are ranked.
    """
    return tuple(objectives) if len(objectives) > 1 else (ranking, _COST)


def cost_axis(objectives: Sequence[Objective]) -> Objective:
    """The cost on the axis of figures: the first objective that is counted or measured."""
    costs = (one for one in objectives if one.source != "reported")
    return next(costs, _COST)


def non_dominated(
    networks: pd.DataFrame, objectives: Sequence[Objective]
) -> npt.NDArray[np.bool_]:
    """Tell which networks none dominates (as good in every objective, better in one).

    Args:
        networks: one row per network, with the columns of the objectives.
        objectives: any number of them, each in its own direction.

    Returns:
        (networks,) of bools; equal networks are on the front together; a network with a missing
        value is not on it.
    """
    columns = [losses(one, networks[one.column].astype(float)) for one in objectives]
    table = np.stack([column.to_numpy() for column in columns], axis=1)
    known = ~np.isnan(table).any(axis=1)
    front = np.zeros(len(table), dtype=bool)
    # In this order no row is dominated by a later one, and every dominated row is dominated by
    # one on the front.
    rows, places = np.unique(table[known], axis=0, return_inverse=True)
    kept = np.zeros(len(rows), dtype=bool)
    best = np.empty_like(rows)
    size = 0
    for place, row in enumerate(rows):
        if not (best[:size] <= row).all(axis=1).any():
            best[size], kept[place] = row, True
            size += 1
    front[known] = kept[places.reshape(-1)]
    return front
