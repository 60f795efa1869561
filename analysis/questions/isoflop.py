"""Finds how to split training compute between size and length, from runs of several lengths.

Training compute is three times the multiply-adds of the forward passes over all images of all
epochs: the forward pass, and the backward pass for activations and for weights. Size is
multiply-adds, so compute is 3 * size * images seen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.compare import why_not_comparable
from analysis.runs.networks import sound
from analysis.runs.run import Run, RunError
from analysis.runs.scores import is_percent_error, words
from analysis.scaling.isomacs import Frontier, isomacs
from analysis.scaling.points import Refusal
from analysis.scaling.projected import Projected, projected

PASSES = 3  # forward, and backward twice


class Isoflop(NamedTuple):
    """How compute is best split, according to runs of several lengths.

    Attributes:
        points: one row per trial: `network`, `seed`, `size`, `macs`, `error`, `epochs`,
            `images`.
        law: the law fitted to all trials at once.
        frontier: fit to the minima of parabolas; None where fewer than three budgets have one.
        doubt: why there is no frontier; empty where there is one.
    """

    points: pd.DataFrame
    law: Projected
    frontier: Frontier | None
    doubt: str


def points(runs: Sequence[Run]) -> pd.DataFrame:
    """The complete trials of runs of several lengths, in the format of `analysis.scaling`.

    Networks that lost a seed in a run are left out of it (`analysis.runs.networks.sound`).

    Args:
        runs: runs of one recipe, data set and metric, which is an error in percent; schedules
            end with the training, whatever its length.

    Raises:
        RunError: these differ, all runs have the same length, or no network is left.
    """
    why = why_not_comparable(runs)
    if not why and len({run.recipe for run in runs}) > 1:
        why = "the runs trained by different recipes"
    if not why and not is_percent_error(runs[0].ranking):
        why = f"{words(runs[0].ranking)} is no error in percent"
    if why:
        raise RunError(
            f"{why}, and compute is traded within one; name runs that differ in size and "
            "length only"
        )
    frames = [
        sound(run, run.whole()).assign(
            images=run.plan.data.train, data=run.data, recipe=run.recipe
        )
        for run in runs
    ]
    every = pd.concat(frames, ignore_index=True)
    if every.empty:
        raise RunError(
            "no network was trained whole without losing a seed; let more end, or fix what "
            "failed"
        )
    if len(every["epochs_planned"].unique()) < 2:
        if len({*pd.concat([run.whole() for run in runs])["epochs_planned"]}) > 1:
            raise RunError(
                "all networks of the other lengths lost a seed, and are left out; fix what "
                "failed"
            )
        raise RunError(
            "all networks were trained for one length; run the same space with two others "
            "(--set training.epochs=...), each half or twice the one before"
        )
    return pd.DataFrame(
        {
            "network": every["name"] + " x" + every["epochs_planned"].astype(str),
            "seed": every["seed"],
            "size": every["macs"].astype(float),
            "macs": every["macs"].astype(float),
            "error": every[runs[0].ranking.column].astype(float),
            "epochs": every["epochs_planned"].astype(float),
            "images": every["images"].astype(float),
            "recipe": every["recipe"],
            "data": every["data"],
        }
    ).drop_duplicates(["network", "seed"], ignore_index=True)


def isoflop(runs: Sequence[Run], *, rng: np.random.Generator) -> Isoflop:
    """Estimate how the best size grows with training compute, by a joint law and by parabolas.

    Args:
        runs: as for `points`.
        rng: draws the resamples.

    Raises:
        RunError: as `points`.
        Refusal: as `analysis.scaling.projected.projected`.
    """
    table = points(runs)
    law = projected(table, rng=rng)
    try:
        return Isoflop(table, law, isomacs(table, rng=rng, resamples=300), "")
    except Refusal as refusal:
        return Isoflop(table, law, None, str(refusal))
