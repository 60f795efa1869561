"""Samplers: which candidate to try next."""

from collections.abc import Callable, Mapping

from search.samplers.base import Sampler
from search.samplers.ordered import axes, grid, random
from search.samplers.tpe import Tpe

SAMPLERS: Mapping[str, Callable[..., Sampler]] = {
    "axes": axes,
    "grid": grid,
    "random": random,
    "tpe": Tpe,
}
