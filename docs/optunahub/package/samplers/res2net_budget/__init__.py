"""An OptunaHub package: networks of the Res2Net family, never outside a hard budget."""

from search.samplers import optuna_sampler
from search.samplers.of_optuna import SpaceSampler

__all__ = ["SpaceSampler", "optuna_sampler"]
