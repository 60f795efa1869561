"""Computes where good networks lie in each dimension of a space.

Input: a run whose networks are a sample of the space. Output: RegNet's range of the best for
numbers; for categories, such as one scale per stage, how often the best has each.
"""

import pandas as pd

from analysis.questions.distribution import best_ranges
from analysis.runs.networks import averaged, present
from analysis.runs.run import Run
from analysis.runs.scores import losses
from analysis.statistics.resampling import best_shares

COLUMNS = ("dimension", "value", "networks", "share", "low", "median", "high", "from", "to")


def best_by_dimension(run: Run) -> pd.DataFrame:
    """Find where the best networks of random quarters lie in each dimension that varied.

    Args:
        run: a run whose networks are a sample of the space; a network's seeds are averaged.

    Returns:
        COLUMNS. Each numeric dimension has a row with `low`, `median` and `high` as in
        `best_ranges`, and the sampled range, `from` and `to`. Each categorical dimension has a
        row per value, with `share`: how often the best has it, the most frequent first.
        `networks` is the number of networks with that value; what does not apply is missing.

    Raises:
        RunError: the networks are not a sample of the space; states the reason.
    """
    ranges = best_ranges(run).set_index("dimension")
    networks = averaged(run)
    found = [pd.DataFrame(columns=list(COLUMNS))]
    for name in varied(networks):
        if name in ranges.index:
            row = ranges.loc[name].to_dict() | {"dimension": name, "networks": len(networks)}
            found.append(pd.DataFrame([row]))
        else:
            found.append(_categories(run, networks, name))
    frame = pd.concat([one for one in found if len(one)] or found, ignore_index=True)
    return frame.reindex(columns=list(COLUMNS))


def varied(networks: pd.DataFrame) -> list[str]:
    """The dimensions in which networks (`analysis.runs.networks.averaged`) differ."""
    return [name for name in present(networks) if len(networks[name].unique()) > 1]


def _categories(run: Run, networks: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows for a categorical dimension; values are compared as written, such as 4 and 1.2.4."""
    won = best_shares(losses(run.ranking, networks["val"]))
    groups = pd.Series(won).groupby(networks[name].astype(str).to_numpy())
    frame = groups.agg(networks="count", share="sum").rename_axis("value").reset_index()
    frame = frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    return frame.assign(dimension=name)
