"""Optuna's samplers, by name, choosing among the candidates inside the budget."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna

from res2net.plugins import PluginError
from search.samplers.base import Sampler
from search.samplers.drawn import Drawn
from search.samplers.ordered import Ordered, random
from search.samplers.points import Points
from search.samplers.prior import Belief
from search.schema.metrics import Objective
from search.schema.prior import Prior
from search.schema.samplers import STARTUP
from search.space.survey import Survey

# Samplers whose draws depend only on the trials so far: no draw needs to be repeated.
_WITHOUT_NOTES = (
    optuna.samplers.TPESampler,
    optuna.samplers.GPSampler,
    optuna.samplers.RandomSampler,
)

Objectives = Sequence[Objective]


def tpe(
    survey: Survey, *, seed: int, objectives: Objectives, prior: Prior | None = None
) -> Sampler:
    """Multivariate TPE: the ratio of the densities of good trials and of the others."""
    # With several objectives Optuna knows no values of a stopped trial.
    single = len(objectives) == 1
    return _modelled(survey, seed, objectives, _tpe_sampler, prior, from_stopped=single)


def _tpe_sampler(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(
        n_startup_trials=0, multivariate=True, constant_liar=True, seed=seed
    )


def gp(
    survey: Survey, *, seed: int, objectives: Objectives, prior: Prior | None = None
) -> Sampler:
    """A Gaussian process with expected improvement."""
    return _modelled(survey, seed, objectives, _gp_sampler, prior)


def _gp_sampler(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.GPSampler(
        n_startup_trials=0, seed=seed, deterministic_objective=False
    )


def cmaes(survey: Survey, *, seed: int, objectives: Objectives) -> Sampler:
    """CMA-ES: a normal distribution that moves and stretches with each generation."""
    make = optuna.samplers.CmaEsSampler
    return adopted(make, survey, seed=seed, objectives=objectives, first=STARTUP)


def nsga2(
    survey: Survey, *, seed: int, objectives: Objectives, population: int = 20
) -> Sampler:
    """NSGA-II: generations selected by non-dominated rank and crowding distance."""
    return _generations(optuna.samplers.NSGAIISampler, survey, seed, objectives, population)


def nsga3(
    survey: Survey, *, seed: int, objectives: Objectives, population: int = 20
) -> Sampler:
    """NSGA-III: like NSGA-II, but spread along directions; for three or more objectives."""
    return _generations(optuna.samplers.NSGAIIISampler, survey, seed, objectives, population)


def _generations(
    make: Callable[..., Any],
    survey: Survey,
    seed: int,
    objectives: Objectives,
    population: int,
) -> Sampler:
    # The first generation is drawn uniformly inside the budget, not from the box.
    return adopted(
        make,
        survey,
        seed=seed,
        objectives=objectives,
        first=population,
        population_size=population,
    )


def hub(  # noqa: PLR0913 - its options are keywords
    survey: Survey,
    *,
    seed: int,
    objectives: Objectives,
    package: str,
    sampler: str,
    options: dict[str, Any],
    registry: str | None,
) -> Sampler:
    """A sampler of an OptunaHub package.

    Args:
        survey: the candidates inside the budget.
        seed: seed of the study.
        objectives: what is minimised or maximised.
        package: such as `samplers/auto_sampler`.
        sampler: name of the class in it.
        options: keyword arguments of the class.
        registry: folder with a copy of the registry; None loads the package from the network.

    Raises:
        PluginError: it cannot be loaded, or has no such class.
    """
    place = f"search.sampler: optunahub: {package}"
    try:
        import optunahub  # noqa: PLC0415 - an extra

        if registry is None:
            module = optunahub.load_module(package)
        else:
            module = optunahub.load_local_module(package, registry_root=registry)
        make = getattr(module, sampler)
    except ImportError as error:
        remedy = "install optunahub, and what the package itself needs"
        raise PluginError(f"{place}: {error}; {remedy}") from error
    except Exception as error:
        raise PluginError(
            f"{place}: cannot be loaded ({type(error).__name__}: {error}); check package and "
            "sampler, and whether the network or the registry can be reached"
        ) from error
    return adopted(make, survey, seed=seed, objectives=objectives, **options)


def adopted(
    make: Callable[..., Any],
    survey: Survey,
    *,
    seed: int,
    objectives: Objectives,
    first: int = 0,
    **options: Any,
) -> Sampler:
    """Adapt any Optuna sampler, such as `optuna.samplers:CmaEsSampler`.

    Args:
        make: its class, or a function that returns one.
        survey: the candidates inside the budget.
        seed: seed of the study; passed on where `make` takes one.
        objectives: what is minimised or maximised.
        first: number of completely trained networks that are drawn uniformly before it draws.
        options: keyword arguments of `make`.
    """
    takes_seed = "seed" in inspect.signature(make).parameters and "seed" not in options

    def sampler(own: int) -> optuna.samplers.BaseSampler:
        seeded = {"seed": own} if takes_seed else {}
        with warnings.catch_warnings():  # it is made for every draw, and warns each time
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            made: optuna.samplers.BaseSampler = make(**options, **seeded)
        return made

    notes = not isinstance(sampler(0), _WITHOUT_NOTES)
    startup = random(survey, seed=seed, objectives=tuple(objectives))
    return Drawn(
        Points(survey),
        seed=seed,
        objectives=objectives,
        make=sampler,
        startup=startup,
        first=first,
        keeps_notes=notes,
    )


def _modelled(
    survey: Survey,
    seed: int,
    objectives: Objectives,
    make: Callable[[int], optuna.samplers.BaseSampler],
    prior: Prior | None,
    *,
    from_stopped: bool = False,
) -> Sampler:
    startup = random(survey, seed=seed, objectives=tuple(objectives))
    points, belief = Points(survey), None
    if prior is not None:
        belief = Belief(prior, points)
        startup = Ordered(np.asarray(belief.order(seed)))
    return Drawn(
        points,
        seed=seed,
        objectives=objectives,
        make=make,
        startup=startup,
        first=STARTUP,
        from_stopped=from_stopped,
        belief=belief,
    )
