"""Learning rates: what a simulated study with known best rates is said to show."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.cards.rates import rates_card
from analysis.questions.rates import COMMON, OWN, RULE, Tried, compared, tried
from analysis.runs.run import RunError, read_run
from analysis.statistics.intervals import Interval
from res2net.receptive import effective_depth
from search.schema.seeds import seed_of
from search.study.events import Started
from tests.analysis.studied import write_run

SPACE = """\
study: rates
network: {planes: 8, depth: [11, 20, 29, 38, 47], scale: 4, width: 4}
data: {name: digits, validation: 300}
training: {epochs: 1, lr: {from: 0.02, to: 1.28, log: true, values: 9}}
search: {sampler: grid, seeds: 3}
"""
TUNED = SPACE.replace("sampler: grid", "sampler: grid, tune: [lr]")


def error_with(exponent: float, noise: float, *, seed: int = 0) -> Callable[[Started], float]:
    """A parabola over the rate's logarithm around a best rate that is a power of depth."""

    def error(started: Started) -> float:
        depth = effective_depth(started.network())
        best = 0.3 * (depth / 8) ** exponent
        away = math.log(started.own["lr"] / best)
        key = f"{started.name} {started.tuned} {started.seed}"
        luck = np.random.default_rng(seed_of(seed, key)).normal() * noise
        return 20 - depth / 4 + 4 * away**2 + luck

    return error


@pytest.mark.parametrize("exponent", [-1.5, -0.5, 0.0])
def test_the_power_of_the_best_rate_is_found(tmp_path: Path, exponent: float) -> None:
    run = read_run(write_run(tmp_path, error_with(exponent, 0.0), text=SPACE))
    answer = compared(tried(run))
    assert answer.exponent is not None
    assert answer.exponent.estimate == pytest.approx(exponent, abs=0.05)
    assert [*answer.table["effective_depth"]] == [8, 11, 14, 17, 20]


def test_what_each_policy_loses_is_what_the_curves_say(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, error_with(-1.5, 0.0), text=SPACE))
    found = tried(run)
    answer = compared(found)
    rates = np.array(run.plan.varied["lr"])
    depths = np.array([8, 11, 14, 17, 20])
    best = 0.3 * (depths / 8.0) ** -1.5
    curves = 20 - depths[:, None] / 4 + 4 * np.log(rates / best[:, None]) ** 2
    own = curves.min(axis=1)
    common = curves[:, curves.mean(axis=0).argmin()]
    assert answer.table[OWN].to_numpy() == pytest.approx(own)
    assert answer.table[COMMON].to_numpy() == pytest.approx(common)
    assert answer.lost[COMMON].estimate == pytest.approx((common - own).mean())
    assert answer.lost[RULE].estimate < answer.lost[COMMON].estimate / 4


@pytest.mark.slow
def test_where_all_have_one_best_rate_hardly_a_study_says_otherwise() -> None:
    rng = np.random.default_rng(0)
    rates = np.geomspace(0.02, 1.28, 9)
    curve = 20 + 4 * np.log(rates / 0.2)[:, None] ** 2
    claimed = 0
    for _ in range(200):
        validation, test = (curve + rng.normal(0, 0.5, (5, 9, 3)) for _ in range(2))
        names, depths = tuple("abcde"), (8, 11, 14, 17, 20)
        answer = compared(Tried(names, depths, rates, validation, test))
        assert answer.exponent is not None
        low, high = answer.exponent.ends()
        claimed += not low <= 0 <= high
    assert claimed <= 20, "5 % of 200 are 10; 21 or more come in 0.1 %"


def test_a_tuned_run_is_judged_by_its_first_seed(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, error_with(-1.0, 0.3), text=TUNED))
    found = tried(run)
    assert found.validation.shape == (5, 9, 1)
    card = rates_card(run)
    assert not card.refused
    assert "one seed" in card.shown[0].caption
    assert not card.claims


def test_a_rate_with_which_a_trial_failed_counts_as_the_worst(tmp_path: Path) -> None:
    whole = error_with(0.0, 0.0)

    def error(started: Started) -> float | None:
        return None if started.own["lr"] > 1 else whole(started)

    found = tried(read_run(write_run(tmp_path, error, text=SPACE)))
    assert found.validation[:, -1] == pytest.approx(found.validation.max())


def test_the_card_says_it_in_words_and_draws_it(tmp_path: Path) -> None:
    card = rates_card(read_run(write_run(tmp_path, error_with(-1.5, 0.2), text=SPACE)))
    assert any("to the power -1.5" in one for one in card.sentences)
    assert any("With one rate for all" in one and "lose" in one for one in card.sentences)
    assert any("tau_b" in one for one in card.sentences)
    assert card.shown[0].draw is not None
    figure = card.shown[0].draw()
    assert len(figure.axes) == 2


def test_the_words_of_an_order_are_those_of_its_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(write_run(tmp_path, error_with(-1.5, 0.2), text=SPACE))
    answer = compared(tried(run))
    for tau, low, high, said in (
        (0.14, -0.07, 0.36, "is not shown to put the networks in the order of their own"),
        (0.5, 0.2, 0.7, "puts the networks in partly the same order as their own"),
        (-0.8, -0.9, -0.5, "puts the networks the other way round than their own"),
        (1.0, None, None, "puts the networks in the same order as their own"),
    ):
        order = Interval(estimate=tau, low=low, high=high, n=9, level=0.95)
        found = answer._replace(tau={COMMON: order}, p={COMMON: None})
        monkeypatch.setattr("analysis.cards.rates.compared", lambda _, found=found: found)
        assert f"One rate for all {said}" in " ".join(rates_card(run).sentences)


def test_one_rate_for_all_answers_nothing(tmp_path: Path) -> None:
    text = SPACE.replace("{from: 0.02, to: 1.28, log: true, values: 9}", "0.1")
    run = read_run(write_run(tmp_path, lambda started: 20.0, text=text))
    with pytest.raises(RunError, match=r"write training: \{lr: .* search: \{tune: \[lr\]\}"):
        tried(run)
    assert rates_card(run).refused


def test_of_tries_at_one_rate_the_best_counts(tmp_path: Path) -> None:
    text = TUNED.replace("epochs: 1,", "epochs: 1, weight_decay: [1e-4, 1e-3],")
    text = text.replace("tune: [lr]", "tune: [lr, weight_decay]")

    def error(started: Started) -> float:
        return error_with(-1.5, 0.0)(started) + 1e4 * started.own["weight_decay"]

    found = tried(read_run(write_run(tmp_path / "both", error, text=text)))
    rate = tried(read_run(write_run(tmp_path / "one", error_with(-1.5, 0.0), text=TUNED)))
    assert found.test == pytest.approx(rate.test + 1)
