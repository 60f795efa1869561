"""The fidelity section: whether early epochs rank networks as the last one does."""

from typing import Annotated

from pydantic import Field

from search.schema.parts import Choice
from search.schema.schedulers import scheduler_traits
from search.schema.section import Section
from search.schema.values import MisfitError

FEWEST = 4  # networks; the order of fewer says nothing


class Fidelity(Section):
    """Check whether early epochs rank networks well enough to stop trials by them.

    The first networks run to their end, whatever the scheduler says. Their scores at each epoch
    at which the scheduler may stop are compared with their final scores, by Kendall's tau_b
    with a bootstrap interval over networks. Trials are stopped only after all these networks
    have ended, and only at epochs where the lower end of the interval is high enough.
    """

    check: Annotated[int, Field(ge=FEWEST)] = 12
    """Number of networks that first run to their end. [networks]"""
    at_least: Annotated[float, Field(gt=-1, lt=1)] = 0.3
    """Least value of the lower end of tau_b's interval (90 %) for trials to be stopped."""


def check_fidelity(
    fidelity: Fidelity, scheduler: Choice, *, trials: int | None, tuned: bool
) -> None:
    """Make sure that there is something to check, and that there are enough networks.

    Args:
        fidelity: fidelity section as written.
        scheduler: scheduler of the study.
        trials: networks of the search; None where that is not known yet.
        tuned: whether each network is tried several times with other settings.

    Raises:
        MisfitError: there is not.
    """
    if not scheduler_traits(scheduler):
        raise MisfitError(
            "fidelity",
            f"has nothing to check: {scheduler.name} stops no trial; remove it, or write "
            "another scheduler, such as asha",
        )
    if tuned:
        raise MisfitError(
            "fidelity",
            "compares networks, but search.tune tries each several times, and several tries "
            "of one network are not several networks; remove one of the two",
        )
    if trials is not None and trials < FEWEST:
        raise MisfitError(
            "fidelity",
            f"compares {FEWEST} networks or more, and search.trials is {trials:,}; remove it, "
            "or write more trials",
        )
    if trials is not None and fidelity.check > trials:
        raise MisfitError(
            "fidelity.check", f"is more than search.trials {trials:,}; write at most that"
        )
