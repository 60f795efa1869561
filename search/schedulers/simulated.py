"""Runs a scheduler over learning curves that are known, one trial at a time."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from search.schedulers.base import Decision, Scheduler

Curve = Sequence[Mapping[str, float]]  # the metrics of each epoch


def whole_trials(scheduler: Scheduler, curves: Sequence[Curve]) -> set[int]:
    """The curves that a scheduler lets come to their end.

    Args:
        scheduler: new; made for as many trials.
        curves: in the order in which they are tried, of whole trials.
    """
    epochs: list[int] = []
    whole = set[int]()
    while True:
        trial = scheduler.resume()
        if trial is not None:
            scheduler.resumed(trial)
        elif len(epochs) < len(curves):
            trial = len(epochs)
            epochs.append(0)
        else:
            return whole
        decision = Decision.CONTINUE
        while decision is Decision.CONTINUE and epochs[trial] < len(curves[trial]):
            metrics = curves[trial][epochs[trial]]
            epochs[trial] += 1
            decision = scheduler.report(trial, epochs[trial], metrics)
        if epochs[trial] == len(curves[trial]):
            whole.add(trial)
        if decision is not Decision.PAUSE or trial in whole:
            scheduler.ended(trial)


def best_lost(
    make: Callable[[int], Scheduler],
    curves: Sequence[Curve],
    loss: Callable[[Mapping[str, float]], float],
    *,
    draws: int,
    seed: int,
) -> float:
    """How often a scheduler would not have let the best network come to its end.

    Args:
        make: a new scheduler for so many trials.
        curves: of networks that were trained whole.
        loss: what says which is the best at the end.
        draws: bootstrap samples of the networks, each in an order by chance.
        seed: of these.

    Returns:
        A share of the draws. Where several are equally good, one of them is enough.
    """
    rng = np.random.default_rng(seed)
    ends = np.array([loss(curve[-1]) for curve in curves])
    lost = 0
    for _ in range(draws):
        drawn = rng.integers(len(curves), size=len(curves))
        whole = whole_trials(make(len(curves)), [curves[i] for i in drawn])
        reached = min((ends[drawn[trial]] for trial in whole), default=np.inf)
        lost += bool(reached > ends[drawn].min())
    return lost / draws
