"""How good the networks of a space are altogether: error distributions, where the best lie.

Goes in: networks of a run, drawn at random. Comes out: the share of them below each error,
plain and normalised by complexity (Radosavovic et al. 2019 and 2020), with bands; and the
values that the best of them have.
"""

import numpy as np
import pandas as pd

from analysis.questions.importance import chosen
from analysis.runs.networks import DIMENSIONS, averaged
from analysis.runs.run import Run, RunError
from analysis.statistics.edf import bootstrap_band, complexity_bins, dkw_band, edf
from analysis.statistics.intervals import StatisticsError
from analysis.statistics.resampling import best_range

_FEWEST = 2


def distributions(run: Run, *, rng: np.random.Generator) -> pd.DataFrame:
    """The error distribution of a run, as it was sampled and as if complexity were uniform.

    Args:
        run: whose networks were drawn without looking at results.
        rng: draws the band of the normalised one.

    Returns:
        Columns `kind` ("as sampled", with Dvoretzky, Kiefer and Wolfowitz's band, or
        "multiply-adds uniform", with a bootstrapped one), `error`, `fraction`, `low`, `high`;
        only the first where there are too few networks for bins of complexity. Networks of
        which no trial was trained to its end are not in them.

    Raises:
        RunError: an adaptive sampler, early stopping or the design of the run chose them.
    """
    networks = _sampled(run)
    errors = networks["val_error_pct"].to_numpy(dtype=float)
    if len(errors) < _FEWEST:
        return pd.DataFrame(columns=["kind", "error", "fraction", "low", "high"])
    half, plain = dkw_band(len(errors)), edf(errors)
    plain = plain.assign(
        kind="as sampled",
        low=(plain["fraction"] - half).clip(lower=0),
        high=(plain["fraction"] + half).clip(upper=1),
    )
    try:
        (bins,) = complexity_bins([networks["macs"].to_numpy(dtype=float)])
        normal = bootstrap_band(errors, rng=rng, bins=bins)
    except StatisticsError:
        return plain
    return pd.concat([plain, normal.assign(kind="multiply-adds uniform")], ignore_index=True)


def best_ranges(run: Run, *, rng: np.random.Generator) -> pd.DataFrame:
    """Where each dimension of the best networks lies: RegNet's empirical bootstrap.

    Args:
        run: whose networks were drawn without looking at results.
        rng: draws the networks.

    Returns:
        A row for each dimension of numbers that varied, and for MACs and parameters:
        `dimension`, `low`, `median`, `high` (2.5, 50 and 97.5 % of the bests of random
        quarters), and `from` and `to`: what was sampled.

    Raises:
        RunError: as for `distributions`.
    """
    networks = _sampled(run)
    rows = []
    for name in (*DIMENSIONS, "macs", "params"):
        values = networks[name]
        if not pd.api.types.is_integer_dtype(values) or len(values.unique()) < 2:
            continue
        found = best_range(values, networks["val_error_pct"], rng=rng)
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
    reason = chosen(run)
    if reason:
        raise RunError(f"{run.folder}: its networks are no sample of the space: {reason}")
    return averaged(run)
