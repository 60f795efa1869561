"""Simulates studies of the size that --plan gives for a difference: do 80 of 100 find it?

    python -m benchmarks.coverage.power    # within 10 % of d, power goes from 0.71 to 0.87

SIMULATIONS tests intervals, which should contain the truth in 95 of 100; FOUND tests power.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from search.design.contrasts import equal_size
from search.design.power import Setting, detectable, standard_error
from search.design.spread import spread_of
from search.space.load import load_space
from search.space.members import members_of
from search.space.resolve import resolve

_SPACE = Path(__file__).parents[2] / "spaces" / "cifar_fig5_tiny.yaml"
_SPREAD, _SEEDS = 1.03, 4
Outcome = tuple[bool, bool]


@cache
def planned() -> tuple[dict[str, float], list[str]]:
    """Weights of scale minus depth, all sizes, at equal parameters; and all networks' names."""
    _, survey = resolve(*load_space(_SPACE), unseen=True)
    members = members_of(survey)
    chosen = next(
        one for one in equal_size(members) if (one.against, one.label) == ("depth", "all sizes")
    )
    return dict(chosen.weights), [one.name for one in members]


def study(rng: np.random.Generator, *, always_valid: bool) -> Outcome:
    """Whether a study with the planned difference finds it, and if its interval is right."""
    weights, names = planned()
    setting = Setting(networks=len(names), spread=_SPREAD, always_valid=always_valid)
    true = detectable(weights, setting, seeds=_SEEDS)
    row = np.array([weights.get(name, 0.0) for name in names])
    means = row * true / (row @ row)  # one choice with the planned contrast
    scores = means[:, None] + _SPREAD * rng.normal(size=(len(names), _SEEDS))
    scores += 2 * rng.normal(size=_SEEDS)
    error = standard_error(weights, spread=spread_of(scores).sigma, seeds=_SEEDS)
    estimate, away = float(row @ scores.mean(axis=1)), setting.reach(_SEEDS, weights) * error
    return estimate - away > 0 or estimate + away < 0, abs(estimate - true) <= away


SIMULATIONS: dict[str, Callable[[np.random.Generator], bool]] = {
    "scale less depth, fixed seeds": lambda rng: study(rng, always_valid=False)[1],
    "scale less depth, always valid": lambda rng: study(rng, always_valid=True)[1],
}
FOUND: dict[str, Callable[[np.random.Generator], bool]] = {
    "scale less depth, fixed seeds": lambda rng: study(rng, always_valid=False)[0],
    "scale less depth, always valid": lambda rng: study(rng, always_valid=True)[0],
}


def main(times: int = 4000) -> None:
    """Print the share of studies that find the difference."""
    rng = np.random.default_rng(0)
    for name, finds in FOUND.items():
        share = np.mean([finds(rng) for _ in range(times)])
        print(f"{name}: {share:.3f} of {times:,} studies find it (0.8 is planned)")


if __name__ == "__main__":
    main()
