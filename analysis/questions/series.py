"""Collects series of one dimension at a time from a common base, as in the paper's Fig. 5.

Input: a run whose sampler has the trait `axes`. Output: its networks by series, and their test
scores over seeds. `analysis.questions.equal_size` compares the series.
"""

from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.depths import depths
from analysis.runs.networks import failures
from analysis.runs.run import Run, RunError
from analysis.runs.scores import is_percent_error
from analysis.statistics.intervals import pooled_interval, t_interval
from analysis.statistics.spreads import spread_alike
from res2net import Architecture
from res2net.architecture import written
from res2net.published import published
from search.design.contrasts import BASE, DIMENSIONS
from search.schema.metrics import PERCENT

_LETTERS = {"scale": "s", "cardinality": "c", "depth": "d", "width": "w"}
_OF_A_NETWORK = ("series", "label", "value", "multiplier", "name", "params", "macs")


def points(run: Run) -> pd.DataFrame:
    """One row for each complete trial on an axis, with its series.

    Args:
        run: finished or not; trials that were not trained to their end are ignored.

    Returns:
        Columns `series` (one of DIMENSIONS, or "base"), `value` of that dimension, `multiplier`
        relative to the base (in blocks for depth), `label`, `name`, `params`, `macs`, `repeat`,
        `seed`; `metric`, the ranking metric on the test images, and `score`, as it is shown
        (`run.score`: an error in percent as accuracy); `failed`: number of failed trials of
        this network; and `epochs`, `recipe` and `data`, which trials of one law must share.
        Series of other skeletons or with squeeze-and-excitation are named after these.
        `attrs["unit"]` is the unit of the score, `attrs["varied"]` is what varied among all
        networks that were tried, including those without a complete trial.

    Raises:
        RunError: the run has no base, or no trial of its base was trained to its end.
    """
    origin = base(run)
    whole = _with_depths(run, run.whole())
    whole = whole[whole[run.tested.column].notna()]
    away = pd.DataFrame(
        {key: whole[key].astype(str) != str(value) for key, value in origin.items()}
    )
    on_axis = whole[away.sum(axis=1) <= 1]
    if on_axis.empty or not (~away).all(axis=1).any():
        said = ", ".join(f"{key} {value}" for key, value in origin.items())
        remedy = "its trials failed" if run.finished else "let the run go on"
        raise RunError(
            f"{run.folder}: no trial of the base network ({said}) was trained to its end, so "
            f"no dimension can be counted from it; {remedy}"
        )
    scored = on_axis.assign(
        metric=on_axis[run.tested.column], score=run.score.of(on_axis[run.tested.column])
    )
    layers = int(whole.loc[(~away).all(axis=1), "layers"].iloc[0])
    rows = [_point(trial, origin, layers) for trial in _records(scored)]
    lost = failures(run)
    frame = pd.DataFrame(rows).assign(
        epochs=on_axis["epochs"].to_numpy(dtype=int), recipe=run.recipe, data=run.data
    )
    frame["failed"] = frame["name"].map(lost).fillna(0).astype(int)
    ordered = frame.sort_values(["series", "params", "repeat"]).reset_index(drop=True)
    ordered.attrs |= {"unit": run.score.unit, "varied": _varied(run, origin)}
    return ordered


def _varied(run: Run, origin: dict[str, Any]) -> tuple[str, ...]:
    tried = _with_depths(run, run.trials[run.trials["phase"] == "search"])
    return tuple(key for key in origin if (tried[key].astype(str) != str(origin[key])).any())


def _with_depths(run: Run, trials: pd.DataFrame) -> pd.DataFrame:
    """Trials with `depth` as names write it, which tells stages apart, and `layers`."""
    named = {name: _shown(depth) for name, depth in depths(run).items()}
    return trials.assign(layers=trials["depth"], depth=trials["name"].map(named))


def is_along_axes(run: Run) -> bool:
    """Whether a run has a base from which one dimension varies at a time."""
    return "axes" in run.manifest.sampler_traits


def base(run: Run) -> dict[str, Any]:
    """The value of each dimension at the base, where the axes meet, as written in tables.

    Excludes the dimension that is solved for the budget, if any.

    Raises:
        RunError: the run's sampler has no base.
    """
    base = run.plan.search.base
    given = base.model_dump(exclude_none=True)
    if not is_along_axes(run) or "skeleton" not in given:
        raise RunError(
            f"{run.folder}: its sampler ({run.plan.search.sampler.name}) lacks the trait axes, "
            "so there is no base to count dimensions from; run the space with sampler: axes"
        )
    depth = given.pop("depth", None)
    keys = ("skeleton", *DIMENSIONS, "se", "planes", "resolution")
    values = {key: _shown(given[key]) for key in keys if key in given}
    if depth is None:
        return values
    network = Architecture(skeleton=given["skeleton"], depth=depth)
    return values | {"depth": _shown(network.depth)}


def _shown(value: Any) -> Any:
    """Convert a value as in tables: a single number where the stages are equal."""
    return written(value) if isinstance(value, tuple) else value


def summary(points: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The test score of each network over its seeds.

    Args:
        points: from `points`.
        level: confidence level of the intervals over seeds.

    Returns:
        One row per network: `series`, `label`, `value`, `multiplier`, `name`, `params`, `macs`,
        `seeds`, `mean`, and `low` and `high`, which are NaN where nothing is known about
        chance. Networks with equal spreads share one spread (`attrs["pooled"]`): alone, a
        network with three seeds has an interval whose width is as random as its centre.
    """
    groups = [
        (dict(zip(_OF_A_NETWORK, keys, strict=True)), members["score"].to_numpy(dtype=float))
        for keys, members in points.groupby(list(_OF_A_NETWORK), sort=False, dropna=False)
    ]
    pooled = spread_alike([scores for _, scores in groups])
    scores = [row for _, row in groups]
    intervals = (
        pooled_interval(scores, level=level)
        if pooled
        else [t_interval(row, level=level) for row in scores]
    )
    percent = points.attrs.get("unit") == PERCENT
    rows = [
        network
        | {"seeds": one.n, "mean": one.estimate}
        | dict(zip(("low", "high"), one.ends(percent=percent), strict=True))
        for (network, _), one in zip(groups, intervals, strict=True)
    ]
    frame = pd.DataFrame(rows).sort_values(["series", "params"]).reset_index(drop=True)
    frame.attrs["pooled"] = pooled
    return frame


def printed(run: Run, points: pd.DataFrame) -> pd.DataFrame:
    """The accuracies that the paper prints for some of the networks (Table 4).

    Args:
        run: only runs on CIFAR-100 that report an error have printed values.
        points: from `points`.
    """
    known: dict[str, float] = {
        row.architecture.name: 100 - row.top1_error
        for row in published()
        if row.architecture.skeleton == "cifar" and row.top1_error is not None
    }
    alike = run.plan.data.name == "cifar100" and is_percent_error(run.ranking)
    networks = points.drop_duplicates("name")
    names = [name.removesuffix("_10classes") for name in networks["name"]]
    scores = [known.get(f"{name}_10classes", np.nan) if alike else np.nan for name in names]
    shown = networks.assign(score=scores)
    return shown[shown["score"].notna()].reset_index(drop=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _point(trial: dict[str, Any], origin: dict[str, Any], layers: int) -> dict[str, Any]:
    away = (key for key in origin if str(trial[key]) != str(origin[key]))
    series = next(away, BASE)
    value = trial[series] if series != BASE else 1
    label = f"{value}{_LETTERS.get(series, '')}" if series != BASE else _label(origin)
    return {
        "series": series,
        "label": label,
        "value": value,
        "multiplier": _multiplier(trial, origin, series, layers),
        **{key: trial[key] for key in ("name", "params", "macs", "repeat", "seed")},
        **{key: trial[key] for key in ("metric", "score")},
    }


def _label(origin: dict[str, Any]) -> str:
    shown = ("depth", "cardinality", "width", "scale")
    return "-".join(f"{origin[key]}{_LETTERS[key]}" for key in shown if key in origin)


def _multiplier(
    trial: dict[str, Any], origin: dict[str, Any], series: str, layers: int
) -> float:
    """Multiple of the base's value; for depth, two of the base's layers are not in blocks."""
    if series == BASE:
        return 1.0
    if series == "depth":  # other blocks of equally many layers are no multiple of the base
        same = trial["layers"] == layers
        return float("nan") if same else float((trial["layers"] - 2) / (layers - 2))
    value, base = trial[series], origin[series]
    numbers = isinstance(value, int) and isinstance(base, int)
    return float(value / base) if series in DIMENSIONS and numbers else float("nan")
