"""Estimates which network is truly the best, without the luck that helped to select it.

Input: a run whose networks share seeds. Output: a table of networks with shrunken estimates of
their means, and the sentences that must accompany the best of many.

The best of many was lucky on average, and so is its test score: validation and test score of
one trained model share the luck of its seed (r = 0.87 in analysis/results/cifar_fig5_tiny). So
the best is quoted with fresh seeds (`confirm`) or with an estimate shrunk towards the mean of
all networks.
"""

import numpy as np
import pandas as pd

from analysis.questions.confirmed import fresh
from analysis.questions.remedies import for_more_seeds
from analysis.runs.networks import begun, confirmations, left_out_words, networks
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, lower_is_better, words
from analysis.statistics.intervals import StatisticsError
from analysis.statistics.mixed import fit
from analysis.statistics.shrinkage import (
    Shrunken,
    probability_best,
    probability_on_front,
    shrink,
)
from search.schema.metrics import Objective
from search.schema.wording import how_many

COLUMNS = (
    *("name", "params", "macs", "seeds", "failed"),
    *("val_mean", "val", "val_low", "val_high"),
    *("test_mean", "test", "test_low", "test_high"),
    *("best", "front"),
)
_LIKELY = 0.95
_UNLIKELY, _SURE = 0.01, 0.99  # 200 draws, the fewest that are made, do not tell more
_ALL_LOST = "every network lost a seed, and means of the seeds that are left are too good"


def best_networks(run: Run) -> pd.DataFrame:
    """Estimate each network's true mean as one of many, the most probable best first.

    Computed only once per run.

    Args:
        run: finished or not; trials that were not trained to their end are ignored.

    Returns:
        COLUMNS: `val_mean` and `test_mean` over the seeds; `val` and `test`, shrunk towards the
        mean of all networks, with their 95 % intervals; `best`: the probability that its true
        mean on validation images is the best of all; `front`: the probability that no other is
        both cheaper and better. Networks with failed trials are left out, because their means
        come from the surviving seeds.

    Raises:
        RunError: there are too few networks or seeds to tell luck from skill, or every network
            lost a seed.
    """
    return run.once("best networks", lambda: _best_networks(run))


def _best_networks(run: Run) -> pd.DataFrame:
    table = networks(run)
    if len(table) and (table["failed"] > 0).all():
        raise RunError(f"{run.folder}: {_ALL_LOST}; run the study again, or fix what failed")
    table = table[table["failed"] == 0].set_index("name", drop=False)
    whole = run.whole()
    whole = whole[whole["name"].isin(table.index)]
    found: dict[str, Shrunken] = {}
    for side, metric in (("val", run.ranking), ("test", run.tested)):
        known = whole[whole[metric.column].notna()]
        try:
            found[side] = _shrunken(run, known, metric)
        except StatisticsError as error:
            raise RunError(f"{run.folder}: {error}") from error
    for side, one in found.items():
        table[[side, f"{side}_low", f"{side}_high"]] = pd.DataFrame(
            {"mean": one.means, "low": one.low, "high": one.high}, index=one.networks
        ).reindex(table.index)
    lower, judged = lower_is_better(run.ranking), found["val"]
    order = list(judged.networks)
    table["best"] = pd.Series(probability_best(judged, lower_is_better=lower), index=order)
    costs = table["macs"].reindex(order).to_numpy(dtype=float)
    front = probability_on_front(judged, costs, lower_is_better=lower)
    table["front"] = pd.Series(front, index=order)
    ranked = table.sort_values(["best", "val"], ascending=[False, lower], kind="stable")
    return ranked[list(COLUMNS)].reset_index(drop=True)


def chosen(run: Run) -> list[str]:
    """State in words what must accompany the best network of many.

    Args:
        run: finished or not, with two networks or more.
    """
    table = networks(run)
    best, count, every = table.iloc[0]["name"], len(table), begun(run)
    whole = f", {count:,} of them trained to the end," if every > count else ""
    off = "low" if lower_is_better(run.ranking) else "high"
    said = [
        f"It was chosen out of {every:,} networks{whole} by its {words(run.ranking)}, which is "
        f"therefore too {off} on average, and so is its {words(run.tested)}: both share the "
        "luck of the seeds.",
        *fresh(run, best),
    ]
    try:
        worth = best_networks(run)
    except RunError as error:
        if best in {*confirmations(run)["name"]}:
            return said
        again = "confirm the best with fresh seeds (confirm: {top: 3, seeds: 3, epochs: 30})"
        how = "" if run.plan.confirm else f"; or {again}"
        why = str(error).removeprefix(f"{run.folder}: ")
        return [*said, f"How much too {off} is not known: {why}{how}."]
    return said + _worth(run, worth, best)


def _worth(run: Run, worth: pd.DataFrame, best: str) -> list[str]:
    rows = worth.set_index("name")
    if best not in rows.index:
        return []
    row, unit = rows.loc[best], run.ranking.unit
    form = form_of(run.ranking)
    shown = f"{row['test']:{form}}{f' {unit}' if unit else ''}"
    likely = int((np.cumsum(worth["best"]) < _LIKELY).sum()) + 1
    of = among(run, len(worth))
    which = "all" if of == how_many(len(worth), "network") else "the"
    said = [
        f"As one of {which} {of}, its luck taken out (shrunken by the network + seed model), "
        f"{best} is worth {words(run.tested)} {shown} "
        f"[{row['test_low']:{form}}, {row['test_high']:{form}}]."
    ]
    most = worth.iloc[0]
    others = (
        f"most probably it is {most['name']} ({probability_words(most['best'])})"
        if most["name"] != best
        else "no other is as probable"
        if likely == 1
        else f"{likely:,} networks together hold 95 % of that probability"
    )
    likely_words = probability_words(rows["best"].to_dict()[best])
    said.append(
        f"It is truly the best with probability {likely_words}; {others}. "
        "This takes the spread between seeds from all networks, where the comparison with the "
        "next one has only these two."
    )
    return [*said, *left_out_words(run)]


def among(run: Run, count: int) -> str:
    """Name the networks that are judged: "4 networks", and which if they are not all.

    Args:
        run: finished or not.
        count: number of networks that were trained to the end and lost no seed.
    """
    if left_out_words(run):
        return f"{how_many(count, 'network')} that lost no seed"
    whole = " that were trained to the end" if begun(run) > count else ""
    return f"{how_many(count, 'network')}{whole}"


def probability_words(probability: float) -> str:
    """Write a probability that is counted in draws, which cannot tell it from 0 or 1."""
    if probability > _SURE:
        return f"above {_SURE}"
    return f"below {_UNLIKELY}" if probability < _UNLIKELY else f"{probability:.2f}"


def _shrunken(run: Run, trials: pd.DataFrame, metric: Objective) -> Shrunken:
    if trials.empty:
        raise StatisticsError(f"no network that lost no seed has a {words(metric)}")
    columns = ("name", "repeat", metric.column)
    names, seeds, scores = (trials[column].tolist() for column in columns)
    model = fit(names, seeds, scores)
    if len(model.networks) > 2 and not model.df > 0:
        raise StatisticsError(
            f"{len(model.networks):,} networks of which no two have two seeds in common do not "
            f"tell luck from skill; {for_more_seeds(run)}"
        )
    return shrink(model, rng=np.random.default_rng(0))
