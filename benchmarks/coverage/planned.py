"""Simulates planned comparisons of known truth: intervals, and claims of whole reports."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from analysis.cards.deck import OF_A_RUN
from analysis.pages.findings import findings
from analysis.questions.equal_size import comparisons
from analysis.questions.equal_size_words import conclusion
from analysis.questions.stopping import FIXED, bounded
from analysis.runs.scores import score_of
from analysis.statistics.mixed import Model, estimate, fit
from analysis.statistics.shrinkage import probability_best, shrink
from analysis.statistics.simultaneous import together
from search.design.contrasts import pairs
from search.schema.metrics import Objective
from tests.analysis.made import made, network

_NETWORKS = 16
_ACCURACY = score_of(Objective("test_error", "minimize", "reported", "%", "accuracy"))
_MEAN = {f"n{i}": 0.2 if i < 5 else -0.2 for i in range(10)}
_PAIR = {"n0": 1.0, "n1": -1.0}
_SIZES = {
    "base": [7.011],
    "scale": [11.92, 18.141, 24.361, 30.581, 36.801],
    "cardinality": [11.92, 18.141, 24.361, 30.581, 36.801],
    "depth": [13.638, 20.265, 26.892, 33.52, 40.147],
}


def _model(
    rng: Generator,
    seeds: int,
    *,
    spreads: dict[int, float] | None = None,
    missing: float = 0.0,
    rounded: int | None = None,
) -> Model:
    """16 networks with equal means; each keeps at least one seed."""
    spread = np.ones(_NETWORKS)
    for place, value in (spreads or {}).items():
        spread[place] = value
    scores = rng.normal(size=(_NETWORKS, seeds)) * spread[:, None] + rng.normal(size=seeds)
    if rounded is not None:
        scores = scores.round(rounded)
    kept = rng.random(scores.shape) >= missing
    kept[np.arange(_NETWORKS), np.arange(_NETWORKS) % seeds] = True
    at, seed = np.nonzero(kept)
    return fit([f"n{i}" for i in at], seed.tolist(), scores[kept].tolist())


def _contrast(
    weights: dict[str, float], seeds: int, **design: Any
) -> Callable[[Generator], bool]:
    def holds(rng: Generator) -> bool:
        found = estimate(_model(rng, seeds, **design), [weights])
        return bool(abs(found.value[0]) <= found.reach()[0])

    return holds


def _near_the_end(rng: Generator) -> bool:
    """Errors near 0 %, where counts out of 10,000 test images pile up."""
    scores = rng.binomial(10_000, 0.004, size=(_NETWORKS, 4)) / 100
    names = [f"n{i}" for i in range(_NETWORKS) for _ in range(4)]
    found = estimate(fit(names, list(range(4)) * _NETWORKS, scores.ravel().tolist()), [_MEAN])
    return bool(abs(found.value[0]) <= found.reach()[0])


def _all_at_once(rng: Generator) -> bool:
    found = estimate(
        _model(rng, 4), [one.weights for one in pairs([f"n{i}" for i in range(6)])]
    )
    return bool((np.abs(found.value) <= together(found).reach).all())


def _pairs_of(networks: int, seeds: int, loud: float = 1.0) -> Callable[[Generator], bool]:
    """All pairs of a small study at once; a third of networks spread `loud` times as far."""

    def holds(rng: Generator) -> bool:
        scores = rng.normal(size=(networks, seeds))
        scores[: networks // 3] *= loud
        names = [f"n{i}" for i in range(networks)]
        each = [name for name in names for _ in range(seeds)]
        model = fit(each, [*range(seeds)] * networks, scores.ravel().tolist())
        found = estimate(model, [one.weights for one in pairs(names)])
        return bool((np.abs(found.value) <= together(found).reach).all())

    return holds


def _every_look(rng: Generator) -> bool:
    """Whether none of the looks at 3 to 12 seeds claims a difference, as there is none."""
    scores, rule = rng.normal(size=(8, 12)), FIXED._replace(every_look=True)
    for seeds in range(3, 13):
        names = [f"n{i}" for i in range(8) for _ in range(seeds)]
        model = fit(names, list(range(seeds)) * 8, scores[:, :seeds].ravel().tolist())
        alone, _ = bounded(estimate(model, [_PAIR]), rule, seeds=seeds)
        if alone.p[0] < 0.05:
            return False
    return True


def _same(rng: Generator) -> bool:
    """Whether two networks that differ by the margin are not called the same."""
    scores = rng.normal(size=(_NETWORKS, 4))
    scores[0] += 1.0
    names = [f"n{i}" for i in range(_NETWORKS) for _ in range(4)]
    found = estimate(fit(names, list(range(4)) * _NETWORKS, scores.ravel().tolist()), [_PAIR])
    return bool(found.p_same(1.0)[0] >= 0.05)


def _shrunken(
    spread: float, *, count: int, loud: int = 0, louder: float = 1.0
) -> Callable[[Generator], bool]:
    """Whether the test interval of the network with the best validation mean is right.

    Args:
        spread: standard deviation of the networks; that of the seeds is 1.
        count: number of networks.
        loud: how many of these vary more over seeds.
        louder: by what factor.
    """

    def holds(rng: Generator) -> bool:
        true = rng.normal(0, spread, size=count)
        noise = np.where(np.arange(count) < loud, louder, 1.0)[:, None]
        luck = noise * rng.normal(size=(count, 3))
        val = true[:, None] + luck
        test = true[:, None] + 0.87 * luck + 0.49 * noise * rng.normal(size=(count, 3))
        names = [f"n{i}" for i in range(count) for _ in range(3)]
        found = shrink(fit(names, list(range(3)) * count, test.ravel().tolist()), rng=rng)
        best = int(val.mean(axis=1).argmin())
        return bool(found.low[best] <= true[best] <= found.high[best])

    return holds


def _set_of_best(rng: Generator) -> bool:
    """Whether the set with 95 % of the probability of being best contains the best network."""
    true = rng.normal(0, 1, size=10)
    scores = true[:, None] + rng.normal(size=(10, 3))
    names = [f"n{i}" for i in range(10) for _ in range(3)]
    found = shrink(fit(names, list(range(3)) * 10, scores.ravel().tolist()), rng=rng)
    chance = probability_best(found, lower_is_better=True)
    order = np.argsort(-chance)
    kept = order[: int((np.cumsum(chance[order]) < 0.95).sum()) + 1]
    return bool(true.argmin() in kept)


def _axes_report(rng: Generator) -> bool:
    """Whether the report of a run along axes in which nothing differs claims nothing."""
    rows = [
        {"series": name, "label": f"{name}{size}", "name": f"{name}{size}", "params": size,
         "macs": size * 1.1, "repeat": repeat, "score": 80 + rng.normal()}
        for name, row in _SIZES.items() for size in row for repeat in range(4)
    ]  # fmt: skip
    said = conclusion(comparisons(pd.DataFrame(rows)), _ACCURACY)
    return not any(one.claims for one in said)


def _sampled_report(count: int) -> Callable[[Generator], bool]:
    """Whether the report of a random sample of equal networks claims nothing."""

    def silent(rng: Generator) -> bool:
        shapes = [(w, s) for w in range(1, 11) for s in (1, 2)][:count]
        rows = [
            {"network": network(w, scale=s), "seed": seed, "repeat": seed,
             "val_error": error, "test_error": error + 0.3 * rng.normal()}
            for w, s in shapes for seed in range(2) for error in [50 + rng.normal()]
        ]  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            run = made(Path(folder), rows, f"search.trials={count}", "search.seeds=2",
                       "search.sampler=random")  # fmt: skip
            claims = any(make(run).claims for make in OF_A_RUN)
            return not claims and not any("): more than chance" in s for s in findings(run))

    return silent


SIMULATIONS: dict[str, Callable[[Generator], bool]] = (
    {
        f"{what}, {seeds} seeds, {design}": _contrast(weights, seeds, **options)
        for what, weights in (("mean of 5 less 5", _MEAN), ("pair", _PAIR))
        for design, options in (
            ("equal spreads", {}),
            ("a fifth of trials missing", {"missing": 0.2}),
            ("five of 2.7 times the spread", {"spreads": dict.fromkeys(range(5), 2.7)}),
            ("one of 5 times the spread", {"spreads": {0: 5.0}}),
            ("scores rounded to whole spreads (ties)", {"rounded": 0}),
        )
        for seeds in (2, 3, 4)
    }
    | {
        "mean of 5 less 5, 4 seeds, errors near 0 %": _near_the_end,
        "15 pairs at once, 4 seeds": _all_at_once,
    }
    | {
        f"all pairs of {networks} networks at once, {seeds} seeds, {design}": _pairs_of(
            networks, seeds, loud
        )
        for networks, seeds in ((5, 2), (5, 3), (8, 3), (11, 3), (6, 4))
        for design, loud in (("equal spreads", 1.0), ("a third of 2.7 times the spread", 2.7))
    }
    | {
        "pair at every look, 3 to 12 seeds": _every_look,
        "equivalence at the margin: not called the same": _same,
        "best of 60 equal networks, shrunken test error": _shrunken(0.0, count=60),
        "best of 60, spread as noise": _shrunken(1.0, count=60),
        "best of 60, three times the noise": _shrunken(3.0, count=60),
        "best of 10 equal networks": _shrunken(0.0, count=10),
        "best of 10, spread as noise": _shrunken(1.0, count=10),
        "best of 20, 5 of three times the noise": _shrunken(1.0, count=20, loud=5, louder=3),
        "best of 20, 1 of four times the noise": _shrunken(1.0, count=20, loud=1, louder=4),
        "best of 60, 6 of three times the noise": _shrunken(1.0, count=60, loud=6, louder=3),
        "95 % set of the best of 10": _set_of_best,
        "report along axes, nothing differs: claims nothing": _axes_report,
        "report of 8 equal networks: claims nothing": _sampled_report(8),
        "report of 20 equal networks: claims nothing": _sampled_report(20),
    }
)
