"""Runs a scheduler over known learning curves, one trial at a time."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from search.schedulers.base import Decision, Scheduler

Curve = Sequence[Mapping[str, float]]  # the metrics of each epoch


def whole_trials(scheduler: Scheduler, curves: Sequence[Curve]) -> set[int]:
    """The curves that a scheduler lets run to their end.

    Args:
        scheduler: new; made for as many trials.
        curves: curves of complete trials, in the order in which they are tried.
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
    """How often a scheduler would not have let the best network run to its end.

    Args:
        make: makes a new scheduler for a number of trials.
        curves: curves of networks that were trained completely.
        loss: the value that decides which is the best at the end.
        draws: number of bootstrap samples of the networks, each in a random order.
        seed: seed of these draws.

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
