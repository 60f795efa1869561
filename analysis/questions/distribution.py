"""Computes score distributions of the networks of a space, and where the best ones lie.

Input: a run whose networks are a sample of the space. Output: the share of them that is at
least as good as each score, plain and normalised by complexity (Radosavovic et al. 2019 and
2020), with bands; and the dimensions of the best.
"""

import numpy as np
import pandas as pd

from analysis.questions.remedies import for_more_networks
from analysis.questions.sampling import is_whole, no_sample
from analysis.runs.networks import averaged, present
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.complexity import bootstrap_band, neighbours
from analysis.statistics.edf import complexity_bins, dkw_band, edf
from analysis.statistics.intervals import StatisticsError
from analysis.statistics.resampling import best_range

_FEWEST = 2
_FEWEST_QUARTERED = 8  # of fewer, a random quarter is one network, so no score would count
_MOST_STEPS = 200  # of a curve: more cannot be distinguished


def distributions(run: Run, *, rng: np.random.Generator) -> pd.DataFrame:
    """The distribution of the ranking metric, as sampled and as if complexity were uniform.

    Args:
        run: a run whose networks are a sample of the space.
        rng: draws the band of the normalised distribution.

    Returns:
        Columns `kind` ("as sampled", with Dvoretzky, Kiefer and Wolfowitz's band, or
        "multiply-adds uniform", with a bootstrapped one), `value` of the ranking metric,
        `fraction` of the networks that are at least as good, `low`, `high`. There is only the
        first kind if there are too few networks for bins of complexity. Networks without a
        complete trial are not included. There is no band where every candidate of the space
        was tried, because then nothing is left to the luck of the sample.

    Raises:
        RunError: the networks are not a sample of the space; states the reason.
    """
    networks = _sampled(run)
    errors = losses(run.ranking, networks["val"]).to_numpy(dtype=float)
    if len(errors) < _FEWEST:
        return pd.DataFrame(columns=["kind", "value", "fraction", "low", "high"])
    half, plain = dkw_band(len(errors)), edf(errors)
    plain = plain.assign(
        kind="as sampled",
        low=(plain["fraction"] - half).clip(lower=0),
        high=(plain["fraction"] + half).clip(upper=1),
    )
    try:
        macs = networks["macs"].to_numpy(dtype=float)
        complexity_bins([macs])  # raises if sizes do not vary or networks are too few
        strata = neighbours(macs)
        normal = bootstrap_band(errors, rng=rng, bins=strata.places, weights=strata.weights)
        normal = normal.assign(kind="multiply-adds uniform")
        both = pd.concat([plain, normal], ignore_index=True)
    except StatisticsError:
        both = plain
    if is_whole(run):
        both = both.assign(low=float("nan"), high=float("nan"))
    return both.assign(value=losses(run.ranking, both["error"])).drop(columns="error")


def thinned(distributions: pd.DataFrame) -> pd.DataFrame:
    """Keep at most 200 evenly spaced rows of each kind, including the first and the last."""
    kept = []
    for _, rows in distributions.groupby("kind", sort=False):
        places = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_STEPS)).round()
        kept.append(rows.iloc[places.astype(int)])
    return pd.concat(kept, ignore_index=True) if kept else distributions


def best_ranges(run: Run) -> pd.DataFrame:
    """The range of each dimension of the best networks (RegNet's empirical bootstrap).

    Args:
        run: a run whose networks are a sample of the space.

    Returns:
        One row for each numeric dimension that varied, and for MACs and parameters:
        `dimension`, `low`, `median`, `high` (2.5, 50 and 97.5 % percentiles of the best of
        random quarters), and `from` and `to`: the sampled range.

    Raises:
        RunError: as for `distributions`, or there are fewer than eight networks.
    """
    networks = _sampled(run)
    if len(networks) < _FEWEST_QUARTERED:
        raise RunError(
            f"{run.folder}: {len(networks)} network(s) were trained whole and lost no seed; a "
            f"quarter of fewer than {_FEWEST_QUARTERED} is a single one, whatever its score; "
            f"{for_more_networks(run)}"
        )
    rows = []
    for name in (*present(networks), "macs", "params"):
        values = networks[name]
        if not pd.api.types.is_integer_dtype(values) or len(values.unique()) < 2:
            continue
        found = best_range(values, losses(run.ranking, networks["val"]))
        rows.append(
            {
                "dimension": name,
                "low": found.low,
                "median": found.estimate,
                "high": found.high,
                "from": values.min(),
                "to": values.max(),
            }
        )
    return pd.DataFrame(rows, columns=["dimension", "low", "median", "high", "from", "to"])


def _sampled(run: Run) -> pd.DataFrame:
    reason = no_sample(run)
    if reason:
        raise RunError(f"{run.folder}: its networks are no sample of the space: {reason}")
    return averaged(run)
