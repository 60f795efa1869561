"""Samplers: which candidate to try next. Their table is `search.schema.samplers`.

`optuna_sampler` and `ray_searcher` provide them to other Optuna and Ray Tune studies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from search.schema.parts import Choice, choice_from
from search.schema.samplers import SAMPLERS
from search.schema.yaml import ConfigError
from search.space.load import load_space
from search.space.resolve import Resolved, resolve

if TYPE_CHECKING:
    from search.samplers.of_optuna import SpaceSampler
    from search.samplers.of_ray import SpaceSearcher


_CHOICE = TypeAdapter[Choice](Annotated[Choice, BeforeValidator(choice_from(SAMPLERS))])


def optuna_sampler(
    space: Path | str,
    sampler: str | Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    overrides: Sequence[str] = (),
) -> "SpaceSampler":
    """A sampler for `optuna.create_study` that never leaves a space's budget.

    Args:
        space: path of a space file; its images need not exist.
        sampler: its name, or a mapping with `name` and options; left out, that of the file,
            with its prior. `per_band` and `warm_start` of the file are not used.
        seed: seed of every random choice; left out, that of the file.
        overrides: `key.subkey=value` texts that override values of the file.

    Raises:
        ConfigError: every mistake in the space.
    """
    from search.samplers.of_optuna import SpaceSampler  # noqa: PLC0415 - imports Optuna

    plan, survey = _resolved(space, overrides)
    choice, own = _choice(sampler) or plan.search.sampler, plan.search.seed
    prior = plan.search.prior if sampler is None else None
    return SpaceSampler(survey, choice, seed=own if seed is None else seed, prior=prior)


def ray_searcher(
    space: Path | str,
    sampler: str | Mapping[str, Any] | None = None,
    *,
    metric: str,
    mode: str = "min",
    seed: int | None = None,
    overrides: Sequence[str] = (),
) -> "SpaceSearcher":
    """A searcher for `ray.tune.TuneConfig(search_alg=...)` that never leaves a space's budget.

    Args:
        space: path of a space file; its images need not exist.
        sampler: its name, or a mapping with `name` and options; left out, that of the file,
            with its prior. `per_band` and `warm_start` of the file are not used.
        metric: name of the metric that a trial reports.
        mode: "min" or "max".
        seed: seed of every random choice; left out, that of the file.
        overrides: `key.subkey=value` texts that override values of the file.

    Raises:
        ConfigError: every mistake in the space.
        PluginError: the mode is neither.
    """
    from search.samplers.of_ray import SpaceSearcher  # noqa: PLC0415 - imports Ray

    plan, survey = _resolved(space, overrides)
    choice = _choice(sampler) or plan.search.sampler
    own = plan.search.seed if seed is None else seed
    prior = plan.search.prior if sampler is None else None
    return SpaceSearcher(survey, choice, seed=own, metric=metric, mode=mode, prior=prior)


def _resolved(space: Path | str, overrides: Sequence[str]) -> Resolved:
    return resolve(*load_space(Path(space), tuple(overrides)), unseen=True)


def _choice(sampler: str | Mapping[str, Any] | None) -> Choice | None:
    if sampler is None:
        return None
    try:
        return _CHOICE.validate_python(sampler)
    except ValidationError as error:
        said = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise ConfigError(f"sampler: {said}") from error
