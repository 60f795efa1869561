"""The learning rate at any moment of a training. No torch here."""

import math

from search.schema.training import PlannedTraining

_RISE = 0.3  # share of a one-cycle schedule that rises, and its divisors: torch's defaults
_START_DIVISOR, _END_DIVISOR = 25.0, 1e4


def learning_rate(recipe: PlannedTraining, epoch: float, epochs: int) -> float:
    """Learning rate after `epoch` (a real number) of `epochs`.

    cosine and step: linear from 0 over `warmup` epochs; then, over the whole length, half a
    cosine down to 0, or a factor `gamma` at each milestone. onecycle (Smith and Topin, 2018):
    half a cosine up from lr/25 over the first 30 %, half a cosine down to lr/250,000.
    """
    peak = recipe.peak_lr
    if recipe.schedule == "onecycle":
        return _one_cycle(peak, epoch / epochs)
    if epoch < recipe.warmup:
        return peak * epoch / recipe.warmup
    if recipe.schedule == "cosine":
        return _half_cosine(peak, 0.0, epoch / epochs)
    return peak * recipe.gamma ** sum(epoch >= drop for drop in recipe.drops(epochs))


def _one_cycle(peak: float, done: float) -> float:
    low = peak / _START_DIVISOR
    if done < _RISE:
        return _half_cosine(low, peak, done / _RISE)
    return _half_cosine(peak, low / _END_DIVISOR, (done - _RISE) / (1 - _RISE))


def _half_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
