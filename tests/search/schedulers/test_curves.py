"""Learning curves: what they say of the end is right as often as it should be, and is used."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from search.schedulers.base import Decision
from search.schedulers.curves import Curves, improvement
from search.schedulers.extrapolation import Extrapolation, Forecast
from search.schema.metrics import Objective

ERROR = Objective("val_error", "minimize", "reported", "%")
EPOCHS = 30


def population(seed: int, count: int, noise: float = 0.4) -> npt.NDArray[np.float64]:
    """Curves of networks in percent: saturating exponentials and power laws by turns."""
    rng = np.random.default_rng(seed)
    epochs = np.arange(1, EPOCHS + 1)
    curves = []
    for number in range(count):
        floor, height, rate = rng.uniform(20, 40), rng.uniform(30, 60), rng.uniform(0.4, 1.4)
        shape = (epochs + 1) ** -rate if number % 2 else np.exp(-rate * epochs / 5)
        curves.append(floor + height * shape + rng.normal(0, noise, EPOCHS))
    return np.array(curves)


def test_a_power_law_without_noise_is_found() -> None:
    curves = [10 + a * np.arange(2.0, EPOCHS + 2) ** -0.7 for a in (30.0, 50.0, 80.0)]
    seen = [curves[0], curves[1], curves[2][:10]]
    forecast = Extrapolation(seen, epochs=EPOCHS).forecasts(seen)[2]
    assert forecast.mean == pytest.approx(curves[2][-1], abs=3 * forecast.spread)
    flat = abs(curves[2][9] - curves[2][-1])
    assert abs(forecast.mean - curves[2][-1]) < flat / 3, "nearer than to take the last value"


@pytest.mark.parametrize("seen", [1, 3, 8, 20])
def test_what_curves_say_of_the_end_holds_as_often_as_it_should(seen: int) -> None:
    """Of 240 curves of shapes it does not assume, 90 % intervals hold 80 % or more."""
    inside = []
    for seed in range(8):
        curves = population(seed, 30)
        known = [*curves[:3], *(curve[:seen] for curve in curves[3:])]
        said = Extrapolation(known, epochs=EPOCHS).forecasts(known)
        for curve, (mean, spread) in zip(curves[3:], said[3:], strict=True):
            inside.append(abs(curve[-1] - mean) < 1.645 * spread)
    assert np.mean(inside) > 0.8


def test_more_of_a_curve_says_more() -> None:
    curves = population(1, 30)
    errors, spreads = [], []
    for seen in (1, 4, 12, 24):
        known = [curve[:seen] for curve in curves]
        said = Extrapolation(known, epochs=EPOCHS).forecasts(known)
        errors.append(np.mean([abs(f.mean - c[-1]) for f, c in zip(said, curves, strict=True)]))
        spreads.append(np.mean([one.spread for one in said]))
    assert errors == sorted(errors, reverse=True)
    assert spreads == sorted(spreads, reverse=True)


def test_a_curve_that_is_whole_or_alike_says_what_it_is() -> None:
    flat = np.full(5, 3.0)
    assert Extrapolation([flat], epochs=EPOCHS).forecasts([flat]) == [(3.0, 0.0)]
    curves = population(0, 3)
    said = Extrapolation(list(curves), epochs=EPOCHS).forecasts([curves[0]])
    assert said == [(curves[0][-1], 0.0)]


@pytest.mark.parametrize("best", [-1.0, 0.0, 2.0])
def test_expected_improvement_is_the_integral_that_it_stands_for(best: float) -> None:
    forecast = Forecast(0.5, 1.5)
    normal = stats.norm(*forecast)
    integral = normal.expect(lambda y: best - y, ub=best)
    assert improvement(forecast, best) == pytest.approx(integral, rel=1e-6)
    assert improvement(Forecast(0.5, 0.0), best) == max(0.0, best - 0.5)


def search(curves: npt.NDArray[np.float64], **keys: float) -> tuple[dict[int, int], int]:
    """A search one trial at a time; epochs of each network, and all of them."""
    scheduler = Curves(epochs=EPOCHS, trials=len(curves), objectives=[ERROR], **keys)  # type: ignore[arg-type] - numbers of both kinds
    epochs: dict[int, int] = {}
    while True:
        trial = scheduler.resume()
        if trial is not None:
            scheduler.resumed(trial)
        elif len(epochs) < len(curves):
            trial = len(epochs)
        else:
            return epochs, sum(epochs.values())
        decision = Decision.CONTINUE
        while decision is Decision.CONTINUE and epochs.get(trial, 0) < EPOCHS:
            epochs[trial] = epochs.get(trial, 0) + 1
            error = float(curves[trial][epochs[trial] - 1])
            decision = scheduler.report(trial, epochs[trial], {"val_error": error})
        if epochs[trial] == EPOCHS:
            scheduler.ended(trial)


@pytest.mark.slow
def test_a_third_of_the_epochs_finds_nearly_the_best() -> None:
    """Over 4 searches of 40 networks, against as many epochs spent on 12 of them whole."""
    regrets, by_chance = [], []
    for seed in range(4):
        curves = population(100 + seed, 40)
        epochs, spent = search(curves, grace=2)
        ends = np.sort(curves[:, -1])
        assert spent <= 0.3 * 40 * EPOCHS
        whole = [t for t, count in epochs.items() if count == EPOCHS]
        assert whole
        regrets.append(min(curves[t][-1] for t in whole) - ends[0])
        chosen = np.random.default_rng(seed).choice(curves[:, -1], (200, 12))
        by_chance.append(chosen.min(axis=1).mean() - ends[0])
    assert np.mean(regrets) < np.mean(by_chance) / 2


@pytest.mark.parametrize("share", [0.04, 0.1])
def test_however_little_is_left_one_comes_to_its_end(share: float) -> None:
    curves = population(7, 20)
    epochs, _ = search(curves, grace=1, share=share)
    assert len(epochs) == 20
    assert [count for count in epochs.values() if count == EPOCHS] != []
