"""Averages the trials of each network: means over seeds, their intervals, the Pareto front.

Input: a `Run`. Output, for figures and the report: one row per network with its mean scores and
their intervals, and the trials with each network's complete trials merged into one row.
"""

import numpy as np
import pandas as pd

from analysis.runs.pareto import non_dominated
from analysis.runs.run import FAILURES, Run
from analysis.runs.scores import lower_is_better
from analysis.statistics.grouped import t_ends
from analysis.statistics.intervals import t_interval
from search.schema.metrics import PERCENT, Objective
from search.schema.settings import VARIABLE
from search.study.confirmation import compared_epochs
from search.study.events import Status

_OF_A_NETWORK = ("name", "skeleton", "depth", "width", "scale", "cardinality")
COLUMNS = (
    *_OF_A_NETWORK,
    "params",
    "macs",
    "seeds",
    "failed",
    "val_mean",
    "val_low",
    "val_high",
    "test_mean",
    "test_low",
    "test_high",
    "on_front",
)
CONFIRMED = (
    "confirmed",
    "confirmed_low",
    "confirmed_high",
    "confirmed_seeds",
    "confirmed_epochs",
)
_NOT_TRIED = ("running", Status.REJECTED.value)
DIMENSIONS = ("depth", "width", "scale", "cardinality", "se", "skeleton", "planes")
# The planned length of a trial has its own column name.
SETTINGS = {key: "epochs_planned" if key == "epochs" else key for key in VARIABLE}


def networks(run: Run, *, phase: str = "search", level: float = 0.95) -> pd.DataFrame:
    """The ranking metric of each network over its seeds, the best network first.

    Computed only once per run, phase and level.

    Args:
        run: finished or not; trials that were not trained to their end are ignored.
        phase: "search", or "confirm" for confirmations of one length only (`confirmed_epochs`).
        level: confidence level of the t-intervals over seeds.

    Returns:
        COLUMNS: `failed` counts trials that failed. A network with any failed trial ranks below
        all without, and is not on the front, because its remaining seeds are the better ones.
        `val` and `test` are the metric on the validation and the test images, in its own unit.
        The ends of an interval are NaN where there is only one seed or all seeds are equal,
        which says nothing about chance; for a percentage they never lie outside 0 to 100.
        `on_front` refers to the means (`analysis.runs.pareto`).
    """
    key = ("networks", phase, level)
    return run.once(key, lambda: _networks(run, phase=phase, level=level))


def _networks(run: Run, *, phase: str, level: float) -> pd.DataFrame:
    whole = _whole(run, phase)
    frame = whole.drop_duplicates("name").set_index("name", drop=False)
    frame["seeds"] = whole["name"].value_counts()
    frame["failed"] = failures(run, phase).reindex(frame.index).fillna(0).astype(int)
    sides = {"val": run.ranking.column, "test": run.tested.column}
    for side, column in sides.items():
        frame[f"{side}_mean"] = whole.groupby("name")[column].mean()
        ends = t_ends(
            whole[column], whole["name"], level=level, percent=run.ranking.unit == PERCENT
        )
        frame[[f"{side}_low", f"{side}_high"]] = ends.reindex(frame.index)
    means = _means(run, phase)
    frame["on_front"] = frame["name"].isin(means.loc[means["on_front"], "name"])
    ascending = [True, lower_is_better(run.ranking), True]
    frame["_survivor"] = frame["failed"] > 0
    order = ["_survivor", "val_mean", "macs"]
    ranked = frame.reset_index(drop=True).sort_values(order, ascending=ascending)
    return ranked[list(COLUMNS)].reset_index(drop=True)


def failures(run: Run, phase: str = "search") -> pd.Series:
    """Number of failed trials per network, by name; networks without any are left out.

    Args:
        run: finished or not.
        phase: "search", or "confirm" for confirmations of the length that is compared
            (`confirmed_epochs`).
    """
    trials = run.counted
    failed = trials["status"].isin(FAILURES) & (trials["phase"] == phase)
    if phase == "confirm":
        failed &= trials["epochs_planned"] == confirmed_epochs(run)
    return trials.loc[failed, "name"].value_counts()


def sound(run: Run, trials: pd.DataFrame) -> pd.DataFrame:
    """Keep the given trials of a run's search whose networks lost no seed.

    What remains of the other networks comes from their better seeds.
    """
    return trials[~trials["name"].isin(failures(run).index)]


def averaged(run: Run) -> pd.DataFrame:
    """One row per network: its dimensions, costs and mean scores over its complete trials.

    Networks with a failed trial in the search are left out: the mean over their remaining seeds
    is too good (`left_out_words` says how many).

    Returns:
        `name`, the dimensions (`present`), `params`, `macs`, `activations`, `val` and `test`
        (the ranking metric on the validation and the test images), `seeds`.
    """
    tuned = run.plan.search.tune.keys if run.plan.search.tune else ()
    free = [SETTINGS[key] for key in run.plan.varied if key not in tuned]
    sides = ["resolution"] if "resolution" in run.trials else []
    keys = ["name", *DIMENSIONS, *sides, *free, "params", "macs", "activations"]
    scores = {run.ranking.column: "val", run.tested.column: "test"}
    groups = sound(run, run.whole()).groupby(keys, sort=False)
    means = groups[list(scores)].mean().rename(columns=scores)
    return means.join(groups.size().rename("seeds")).reset_index()


def present(networks: pd.DataFrame) -> list[str]:
    """The columns of the networks' dimensions and of the settings that vary with them."""
    every = (*DIMENSIONS, "resolution", *SETTINGS.values())
    return [name for name in every if name in networks]


def begun(run: Run) -> int:
    """Number of networks of the search of which a trial has ended after its training began."""
    trials = run.counted
    kept = (trials["phase"] == "search") & ~trials["status"].isin(_NOT_TRIED)
    return int(trials.loc[kept, "name"].nunique())


def left_out_words(*runs: Run) -> tuple[str, ...]:
    """Say how many networks `sound` leaves out, one sentence for each affected run."""
    said = []
    for run in runs:
        lost = int(run.whole()["name"].drop_duplicates().isin(failures(run).index).sum())
        if lost:
            many = f"{lost:,} networks that lost a seed are" if lost > 1 else ""
            of = f" of {run.name}" if len(runs) > 1 else ""
            said.append(
                f"{many or '1 network that lost a seed is'} left out{of}: the mean of the "
                "seeds that are left is too good."
            )
    return tuple(said)


def by_network(run: Run) -> pd.DataFrame:
    """Trials of the search, with all complete trials of a network averaged into one row.

    A front of single trials would contain the luckiest seed of each network, so means are
    drawn. Trials that were stopped early stay as they are.

    Args:
        run: finished or not.

    Returns:
        The columns of `analysis.runs.tables.trials` for trials with a score, in order of rising
        cost. Further columns: `whole` (trained to the end), `on_front` (for complete ones: no
        other dominates it in the objectives of the study), `mean_scale` (over the stages),
        `low` and `high` (of the 95 % t-interval of the ranking metric over the seeds; missing
        where there is none), and, where the network was confirmed, CONFIRMED: its mean over the
        fresh seeds, their interval and number, and the epochs they were trained for; missing
        elsewhere. `attrs["noise"]` is the standard deviation of the ranking metric over seeds,
        pooled over networks; NaN where no network has two.
    """
    trials, ranking = run.counted, run.ranking
    others = trials[(trials["phase"] == "search") & (trials["status"] != "ok")]
    others = others[others[ranking.column].notna()].assign(whole=False, on_front=False)
    whole = _means(run, "search").assign(whole=True)
    rows = pd.concat([frame for frame in (whole, others) if len(frame)] or [whole])
    scales = [_mean(scale) for scale in rows["scale"]]
    order = [run.cost_axis.column, ranking.column, "trial"]
    ascending = [True, lower_is_better(ranking), True]
    rows = rows.assign(mean_scale=pd.Series(scales, index=rows.index, dtype=float))
    of_seeds = networks(run).set_index("name")[["val_low", "val_high"]]
    of_seeds.columns = pd.Index(["low", "high"])
    said = of_seeds.join(_confirmed(run), how="left")
    for column in said:  # missing for trials that were stopped early
        rows[column] = rows["name"].map(said[column]).where(rows["whole"].astype(bool))
    rows = rows.sort_values(order, ascending=ascending).reset_index(drop=True)
    rows.attrs["noise"] = seed_noise(run)
    return rows


def seed_noise(run: Run) -> float:
    """Ranking metric's standard deviation over seeds, pooled over networks; NaN if one each.

    Args:
        run: finished or not; trials that were not trained to their end are ignored.
    """
    groups = run.whole().groupby("name")[run.ranking.column]
    freedom = groups.size() - 1
    squares = (groups.var() * freedom).sum()
    return float(np.sqrt(squares / freedom.sum())) if freedom.sum() else np.nan


def _confirmed(run: Run) -> pd.DataFrame:
    """The columns CONFIRMED of each confirmed network, by name."""
    whole = confirmations(run)
    rows = []
    for _, members in whole.groupby("name"):
        scores, epochs = members[run.ranking.column], int(members["epochs_planned"].iloc[0])
        rows.append((scores.mean(), *_ends(scores, 0.95, run.ranking), len(members), epochs))
    names = sorted(set(whole["name"]))
    return pd.DataFrame(rows, index=pd.Index(names), columns=list(CONFIRMED), dtype=float)


def confirmations(run: Run) -> pd.DataFrame:
    """Complete trials with fresh seeds, of the one length compared: `confirmed_epochs`."""
    whole = run.whole("confirm")
    return whole[whole["epochs_planned"] == confirmed_epochs(run)]


def confirmed_epochs(run: Run) -> int:
    """The length of the confirmations that are compared; see `compared_epochs`.

    Where none was completed, it is the longest that has ended, so that their failures are
    counted; 0 if none has.
    """
    trials = run.counted
    ended = trials[(trials["phase"] == "confirm") & (trials["status"] != "running")]
    seeds = run.plan.confirm.seeds if run.plan.confirm else None
    whole, every = (_lengths(each) for each in (run.whole("confirm"), ended))
    return compared_epochs(whole or every, every, seeds=seeds)


def _lengths(trials: pd.DataFrame) -> list[tuple[str, int]]:
    """Network and planned epochs of each trial."""
    return list(zip(trials["name"], trials["epochs_planned"].astype(int), strict=True))


def _whole(run: Run, phase: str) -> pd.DataFrame:
    return confirmations(run) if phase == "confirm" else run.whole(phase)


def _means(run: Run, phase: str) -> pd.DataFrame:
    """Each network's first complete trial in a phase, with means of the reported metrics."""
    whole = _whole(run, phase)
    scored = (*run.compared, run.ranking, run.tested)  # do not mix means and seeds in a row
    reported = list(dict.fromkeys(one.column for one in scored if one.source == "reported"))
    means = whole.groupby("name", sort=False)[reported].transform("mean")
    merged = whole.assign(**{column: means[column] for column in reported})
    merged = merged.drop_duplicates("name")
    kept = ~merged["name"].isin(failures(run, phase).index)
    front = pd.Series(False, index=merged.index)
    front[kept] = non_dominated(merged[kept], run.compared)
    return merged.assign(on_front=front.to_numpy())


def _mean(scale: object) -> float:
    """The mean of a scale as written in tables: 4, or 1.2.4 for one per stage."""
    numbers = [int(number) for number in str(scale).split(".")]
    return sum(numbers) / len(numbers)


def _ends(scores: pd.Series, level: float, metric: Objective) -> tuple[float, float]:
    """The ends of the interval of a mean over seeds; NaN where there is none."""
    known = scores.dropna()
    if known.empty:
        return np.nan, np.nan
    return t_interval(known, level=level).ends(percent=metric.unit == PERCENT)
