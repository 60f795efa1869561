"""The network + seed model: against least squares, scipy, statsmodels and simulation."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from analysis.statistics.intervals import StatisticsError
from analysis.statistics.mixed import Model, estimable, estimate, fit
from analysis.statistics.spreads import UNEQUAL, alike, doubt_of, spread_alike
from search.design.spread import POOLED_FROM


def design(
    rng: np.random.Generator, networks: int, seeds: int, *, missing: float = 0.0
) -> pd.DataFrame:
    """Trials of networks that share seeds; each network keeps its first."""
    rows = [
        (f"n{i}", j, float(rng.normal(i, 1) + 3 * j))
        for i in range(networks)
        for j in range(seeds)
        if j == i % seeds or rng.random() >= missing
    ]
    return pd.DataFrame(rows, columns=["network", "seed", "score"])


def fitted(frame: pd.DataFrame) -> Model:
    return fit(frame["network"].tolist(), frame["seed"].tolist(), frame["score"].tolist())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    networks=st.integers(3, 8),
    seeds=st.integers(3, 6),
    missing=st.floats(0, 0.4),
)
def test_a_contrast_is_that_of_least_squares(
    seed: int, networks: int, seeds: int, missing: float
) -> None:
    """With any trials missing; statsmodels fits the same two-way layout."""
    rng = np.random.default_rng(seed)
    frame = design(rng, networks, seeds, missing=missing)
    model = fitted(frame)
    weights = {"n0": 1.0, "n1": -0.4, "n2": -0.6}
    if estimable(model, weights) or model.df < 1 or not model.pooled:
        return
    found = estimate(model, [weights])
    outside = smf.ols("score ~ 0 + network + C(seed)", data=frame).fit()
    contrast = [weights.get(name[8:-1], 0.0) for name in outside.params.index]
    tested = outside.t_test(contrast)
    assert found.value[0] == pytest.approx(float(tested.effect[0]), abs=1e-8)
    assert found.error[0] == pytest.approx(float(tested.sd[0, 0]), rel=1e-6)
    assert found.df[0] == outside.df_resid
    assert found.p()[0] == pytest.approx(float(tested.pvalue), rel=1e-5)
    low, high = tested.conf_int()[0]
    assert found.reach()[0] == pytest.approx((high - low) / 2, rel=1e-6)


def test_sixteen_networks_with_four_seeds_have_45_degrees_of_freedom() -> None:
    model = fitted(design(np.random.default_rng(0), 16, 4))
    assert (model.df, model.seeds, model.pooled) == (45, 4, True)


def test_two_networks_are_the_paired_t_test() -> None:
    frame = design(np.random.default_rng(1), 2, 6)
    a, b = (frame.loc[frame["network"] == n, "score"].to_numpy() for n in ("n0", "n1"))
    found, tested = estimate(fitted(frame), [{"n0": 1, "n1": -1}]), stats.ttest_rel(a, b)
    assert found.p()[0] == pytest.approx(tested.pvalue)
    low, high = tested.confidence_interval()
    assert found.value[0] - found.reach()[0] == pytest.approx(low)
    assert found.value[0] + found.reach()[0] == pytest.approx(high)


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_equivalence_is_that_of_statsmodels(margin: float) -> None:
    frame = design(np.random.default_rng(2), 2, 8)
    a, b = (frame.loc[frame["network"] == n, "score"].to_numpy() for n in ("n0", "n1"))
    found = estimate(fitted(frame), [{"n0": 1, "n1": -1}])
    assert found.p_same(margin)[0] == pytest.approx(ttost_paired(a, b, -margin, margin)[0])


def test_a_network_that_spreads_farther_has_its_own_spread() -> None:
    """Satterthwaite with many seeds is Welch's: two of forty networks, no seed effect left."""
    rng = np.random.default_rng(3)
    rows = [
        (f"n{i}", j, float(rng.normal(0, 6 if i == 0 else 1)))
        for i in range(40) for j in range(12)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["network", "seed", "score"])
    model = fitted(frame)
    assert not model.pooled
    own = frame.groupby("network")["score"].var().reindex(model.networks)
    assert model.spreads[0] == pytest.approx(own.iloc[0], rel=0.05)
    assert model.spreads[1:] == pytest.approx(np.full(39, model.sigma**2)), "of the quieter"
    found = estimate(model, [{"n0": 1, "n1": -1}])
    a, b = (frame.loc[frame["network"] == n, "score"].to_numpy() for n in ("n0", "n1"))
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert found.df[0] == pytest.approx(welch.df, rel=0.15)
    assert found.reach()[0] == pytest.approx(welch.confidence_interval().high - found.value[0],
                                             rel=0.1)  # fmt: skip


def test_with_two_seeds_each_network_has_its_own_spread() -> None:
    assert not fitted(design(np.random.default_rng(0), 8, 2)).pooled


def test_equal_spreads_are_taken_for_equal_in_three_of_four_runs() -> None:
    rng, found = np.random.default_rng(5), 0
    for _ in range(120):
        squares = rng.chisquare(3, size=16)
        found += alike(squares, np.full(16, 4), df=48, doubt=UNEQUAL)
    assert 78 <= found <= 102  # 90 are expected; 2.5 sigma are 12
    assert spread_alike([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]]), "of two nothing can be told"


def test_one_seed_has_means_and_no_errors() -> None:
    model = fitted(design(np.random.default_rng(0), 4, 1))
    assert np.isnan(model.sigma)
    found = estimate(model, [{"n0": 1, "n1": -1}])
    assert np.isnan(found.error[0])
    assert np.isnan(found.reach()[0])
    assert np.isfinite(found.value[0])


def test_scores_that_differ_by_network_and_seed_alone_have_no_errors() -> None:
    rows = [(f"n{i}", j, 0.1 * i + 0.3 * j) for i in range(4) for j in range(3)]
    model = fitted(pd.DataFrame(rows, columns=["network", "seed", "score"]))
    assert np.isnan(estimate(model, [{"n0": 1, "n1": -1}]).error[0])


def test_what_shares_no_seed_is_not_compared() -> None:
    model = fit(["a", "a", "b", "b"], [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0])
    assert "share no seed" in estimable(model, {"a": 1, "b": -1})
    with pytest.raises(StatisticsError, match="weights of a, b: its networks share no seed"):
        estimate(model, [{"a": 1, "b": -1}])
    assert "no trial of c was trained to its end" in estimable(model, {"a": 1, "c": -1})


def test_networks_that_hang_together_through_a_third_are_compared() -> None:
    names = ["a", "a", "b", "b", "c", "c", "c", "c"]
    model = fit(names, [1, 2, 3, 4, 1, 2, 3, 4], [0, 0.1, 9, 9.1, 1, 1.2, 2, 2.1])
    assert not estimable(model, {"a": 1, "b": -1})
    # c says that the seeds of b are 0.95 higher.
    found = estimate(model, [{"a": 1, "b": -1}])
    assert found.value[0] == pytest.approx(0.05 - (9.05 - 0.95))


@pytest.mark.parametrize(
    ("seeds", "spread", "missing"),
    [
        (4, 2.7, 0.2),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((2, 1.0, 0.0), (4, 1.0, 0.3), (3, 2.7, 0.0))
        ),
    ],
)
def test_intervals_hold_the_truth(seeds: int, spread: float, missing: float) -> None:
    """The mean of five less the mean of five others, of 12 networks; some vary more."""
    rng = np.random.default_rng(7)
    weights = {f"n{i}": 0.2 if i < 5 else -0.2 for i in range(10)}
    held, runs = 0, 150
    for _ in range(runs):
        rows = [
            (f"n{i}", j, float(rng.normal(0, spread if i < 5 else 1) + rng.normal()))
            for i in range(12)
            for j in range(seeds)
            if j == i % seeds or rng.random() >= missing
        ]
        frame = pd.DataFrame(rows, columns=["network", "seed", "score"])
        found = estimate(fitted(frame), [weights])
        held += abs(found.value[0]) <= found.reach()[0]
    # 95 % of 150 are 142; 130 or fewer would be one in ten thousand.
    assert held > 130


def test_the_plan_counts_as_the_report_pools() -> None:
    """Fewer seeds than the plan takes for pooled are seldom pooled, more mostly are."""
    assert all(doubt_of(seeds) > 0.5 for seeds in range(2, POOLED_FROM))
    assert all(doubt_of(seeds) < 0.5 for seeds in range(POOLED_FROM, 12))
