"""One dimension at a time from a common base: the tables of the paper's Fig. 5.

Goes in: a run whose sampler was `axes`, or any whose networks differ so. Come out: its
networks by series, and their precision over seeds. `analysis.questions.equal_size` compares
the series.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.run import FAILURES, Run, RunError
from analysis.statistics.intervals import t_interval
from res2net import Architecture
from res2net.published import published
from res2net.skeletons import skeleton_of

DIMENSIONS = ("scale", "cardinality", "depth", "width")
BASE = "base"
_LETTERS = {"scale": "s", "cardinality": "c", "depth": "d", "width": "w"}


def points(run: Run) -> pd.DataFrame:
    """One row for each whole trial on an axis, with its series.

    Args:
        run: finished or not; trials that were not trained to their end are left aside.

    Returns:
        Columns `series` (of DIMENSIONS, or "base"), `value` of that dimension, `multiplier`
        of the base's (by blocks where it is depth), `label`, `name`, `params`, `macs`,
        `repeat`, `seed`, `precision_pct` on the test images, `error_pct`; `failed`: trials of
        this network that failed; and `epochs`, `recipe` and `data`, which trials of one law
        must share. Series of other skeletons or with squeeze-and-excitation are named so.

    Raises:
        RunError: no network was trained to its end, or the base was not.
    """
    whole = run.whole()
    origin = base(run)
    away = pd.DataFrame(
        {key: whole[key].astype(str) != str(value) for key, value in origin.items()}
    )
    on_axis = whole[away.sum(axis=1) <= 1]
    if on_axis.empty or not (~away).all(axis=1).any():
        said = ", ".join(f"{key} {value}" for key, value in origin.items())
        raise RunError(
            f"{run.folder}: no trial of the base network ({said}) has ended, so no dimension "
            "can be counted from it; let the run go on"
        )
    rows = [_point(trial, origin) for trial in _records(on_axis)]
    failures = run.trials.loc[run.trials["status"].isin(FAILURES), "name"].value_counts()
    frame = pd.DataFrame(rows).assign(
        epochs=on_axis["epochs"].to_numpy(dtype=int), recipe=run.recipe, data=run.data
    )
    frame["failed"] = frame["name"].map(failures).fillna(0).astype(int)
    return frame.sort_values(["series", "params", "repeat"]).reset_index(drop=True)


def base(run: Run) -> dict[str, Any]:
    """The value of each dimension where the axes meet, as tables write it.

    Without the dimension that is solved for the budget, if one is.
    """
    network, search = run.config["network"], run.config["search"]
    given = search.get("base") or {}
    skeleton, own = re.fullmatch(r"(.*?)(\d*)", network["skeleton"][0]).groups()  # type: ignore[union-attr]  # matches all
    skeleton = given.get("skeleton") or skeleton
    stages = len(skeleton_of(skeleton).stages)
    origin: dict[str, Any] = {"skeleton": skeleton}
    for key in (*DIMENSIONS, "se"):
        if key == search.get("solve") or network[key] == "fill":
            continue
        value = given.get(key)
        origin[key] = _first(network[key], stages) if value is None else value
    if "depth" in origin:
        depth = origin["depth"] or int(own or 0)
        blocks = tuple(depth) if isinstance(depth, list) else depth
        origin["depth"] = Architecture(skeleton=skeleton, depth=blocks).layers
    return {key: _written(value) for key, value in origin.items()}


def _first(listed: Any, stages: int) -> Any:
    """The first value that a space file lists; of {per_stage: ...} the first in every stage."""
    if isinstance(listed, dict):
        return [listed["per_stage"][0]] * stages
    return listed[0] if listed else None


def _written(value: Any) -> Any:
    """As tables write it: one number where the stages are alike."""
    if not isinstance(value, list):
        return value
    return value[0] if len(set(value)) == 1 else ".".join(map(str, value))


def summary(points: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Precision of each network over its seeds.

    Args:
        points: from `points`.
        level: of the t-intervals over seeds.

    Returns:
        A row a network: `series`, `label`, `value`, `multiplier`, `name`, `params`, `macs`,
        `seeds`, `mean`, and `low` and `high`, which are NaN where one seed says nothing of
        chance.
    """
    rows = []
    for keys, members in points.groupby(list(_OF_A_NETWORK), sort=False, dropna=False):
        interval = t_interval(members["precision_pct"], level=level)
        rows.append(
            dict(zip(_OF_A_NETWORK, keys, strict=True))
            | {"seeds": interval.n, "mean": interval.estimate}
            | {"low": interval.low, "high": interval.high}
        )
    frame = pd.DataFrame(rows)
    frame[["low", "high"]] = frame[["low", "high"]].astype(float)
    return frame.sort_values(["series", "params"]).reset_index(drop=True)


def printed(run: Run, points: pd.DataFrame) -> pd.DataFrame:
    """The paper's precision of those of the networks that it printed one for (Table 4).

    Args:
        run: none but those on CIFAR-100 have any.
        points: from `points`.
    """
    known: dict[str, float] = {
        row.architecture.name: 100 - row.top1_error
        for row in published()
        if row.architecture.skeleton == "cifar" and row.top1_error is not None
    }
    known = known if run.config["data"]["name"] == "cifar100" else {}
    networks = points.drop_duplicates("name")
    names = [name.removesuffix("_10classes") for name in networks["name"]]
    precision = [known.get(f"{name}_10classes", np.nan) for name in names]
    shown = networks.assign(precision_pct=precision)
    return shown[shown["precision_pct"].notna()].reset_index(drop=True)


_OF_A_NETWORK = ("series", "label", "value", "multiplier", "name", "params", "macs")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _point(trial: dict[str, Any], origin: dict[str, Any]) -> dict[str, Any]:
    away = (key for key in origin if str(trial[key]) != str(origin[key]))
    series = next(away, BASE)
    value = trial[series] if series != BASE else 1
    label = f"{value}{_LETTERS.get(series, '')}" if series != BASE else _label(origin)
    return {
        "series": series,
        "label": label,
        "value": value,
        "multiplier": _multiplier(value, origin[series], series) if series != BASE else 1.0,
        **{key: trial[key] for key in ("name", "params", "macs", "repeat", "seed")},
        "precision_pct": 100 - trial["test_error_pct"],
        "error_pct": trial["test_error_pct"],
    }


def _label(origin: dict[str, Any]) -> str:
    shown = ("depth", "cardinality", "width", "scale")
    return "-".join(f"{origin[key]}{_LETTERS[key]}" for key in shown if key in origin)


def _multiplier(value: Any, base: Any, series: str) -> float:
    """Of the base's value; layers are two beside the blocks."""
    numbers = isinstance(value, int) and isinstance(base, int)
    if series not in DIMENSIONS or not numbers:
        return float("nan")
    return float((value - 2) / (base - 2) if series == "depth" else value / base)
