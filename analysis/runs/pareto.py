"""Finds the Pareto front of networks: those that no other beats in every objective at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.runs.scores import losses
from search.schema.metrics import COUNTED, Objective

_COST = COUNTED["macs"]  # that networks are set against where the study names no cost


def compared(objectives: Sequence[Objective], ranking: Objective) -> tuple[Objective, ...]:
    """The objectives of the front of a study: its own; beside a single one multiply-adds.

    Args:
        objectives: of the study.
        ranking: the one that says which network is the best.
    """
    return tuple(objectives) if len(objectives) > 1 else (ranking, _COST)


def cost_axis(objectives: Sequence[Objective]) -> Objective:
    """The cost that figures draw networks against: the first that is counted or measured."""
    costs = (one for one in objectives if one.source != "reported")
    return next(costs, _COST)


def non_dominated(
    networks: pd.DataFrame, objectives: Sequence[Objective]
) -> npt.NDArray[np.bool_]:
    """Which networks no other dominates: as good in every objective, and better in one.

    Args:
        networks: a row each, with the columns of the objectives.
        objectives: any number of them, each in its own direction.

    Returns:
        (networks,) of bools; equal networks are on the front together, one without a value is
        not on it.
    """
    columns = [losses(one, networks[one.column].astype(float)) for one in objectives]
    table = np.stack([column.to_numpy() for column in columns], axis=1)
    known = ~np.isnan(table).any(axis=1)
    front = np.zeros(len(table), dtype=bool)
    # In this order nothing is dominated by what comes later, and whatever is dominated is so
    # by one of the front.
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
