"""The tuning of settings for each network, so that networks are compared at their best."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from search.schema.parts import Choice, choice_from
from search.schema.samplers import SAMPLERS
from search.schema.section import Section
from search.schema.settings import VARIABLE
from search.schema.values import MisfitError

TUNERS = ("random", "qmc", "local", "tpe", "gp")  # samplers that need only the settings


def _sampler(value: Any, info: ValidationInfo) -> Any:
    """Name of a sampler that needs only the settings, as `search.sampler`."""
    if value is None:
        return None
    chosen = choice_from(SAMPLERS)(value, info)
    if chosen.name not in TUNERS:
        raise ValueError(
            f"chooses among networks, but here there is only one; write {', '.join(TUNERS)}"
        )
    return chosen


def tune_from(value: Any) -> Any:
    """A list of keys, such as `[lr]`, or a [section](#tune)."""
    if value is None or isinstance(value, (dict, Tune)):
        return value
    if value == ():
        raise ValueError("is an empty list; write, for example, [lr], or remove it")
    return {"keys": value if isinstance(value, tuple) else (value,)}


class Tune(Section):
    """Settings that the study does not ask about: each network is tried with several values.

    The best try represents the network: other seeds and confirmations have its values.
    """

    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    """Keys of `training` that have several values there: `[lr]`."""
    trials: Annotated[int, Field(ge=2)] | Literal["all"] = "all"
    """Tries of each network, with the first seed; `all`, one for each combination of the
    values. [trials]
    """
    sampler: Annotated[Choice | None, BeforeValidator(_sampler)] = None
    """Which values a network is tried with, where there are more than `trials`: `random`,
    `qmc`, `local`, `tpe` or `gp`. Left out, a single key climbs from its middle value, as
    `local` climbs, and several keys use `qmc`.
    """

    @property
    def climbs(self) -> bool:
        """Whether tries start at the middle values and continue with the best's neighbours."""
        return self.trials != "all" and self.sampler is None and len(self.keys) == 1

    def chosen(self) -> Choice:
        """The sampler: as written, or the default."""
        climb = Choice(name="local", options={"start": 1})
        usual = climb if self.climbs else Choice(name="qmc")
        return Choice(name="grid") if self.trials == "all" else self.sampler or usual


def check_tune(tune: Tune, varied: Mapping[str, Sequence[float]]) -> None:
    """Check that there is something to tune, and enough of it.

    Args:
        tune: tune section as written.
        varied: the settings with several values, and these values.

    Raises:
        MisfitError: there is not.
    """
    _check_keys(tune, varied)
    if len({*tune.keys}) < len(tune.keys):
        raise MisfitError("search.tune", "names a key twice; remove one of them")
    combinations = 1
    for key in tune.keys:
        combinations *= len(varied[key])
    if tune.trials == "all":
        if tune.sampler is not None:
            raise MisfitError(
                "search.tune.sampler",
                "has nothing to choose: each network is tried with all combinations; write "
                "fewer trials, or remove it",
            )
    elif tune.trials >= combinations:
        raise MisfitError(
            "search.tune.trials",
            f"is not fewer than the {combinations} combinations of the values; remove it, and "
            "all of them are tried",
        )


def _check_keys(tune: Tune, varied: Mapping[str, Sequence[float]]) -> None:
    """Check that each key can be tuned, and has several values."""
    for key in tune.keys:
        if key not in VARIABLE:
            raise MisfitError(
                "search.tune",
                f"names {key}, which cannot be tuned inside a network; write any of "
                f"{', '.join(VARIABLE)}",
            )
        if key not in varied:
            known = f"; it could be {' or '.join(varied)}" if varied else ""
            raise MisfitError(
                "search.tune",
                f"names {key}, but training.{key} does not have several values; list some "
                f"there, or remove it{known}",
            )
