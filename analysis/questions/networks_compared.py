"""Compares the networks of a run by their ranks in each seed, and by effect sizes.

Input: a run whose networks share seeds. Output: mean ranks with groups that do not differ by
Nemenyi's critical difference (Demsar 2006), and effect sizes against the best.
"""

from typing import NamedTuple

import pandas as pd

from analysis.questions.looks import why_untested
from analysis.questions.remedies import for_more_seeds
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.many import MeanRanks, cliques, effect_sizes, mean_ranks

MOST = 30  # networks compared: with more, no diagram is readable


class Compared(NamedTuple):
    """The comparison of networks.

    Attributes:
        table: `name`, `mean` (of the ranking metric over the shared seeds), `rank` (mean over
            seeds), `g`, `low`, `high` and `delta` against the network with the best mean, for
            which they are missing; by rising rank.
        ranks: Friedman's and Nemenyi's results, with networks in the order of their means.
        groups: first and last row in the table of each group of networks that do not differ.
        of: number of networks that have all the shared seeds, whether shown or not.
        left_out: number of networks that lack a seed that most others have.
        untested: why neither the test nor the critical difference is valid; or empty.
    """

    table: pd.DataFrame
    ranks: MeanRanks
    groups: list[tuple[int, int]]
    of: int
    left_out: int
    untested: str = ""


def networks_compared(run: Run, *, level: float = 0.95) -> Compared:
    """Rank the networks of a run for each seed that they share.

    Args:
        run: finished or not; if there are more than 30 networks, the 30 with the best means are
            ranked.
        level: confidence level of the critical difference and of the intervals.

    Raises:
        RunError: fewer than two networks share two or more seeds; states what to do.
    """
    table, left_out = _shared(run)
    networks, seeds = table.shape
    if networks < 2 or seeds < 2:
        raise RunError(
            f"{run.folder}: {networks} network(s) share {seeds} seed(s), and ranks over seeds "
            f"take two networks and two seeds or more; {for_more_seeds(run)}"
        )
    lost = losses(run.ranking, table.mean(axis=1)).sort_values(kind="stable")
    shown = table.loc[lost.index[:MOST]]
    errors = shown.apply(lambda column: losses(run.ranking, column)).to_numpy()
    ranks = mean_ranks(errors, level=level)
    frame = effect_sizes(errors, level=level).assign(
        name=shown.index, mean=shown.mean(axis=1).to_numpy(), rank=ranks.ranks
    )
    frame = frame.sort_values("rank", kind="stable", ignore_index=True)
    return Compared(
        frame, ranks, cliques(frame["rank"], ranks.distance), networks, left_out,
        untested=why_untested(run),
    )  # fmt: skip


def _shared(run: Run) -> tuple[pd.DataFrame, int]:
    """Scores by network and shared seed, without gaps; and how many networks are left out."""
    whole = run.whole().drop_duplicates(["name", "seed"])
    table = whole.pivot_table(
        index="name", columns="seed", values=run.ranking.column, sort=False
    )
    common = table.loc[:, table.notna().mean() > 0.5]
    kept = common.dropna()
    return kept, len(table) - len(kept)
