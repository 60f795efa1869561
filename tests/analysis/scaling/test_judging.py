"""The form that made the data foretells the largest sizes best."""

import numpy as np
import pytest

from analysis.scaling.forms import power, saturating
from analysis.scaling.judging import choose, held_out
from analysis.scaling.points import Refusal
from tests.analysis.scaling.simulated import power_law, trials

FORMS = [power(), saturating(chance=99.0)]


def steep(size: np.ndarray) -> np.ndarray:
    """M4 with E = 0, a = 1, beta = 1, c = 0.5: L / (99 - L) = x^-0.5, in closed form."""
    return 99 / (1 + size**0.5)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(one, marks=pytest.mark.slow) for one in (1, 2))]
)
def test_the_true_form_wins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = 2.0 ** np.arange(-9, 7)
    bent = choose(trials(sizes, steep, rng=rng, sd=0.1), FORMS)
    assert bent.best.name == "saturating"
    assert bent.rmse["saturating"] < bent.rmse["power"] / 2
    assert bent.beats_baseline
    straight = choose(
        trials(2.0 ** np.arange(10), power_law(5, 60, 0.6), rng=rng, sd=0.02), FORMS
    )
    assert straight.rmse["power"] < 0.02
    assert straight.rmse["power"] <= straight.rmse["saturating"] + 1e-3


def test_a_fifth_of_the_sizes_is_held_out() -> None:
    points = trials(2.0 ** np.arange(10), power_law(15, 20, 0.6))
    assert choose(points, FORMS).held_out == (256.0, 512.0)
    assert choose(points, FORMS, n=3).held_out == (128.0, 256.0, 512.0)
    few = trials(2.0 ** np.arange(5), power_law(15, 20, 0.6))
    judged = choose(few, FORMS[:1])
    assert judged.held_out == (16.0,)
    assert judged.rmse["power"] < 1e-4
    assert held_out(few, FORMS[0]) == (judged.held_out, judged.rmse["power"], judged.baseline)


def test_the_baseline_is_the_mean_log_error() -> None:
    law = power_law(0, 40, 0.5)
    judged = choose(trials(4.0 ** np.arange(5), law), FORMS[:1])
    assert judged.baseline == pytest.approx(2.5 * np.log(2), rel=1e-9)


def test_size_that_foretells_nothing_is_said() -> None:
    points = trials(
        2.0 ** np.arange(8), lambda s: 30 + 5 * np.sin(3 * np.log(s)), seeds=1
    ).sort_values("size")
    points.loc[points.index[-2:], "error"] = points["error"].iloc[:-2].mean()
    assert not choose(points, FORMS[:1]).beats_baseline


def test_too_few_sizes_are_refused() -> None:
    points = trials(2.0 ** np.arange(5), power_law(15, 20, 0.6))
    with pytest.raises(Refusal, match="5 sizes less 2 held out are fewer than 4"):
        choose(points, FORMS[:1], n=2)
    with pytest.raises(Refusal, match="5 sizes less 1 held out are fewer than 5"):
        choose(points, FORMS)
