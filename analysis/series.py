"""One dimension at a time from a common base: the tables of the paper's Fig. 5.

Goes in: a run whose sampler was `axes`, or any whose networks differ so. Come out: its
networks by series, their precision over seeds, scale compared with the other dimensions at
equal size, and what that says in words.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs import Run, RunError
from analysis.statistics import Comparison, holm, paired, t_interval
from res2net import Architecture
from res2net.published import published

DIMENSIONS = ("scale", "cardinality", "depth", "width")
BASE = "base"
_LETTERS = {"scale": "s", "cardinality": "c", "depth": "d", "width": "w"}
_SIGNIFICANT = 0.05
_BEYOND = 1.05  # times the largest of the other series: there its last network is read


def points(run: Run) -> pd.DataFrame:
    """One row for each whole trial on an axis, with its series.

    Args:
        run: finished or not; trials that were not trained to their end are left aside.

    Returns:
        Columns `series` (of DIMENSIONS, or "base"), `value` of that dimension, `multiplier`
        of the base's (by blocks where it is depth), `label`, `name`, `params`, `macs`,
        `repeat`, `seed`, `precision_pct` on the test images, `error_pct`, and `epochs`,
        `recipe` and `data`, which trials of one law must share.

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
    frame = pd.DataFrame(rows).assign(
        epochs=on_axis["epochs"].to_numpy(dtype=int), recipe=run.recipe, data=run.data
    )
    return frame.sort_values(["series", "params", "repeat"]).reset_index(drop=True)


def base(run: Run) -> dict[str, Any]:
    """The value of each dimension where the axes meet, as tables write it.

    Without the dimension that is solved for the budget, if one is.
    """
    network, given = run.config["network"], run.config["search"].get("base") or {}
    origin: dict[str, Any] = {}
    for key in DIMENSIONS:
        listed, value = network[key], given.get(key)
        if key == run.config["search"].get("solve") or listed == "fill":
            continue
        value = listed[0] if value is None and isinstance(listed, list) else value
        origin[key] = ".".join(map(str, value)) if isinstance(value, list) else value
    if "depth" in origin:
        skeleton, own = re.fullmatch(r"(.*?)(\d*)", network["skeleton"][0]).groups()  # type: ignore[union-attr]  # matches all
        depth = given.get("depth") or (network["depth"] or [int(own or 0)])[0]
        blocks = tuple(depth) if isinstance(depth, list) else depth
        origin["depth"] = Architecture(skeleton=skeleton, depth=blocks).layers
    return origin


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
    for keys, members in points.groupby(list(_OF_A_NETWORK), sort=False):
        interval = t_interval(members["precision_pct"], level=level)
        rows.append(
            dict(zip(_OF_A_NETWORK, keys, strict=True))
            | {"seeds": interval.n, "mean": interval.estimate}
            | {"low": interval.low, "high": interval.high}
        )
    frame = pd.DataFrame(rows)
    frame[["low", "high"]] = frame[["low", "high"]].astype(float)
    return frame.sort_values(["series", "params"]).reset_index(drop=True)


def comparisons(
    points: pd.DataFrame, *, size: str = "params", of: str = "scale", level: float = 0.95
) -> pd.DataFrame:
    """A dimension against each other one at equal size, paired by seed.

    For each network of the series `of`, the other series is read at the same size: on the
    straight line, in the logarithm of size, between its two networks around it (the base is
    one of each series); where the other has no network as large, there is no row. That is
    done seed by seed, since networks share seeds; seeds that are not complete are left out.

    Args:
        points: from `points`.
        size: "params" or "macs": what is held equal.
        of: the dimension that is compared with the others.
        level: of the intervals.

    Returns:
        A row for each network and other series, and one, labelled "all sizes", for the mean
        over the networks of each: `against`, `label`, `size`, `seeds`, `difference` (points
        of precision), `low`, `high`, `p`, and `p_holm`, corrected within single networks and
        within the means. NaN where one seed says nothing of chance.
    """
    rows = []
    for against in (name for name in DIMENSIONS if name != of):
        differences = _differences(points, of, against, size=size)
        if differences.empty:  # also where no seed is complete
            continue
        differences[ALL_SIZES] = differences.mean(axis=1)
        for label, column in differences.items():
            tested = paired(column, np.zeros(len(column)), level=level)
            rows.append({"against": against, "label": label, "size": size, **_numbers(tested)})
    frame = pd.DataFrame(rows, columns=list(_COMPARED))
    frame["p_holm"] = np.nan
    means = frame["label"].to_numpy() == ALL_SIZES
    for family in (means, ~means):
        tested = family & frame["p"].notna().to_numpy()
        frame.loc[tested, "p_holm"] = holm(frame.loc[tested, "p"].tolist())
    return frame


def conclusion(compared: pd.DataFrame, *, of: str = "scale", size: str = "params") -> list[str]:
    """What the comparisons say, in words, one sentence for each other dimension.

    Args:
        compared: from `comparisons`.
        of: the dimension that was compared.
        size: what was held equal.
    """
    alike = {"params": "parameters", "macs": "multiply-adds"}[size]
    means = compared[compared["label"] == ALL_SIZES]
    if means.empty:
        return [f"There is no other dimension to compare {of} with at equal {alike}."]
    return [_sentence(row, of, alike, compared) for row in _records(means)]


def printed(points: pd.DataFrame) -> pd.DataFrame:
    """The paper's precision of those of the networks that it printed one for (Table 4)."""
    known: dict[str, float] = {
        row.architecture.name: 100 - row.top1_error
        for row in published()
        if row.architecture.skeleton == "cifar" and row.top1_error is not None
    }
    networks = points.drop_duplicates("name")
    names = [name.removesuffix("_10classes") for name in networks["name"]]
    precision = [known.get(f"{name}_10classes", np.nan) for name in names]
    shown = networks.assign(precision_pct=precision)
    return shown[shown["precision_pct"].notna()].reset_index(drop=True)


ALL_SIZES = "all sizes"
_OF_A_NETWORK = ("series", "label", "value", "multiplier", "name", "params", "macs")
_COMPARED = ("against", "label", "size", "seeds", "difference", "low", "high", "p")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _point(trial: dict[str, Any], origin: dict[str, Any]) -> dict[str, Any]:
    away = (key for key in origin if str(trial[key]) != str(origin[key]))
    series = next(away, BASE)
    value = trial[series] if series != BASE else 1
    label = f"{value}{_LETTERS[series]}" if series != BASE else _label(origin)
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
    if not isinstance(value, int) or not isinstance(base, int):
        return float("nan")
    return (value - 2) / (base - 2) if series == "depth" else value / base


def _differences(points: pd.DataFrame, of: str, against: str, *, size: str) -> pd.DataFrame:
    """Precision less that of the other series at the same size: repeats by labels."""
    both = points[points["series"].isin([of, against, BASE])]
    networks = both.drop_duplicates("name").set_index("name").sort_values(size)
    others = networks[networks["series"] != of]
    mine = networks[networks["series"] == of]
    mine = mine[mine[size].between(others[size].min(), others[size].max() * _BEYOND)]
    if len(others) < 2 or mine.empty:
        return pd.DataFrame()
    by_seed = both.pivot_table(index="repeat", columns="name", values="precision_pct").dropna()
    sizes, at = np.log(others[size]), np.log(mine[size])
    read = [np.interp(at, sizes, row) for row in by_seed[others.index].to_numpy()]
    values = by_seed[mine.index].to_numpy() - np.array(read).reshape(-1, len(mine))
    return pd.DataFrame(values, index=by_seed.index, columns=mine["label"].tolist())


def _numbers(tested: Comparison) -> dict[str, Any]:
    interval = tested.difference
    return {
        "seeds": interval.n,
        "difference": interval.estimate,
        "low": np.nan if interval.low is None else interval.low,
        "high": np.nan if interval.high is None else interval.high,
        "p": np.nan if tested.p is None else tested.p,
    }


def _sentence(row: dict[str, Any], of: str, alike: str, compared: pd.DataFrame) -> str:
    against, seeds, difference = row["against"], row["seeds"], row["difference"]
    measured = f"{difference:+.2f} points of precision on average"
    where = f"At equal {alike}, {of} against {against}"
    if np.isnan(row["p_holm"]):
        return f"{where}: {measured}, of {seeds} seed: no interval, so it shows nothing yet."
    shown = row["p_holm"] < _SIGNIFICANT
    word = "buys more" if difference > 0 else "buys less"
    interval = f"95 % interval {row['low']:+.2f} to {row['high']:+.2f}, {seeds} seeds"
    says = f"the data show that {of} {word}" if shown else "the data do not show a difference"
    single = compared[(compared["against"] == against) & (compared["label"] != ALL_SIZES)]
    clear = int((single["p_holm"] < _SIGNIFICANT).sum())
    return (
        f"{where}: {says}: {measured} ({interval}, p {row['p_holm']:.3f} after Holm); "
        f"{clear} of its {len(single)} networks differ clearly by themselves."
    )
