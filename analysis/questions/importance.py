"""Computes which dimensions matter, by fANOVA and PED-ANOVA with bootstrap ranges.

Input: a run whose networks are a sample of the space. Output: a table of shares. Importance
refers to the space as it was sampled: where a range of multiply-adds ties dimensions to each
other, what one explains the other may explain as well.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial

from analysis.questions.sampling import no_sample
from analysis.runs.networks import averaged, present
from analysis.runs.run import Run, RunError
from analysis.runs.scores import words
from analysis.statistics.intervals import SHARED
from analysis.statistics.surrogate import explained
from search.schema.wording import how_many

_FEWEST = 12  # networks; with fewer, a bootstrap has only a handful of distinct ones
_MOST = 100  # networks per bootstrap: a forest's time grows with their square
_TREES = 16


def importance(
    run: Run, *, rng: np.random.Generator, resamples: int = 20, anyway: bool = False
) -> pd.DataFrame:
    """How much of the variance of the ranking metric each dimension accounts for.

    Args:
        run: its complete trials are used, averaging the seeds of a network.
        rng: draws the bootstraps and the seeds of the forests.
        resamples: number of bootstraps over networks.
        anyway: whether to compute it even where it would be refused; the reason is then in
            `attrs["warning"]`.

    Returns:
        One row for each evaluator and dimension that varied: `evaluator` ("fANOVA": for the
        whole variance, Hutter et al. 2014; "PED-ANOVA": for being among the best tenth,
        Watanabe et al. 2023), `dimension`, `share` (median over bootstraps; shares of a
        bootstrap sum to 1), `low` and `high` (their 5th and 95th percentiles; with more than
        100 networks each bootstrap draws 100, so the range is then that of 100).
        `attrs["explained"]` says how much of the variance can be predicted
        (`analysis.statistics.surrogate`).

    Raises:
        RunError: the networks are not a sample, so that their selection would be mistaken for
            importance, there are too few of them, or the dimensions explain nothing; states the
            reason.
    """
    networks = averaged(run)
    reason = why_not(run, networks)
    if reason and not (anyway and len(networks) >= 2):
        raise RunError(f"{run.folder}: importance cannot be estimated: {reason}")
    coded, distributions = _coded(networks)
    found = explained(_numbers(coded), networks["val"], rng=rng)
    if found.r2 <= 0 or found.p >= SHARED:
        nothing = (
            "the dimensions explain nothing that luck would not: from all others they foretell "
            f"a network's {words(run.ranking)} with R2 {found.r2:.2f}, and {found.p:.0%} of "
            "shuffles do as well; run more networks, or more seeds of each"
        )
        if not anyway:
            raise RunError(f"{run.folder}: importance cannot be estimated: {nothing}")
        reason = "; ".join(filter(None, (reason, nothing)))
    rows = []
    for _ in range(resamples):
        drawn = rng.integers(len(networks), size=min(len(networks), _MOST))
        values = networks["val"].iloc[drawn]
        if _varies(values):
            with _quietly():
                study = optuna.create_study(direction=run.ranking.direction)
                study.add_trials(_frozen(coded.iloc[drawn], values, distributions))
                rows += _shares(study, seed=int(rng.integers(2**31)))
    shares = pd.DataFrame(rows).groupby(["evaluator", "dimension"], sort=False)["share"]
    table = shares.agg(share="median", low=_fifth, high=_ninety_fifth).reset_index()
    table.attrs |= {"warning": reason, "explained": found}
    return table.sort_values(["evaluator", "share"], ascending=[True, False], ignore_index=True)


def why_not(run: Run, networks: pd.DataFrame) -> str:
    """Why importance would be misleading; empty if it would not."""
    were = "was" if len(networks) == 1 else "were"
    whole = f"{how_many(len(networks), 'network')} {were} trained whole and lost no seed"
    reasons = {
        f"{whole}, and it takes {_FEWEST} or more": len(networks) < _FEWEST,
        f"all networks have the same {words(run.ranking)}": not _varies(networks["val"]),
        "no dimension varied": not any(_varies(networks[name]) for name in present(networks)),
    }
    return no_sample(run) or next((reason for reason, holds in reasons.items() if holds), "")


def _coded(
    networks: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, CategoricalDistribution | IntDistribution]]:
    """Encode what varied for Optuna; numbers by rank, so that a forest sees their order."""
    coded: dict[str, list[Any]] = {}
    distributions: dict[str, CategoricalDistribution | IntDistribution] = {}
    for name in (name for name in present(networks) if _varies(networks[name])):
        if _numeric(networks[name]):
            ranks = _ranks(networks[name])
            coded[name] = [ranks[value] for value in networks[name]]
            distributions[name] = IntDistribution(0, len(ranks) - 1)
        else:
            coded[name] = [str(value) for value in networks[name]]
            distributions[name] = CategoricalDistribution(sorted(set(coded[name])))
    return pd.DataFrame(coded), distributions


def _numbers(coded: pd.DataFrame) -> pd.DataFrame:
    """Numeric features: numbers unchanged, words by their index in sorted order."""
    numbers = {
        name: column if _numeric(column) else column.astype("category").cat.codes
        for name, column in coded.items()
    }
    return pd.DataFrame(numbers)


def _fifth(shares: pd.Series) -> float:
    return float(shares.quantile(0.05))


def _ninety_fifth(shares: pd.Series) -> float:
    return float(shares.quantile(0.95))


def _varies(values: pd.Series) -> bool:
    return len(values.unique()) > 1


def _ranks(values: pd.Series) -> dict[Any, int]:
    return {value: i for i, value in enumerate(sorted(values.unique()))}


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence Optuna, which logs a line for each study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _numeric(values: pd.Series) -> bool:
    return all(isinstance(value, (int, np.integer)) for value in values.unique())


def _frozen(
    coded: pd.DataFrame,
    values: pd.Series,
    distributions: Mapping[str, CategoricalDistribution | IntDistribution],
) -> list[FrozenTrial]:
    return [
        optuna.trial.create_trial(
            params=dict(zip(coded.columns, row, strict=True)),
            distributions=dict(distributions),
            value=float(value),
        )
        for row, value in zip(coded.to_numpy(dtype=object).tolist(), values, strict=True)
    ]


def _shares(study: optuna.Study, *, seed: int) -> list[dict[str, Any]]:
    evaluators = {
        "fANOVA": FanovaImportanceEvaluator(n_trees=_TREES, seed=seed),
        "PED-ANOVA": PedAnovaImportanceEvaluator(),
    }
    return [
        {"evaluator": name, "dimension": dimension, "share": share}
        for name, evaluator in evaluators.items()
        for dimension, share in optuna.importance.get_param_importances(
            study, evaluator=evaluator
        ).items()
    ]
