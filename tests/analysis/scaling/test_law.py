"""Known laws come back, intervals hold what they promise, and nothing is foretold far away."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import huber

from analysis.scaling.forms import power, saturating
from analysis.scaling.law import bootstrap, fit, fit_joint
from analysis.scaling.points import Refusal
from tests.analysis.scaling.simulated import power_law, trials
from tests.conftest import REFERENCE

SIZES = 1e8 * 2.0 ** np.arange(6)
LAW = power_law(15, 20, 0.6, unit=1e8)


def test_a_power_law_comes_back() -> None:
    law = fit(trials(SIZES, LAW), form=power())
    expected = {"E": 15.0, "A": 20 * 1e8**0.6, "alpha": 0.6}
    assert law.parameters == pytest.approx(expected, rel=1e-5)
    assert law.predict(8e8).error == pytest.approx(LAW(np.array([8e8]))[0], rel=1e-7)
    assert law.predict(8e8)[1:] == (None, None)


def test_a_saturating_law_comes_back() -> None:
    """Eleven sizes from near chance to near E, where all four parameters show."""
    form = saturating(chance=99.0)
    sizes = 1e6 * 4.0 ** np.arange(11)
    shown = fit(trials(sizes, power_law(15, 20, 0.6, unit=1e6)), form=power())
    truth = replace(shown, form=form, theta=np.array([0.4, 0.1, 0.7, 1.6]))
    law = fit(trials(sizes, truth.errors), form=form)
    assert law.parameters == pytest.approx(truth.parameters, rel=1e-3)


def test_noise_is_within_the_band() -> None:
    rng = np.random.default_rng(1)
    points = trials(SIZES, LAW, rng=rng)
    law = bootstrap(fit(points, form=power()), points, rng=rng)
    band = law.band(np.geomspace(SIZES[0], SIZES[-1], 9))
    truth = LAW(band["size"].to_numpy())
    assert ((band["low"] <= truth) & (truth <= band["high"])).all()
    assert (band["high"] - band["low"]).between(0.3, 6).all()
    low, high = law.intervals()["alpha"]
    assert low < 0.6 < high
    assert law.predict(8e8).low == pytest.approx(law.band(np.array([8e8]))["low"][0])


def test_the_same_generator_gives_the_same_intervals() -> None:
    points = trials(SIZES, LAW, rng=np.random.default_rng(1))
    law = fit(points, form=power())
    one, two, other = (
        bootstrap(law, points, rng=np.random.default_rng(seed), resamples=50).intervals()
        for seed in (5, 5, 6)
    )
    assert one == two != other


def test_nothing_is_foretold_out_of_reach() -> None:
    law = fit(trials(SIZES, LAW), form=power())
    law.predict(SIZES[0] / 2)
    law.predict(SIZES[-1] * 2)
    words = r"size 6.5e\+09 is outside \[5e\+07, 6.4e\+09\], a factor 2 beyond the sizes fitted"
    with pytest.raises(Refusal, match=words):
        law.predict(6.5e9)
    with pytest.raises(Refusal, match="outside"):
        law.predict(4.9e7)
    assert law.predict(6.5e9, reach=3).error == pytest.approx(LAW(np.array([6.5e9]))[0])
    with pytest.raises(Refusal, match="no resamples; pass it through bootstrap"):
        law.intervals()


def test_fit_refuses_what_carries_no_law() -> None:
    with pytest.raises(Refusal, match="mixed epochs"):
        fit(trials(SIZES, LAW).assign(epochs=range(18)), form=power())
    with pytest.raises(Refusal, match="4 distinct sizes are fewer than 5"):
        fit(trials(SIZES[:4], LAW), form=saturating(chance=99.0))
    with pytest.raises(Refusal, match="not between 0 and 20, the error of guessing"):
        fit(trials(SIZES, LAW), form=saturating(chance=20.0))


def test_epochs_may_be_the_size() -> None:
    epochs = np.array([10, 20, 40, 80, 160])
    points = trials(epochs, power_law(15, 60, 0.5)).assign(network="one")
    points["epochs"] = points["size"].astype(int)
    law = fit(points, form=power(), epochs_studied=True)
    assert law.parameters["alpha"] == pytest.approx(0.5, rel=1e-4)
    bootstrap(law, points, rng=np.random.default_rng(0), resamples=20)


def test_a_fit_and_its_bootstrap_are_quick() -> None:
    """CPU time, best of two: a busy machine is no finding."""
    points = trials(SIZES, LAW, rng=np.random.default_rng(2))

    def seconds() -> tuple[float, float]:
        start = time.process_time()
        law = fit(points, form=power(), starts=100)
        fitted = time.process_time()
        bootstrap(law, points, rng=np.random.default_rng(3), resamples=1000)
        return fitted - start, time.process_time() - fitted

    taken = np.array([seconds() for _ in range(2)]).min(axis=0)
    assert taken[0] < 0.3
    assert taken[1] < 15


def test_the_replication_of_chinchilla_is_re_derived() -> None:
    """Besiroglu et al. (2024), arXiv 2404.10102, table 1, from their own 240 points.

    tests/reference/chinchilla.csv holds model size, FLOP and loss of their
    svg_extracted_data.csv (read off figure 4 of Hoffmann et al., 2022), eight digits each. Its
    standard deviation of the loss is the one their notebook prints. They leave out the five
    highest losses. The valley is flat: the published point has a slightly larger loss than
    ours, so A and B are matched to 4 %, a ninth of the standard errors they print.
    """
    table = pd.read_csv(REFERENCE / "chinchilla.csv")
    assert len(table) == 245
    assert table["loss"].std() == pytest.approx(0.36438696455830627, rel=1e-7)
    table = table.sort_values("loss").iloc[:-5]
    size, loss = table["model_size"].to_numpy(), table["loss"].to_numpy()
    tokens = table["training_flop"].to_numpy() / (6 * size)
    law = fit_joint(size, tokens, loss)
    assert law["E"] == pytest.approx(1.8172, abs=2e-4)
    assert law["alpha"] == pytest.approx(0.3478, abs=1e-3)
    assert law["beta"] == pytest.approx(0.3658, abs=2e-3)
    assert law["A"] == pytest.approx(482.01, rel=0.04)
    assert law["B"] == pytest.approx(2085.43, rel=0.04)

    def summed(e: float, a: float, alpha: float, b: float, beta: float) -> float:
        fitted = np.log(e + a / size**alpha + b / tokens**beta)
        return float(huber(1e-3, fitted - np.log(loss)).sum())

    own = summed(*(law[name] for name in ("E", "A", "alpha", "B", "beta")))
    assert law["loss"] == pytest.approx(own, rel=1e-6)
    assert law["loss"] < summed(1.8172, 482.01, 0.3478, 2085.43, 0.3658)


def test_a_joint_law_comes_back() -> None:
    rng = np.random.default_rng(4)
    size, tokens = np.exp(rng.uniform([18, 21], [23, 26], size=(60, 2))).T
    loss = 1.8172 + 482.01 / size**0.3478 + 2085.43 / tokens**0.3658
    law = fit_joint(size, tokens, loss)
    assert law["alpha"] == pytest.approx(0.3478, rel=1e-3)
    assert law["beta"] == pytest.approx(0.3658, rel=1e-3)
    assert law["E"] == pytest.approx(1.8172, rel=1e-3)


def covered(networks: int, *, own: float, simulations: int, resamples: int) -> np.ndarray:
    """Share of simulations whose 95 % band holds the true curve, at nine sizes."""
    sizes = np.geomspace(SIZES[0], SIZES[-1], networks)
    grid = np.geomspace(SIZES[0], SIZES[-1], 9)
    truth, hits = LAW(grid), []
    for simulation in range(simulations):
        rng = np.random.default_rng([7, simulation])
        points = trials(sizes, LAW, rng=rng, sd=0.5, own=own)
        law = fit(points, form=power(), starts=25)
        band = bootstrap(law, points, rng=rng, resamples=resamples).band(grid)
        hits.append((band["low"] <= truth) & (truth <= band["high"]))
    return np.array(hits).mean(axis=0)


@pytest.mark.slow
def test_the_band_covers_roughly() -> None:
    """30 simulations x 9 correlated sizes: about 0.025 of standard error, three of them."""
    assert covered(6, own=0.0, simulations=30, resamples=150).mean() >= 0.875


@pytest.mark.slow
@pytest.mark.parametrize(("networks", "own"), [(6, 0.0), (30, 0.0), (6, 0.5), (30, 0.5)])
def test_the_band_covers_what_it_promises(networks: int, own: float) -> None:
    at = covered(networks, own=own, simulations=500, resamples=400)
    assert 0.93 <= at.mean() <= 0.97
    assert at.min() > 0.90
