"""Computes score distributions of the networks of a space, and where the best lie.

Goes in: a run whose networks are a sample. Comes out: the share of them as good as each score,
plain and normalised by complexity (Radosavovic et al. 2019 and 2020), with bands; and the
values that the best of them have.
"""

import numpy as np
import pandas as pd

from analysis.questions.sampling import no_sample
from analysis.runs.networks import averaged, present
from analysis.runs.run import Run, RunError
from analysis.runs.scores import losses
from analysis.statistics.complexity import bootstrap_band, neighbours
from analysis.statistics.edf import complexity_bins, dkw_band, edf
from analysis.statistics.intervals import StatisticsError
from analysis.statistics.resampling import best_range

_FEWEST = 2
_MOST_STEPS = 200  # of a curve: more cannot be told apart


def distributions(run: Run, *, rng: np.random.Generator) -> pd.DataFrame:
    """The distribution of what ranks, as it was sampled and as if complexity were uniform.

    Args:
        run: whose networks are a sample of the space.
        rng: draws the band of the normalised one.

    Returns:
        Columns `kind` ("as sampled", with Dvoretzky, Kiefer and Wolfowitz's band, or
        "multiply-adds uniform", with a bootstrapped one), `value` of the metric that ranks,
        `fraction` of the networks that are as good or better, `low`, `high`; only the first
        where there are too few networks for bins of complexity. Networks of which no trial was
        trained to its end are not in them.

    Raises:
        RunError: they are no sample of the space, with the reason.
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
        complexity_bins([macs])  # says whether sizes vary and networks are enough
        strata = neighbours(macs)
        normal = bootstrap_band(errors, rng=rng, bins=strata.places, weights=strata.weights)
        normal = normal.assign(kind="multiply-adds uniform")
        both = pd.concat([plain, normal], ignore_index=True)
    except StatisticsError:
        both = plain
    return both.assign(value=losses(run.ranking, both["error"])).drop(columns="error")


def thinned(distributions: pd.DataFrame) -> pd.DataFrame:
    """At most 200 rows of each kind, evenly by their place, the first and the last kept."""
    kept = []
    for _, rows in distributions.groupby("kind", sort=False):
        places = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_STEPS)).round()
        kept.append(rows.iloc[places.astype(int)])
    return pd.concat(kept, ignore_index=True) if kept else distributions


def best_ranges(run: Run) -> pd.DataFrame:
    """Where each dimension of the best networks lies: RegNet's empirical bootstrap.

    Args:
        run: whose networks are a sample of the space.

    Returns:
        A row for each dimension of numbers that varied, and for MACs and parameters:
        `dimension`, `low`, `median`, `high` (2.5, 50 and 97.5 % of the bests of random
        quarters), and `from` and `to`: what was sampled.

    Raises:
        RunError: as for `distributions`.
    """
    networks = _sampled(run)
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
