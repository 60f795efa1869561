"""Compares dimensions at equal size, paired by seed, and says in words what came out.

Goes in: the points of a run along axes (`analysis.questions.series`). Comes out: for each
network of one series how far its score is from that of the other series at its size, with
intervals and tests, and a sentence for each pair of dimensions.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.runs.scores import Score
from analysis.statistics.intervals import SIGNIFICANT, Comparison, holm, paired
from search.design.contrasts import BASE, DIMENSIONS

ALL_SIZES = "all sizes"
_DEGREE = 3  # of the curve through the other series
_BEYOND = 1.05  # times the other's largest: the curve is read so far, and no farther
_COMPARED = ("against", "label", "size", "seeds", "difference", "low", "high", "p")


def comparisons(
    points: pd.DataFrame, *, size: str = "params", of: str = "scale", level: float = 0.95
) -> pd.DataFrame:
    """A dimension against each other one at equal size, paired by seed.

    For each network of the series `of`, the other series is read at the same size, on the
    cubic in the logarithm of size that lies nearest to its networks (the base is one of each
    series). Straight lines between two of them would lie below a curve that flattens, and
    give `of` what is missing. Where the other has no network as large (within 5 %), there is
    no row. That is done seed by seed, since networks share seeds. Networks with a trial that
    failed are left out, and so are seeds that are not complete.

    Args:
        points: from `points`.
        size: "params" or "macs": what is held equal.
        of: the dimension that is compared with the others.
        level: of the intervals.

    Returns:
        A row for each network and other series, and one, labelled "all sizes", for the mean
        over the networks of each: `against`, `label`, `size`, `seeds`, `difference` of the
        scores, `low`, `high`, `p`, and `p_holm`, corrected within single networks and
        within the means. NaN where one seed says nothing of chance. `attrs["left_out"]` has
        the series that could not be compared, each with the reason.
    """
    rows: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    for against in (name for name in DIMENSIONS if name != of):
        differences = _differences(points, of, against, size=size)
        if differences.empty:
            if against in set(points["series"]):
                left_out[against] = _why_not(points, of, against, size=size)
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
    frame.attrs["left_out"] = left_out
    return frame


def _why_not(points: pd.DataFrame, of: str, against: str, *, size: str) -> str:
    """Why two series could not be compared."""
    sizes = [points[points["series"].isin(names)][size] for names in ([of], [against, BASE])]
    if sizes[0].empty:
        return f"there is no network along {of}"
    if sizes[0].min() > sizes[1].max() * _BEYOND or sizes[0].max() < sizes[1].min():
        return "their sizes do not overlap"
    return "no seed is complete, or their networks failed"


def conclusion(
    compared: pd.DataFrame, score: Score, *, of: str = "scale", size: str = "params"
) -> list[str]:
    """What the comparisons say, in words, one sentence for each other dimension.

    Args:
        compared: from `comparisons`.
        score: what was compared: `run.score`.
        of: the dimension that was compared.
        size: what was held equal.
    """
    alike = {"params": "parameters", "macs": "multiply-adds"}[size]
    means = compared[compared["label"] == ALL_SIZES]
    left_out = [
        f"At equal {alike}, {of} could not be compared with {name}: {reason}."
        for name, reason in compared.attrs.get("left_out", {}).items()
    ]
    if means.empty and not left_out:
        return [f"There is no other dimension to compare {of} with at equal {alike}."]
    said = []
    for row in means.to_dict("records"):
        single = compared[compared["against"] == row["against"]]
        single = single[single["label"] != ALL_SIZES]
        where = f"At equal {alike}, {of} against {row['against']}"
        named = {str(key): value for key, value in row.items()}
        said.append(f"{where}: {_sentence(named, single, score, of=of)}")
    return left_out + said


def _differences(points: pd.DataFrame, of: str, against: str, *, size: str) -> pd.DataFrame:
    """Scores less those of the other series at the same size: repeats by labels."""
    both = points[points["series"].isin([of, against, BASE]) & (points["failed"] == 0)]
    networks = both.drop_duplicates("name").set_index("name").sort_values(size)
    others = networks[networks["series"] != of]
    mine = networks[networks["series"] == of]
    mine = mine[mine[size].between(others[size].min(), others[size].max() * _BEYOND)]
    if len(others) < 2 or mine.empty:
        return pd.DataFrame()
    by_seed = both.pivot_table(index="repeat", columns="name", values="score").dropna()
    reading = _reading(np.log(others[size].to_numpy()), np.log(mine[size].to_numpy()))
    read = by_seed[others.index].to_numpy() @ reading.T
    values = by_seed[mine.index].to_numpy() - read
    return pd.DataFrame(values, index=by_seed.index, columns=mine["label"].tolist())


def _reading(
    sizes: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(at, sizes): what each measured score weighs in what is read at each place."""
    middle, degree = sizes.mean(), min(_DEGREE, len(sizes) - 1)
    through = np.vander(sizes - middle, degree + 1)
    weights: npt.NDArray[np.float64] = np.vander(at - middle, degree + 1) @ np.linalg.pinv(
        through
    )
    return weights


def _numbers(tested: Comparison) -> dict[str, Any]:
    interval = tested.difference
    return {
        "seeds": interval.n,
        "difference": interval.estimate,
        "low": np.nan if interval.low is None else interval.low,
        "high": np.nan if interval.high is None else interval.high,
        "p": np.nan if tested.p is None else tested.p,
    }


def _sentence(row: dict[str, Any], single: pd.DataFrame, score: Score, *, of: str) -> str:
    seeds, difference = row["seeds"], row["difference"]
    networks = f"{len(single)} network{'s' * (len(single) != 1)}"
    measured = f"{difference:+.2f} {score.difference}, the mean of {networks}"
    if seeds == 1:
        return f"{measured}, of 1 seed: no interval, so it shows nothing yet."
    if np.isnan(row["p_holm"]):
        return f"{measured}, the same in all {seeds} seeds: no interval."
    shown = row["p_holm"] < SIGNIFICANT
    word = "buys more" if (difference > 0) == score.more_is_better else "buys less"
    p = "p < 0.001" if row["p_holm"] < 0.001 else f"p {row['p_holm']:.3f}"
    interval = f"95 % interval {row['low']:+.2f} to {row['high']:+.2f}, {seeds} seeds"
    says = f"the data show that {of} {word}" if shown else "the data do not show a difference"
    clear = int((single["p_holm"] < SIGNIFICANT).sum())
    alone = "differs clearly by itself" if clear == 1 else "differ clearly by themselves"
    return (
        f"{says}: {measured} ({interval}, {p} after Holm); {clear} of the {networks} {alone}."
    )
