"""The fidelity section: whether early epochs rank networks as the last one does."""

from typing import Annotated

from pydantic import Field

from search.schema.parts import Choice
from search.schema.schedulers import scheduler_traits
from search.schema.section import Section
from search.schema.values import MisfitError


class Fidelity(Section):
    """Networks that run to their end whatever the scheduler says: may it be believed?

    What they reach at each epoch at which the scheduler may stop is compared with what they
    reach at the end, by Kendall's tau_b with a bootstrap interval over networks. Where even the
    low end of that is not high enough, and until all of them have ended, nobody is stopped.
    """

    check: Annotated[int, Field(ge=4)] = 12
    """How many networks run to their end first. [networks]"""
    at_least: Annotated[float, Field(gt=-1, lt=1)] = 0.3
    """What the low end of the interval (90 %) of tau_b must reach for trials to be stopped."""


def check_fidelity(
    fidelity: Fidelity, scheduler: Choice, *, trials: int | None, tuned: bool
) -> None:
    """See that there is something to check, and enough networks.

    Args:
        fidelity: as written.
        scheduler: of the study.
        trials: networks of the search; None where that is not known yet.
        tuned: whether each network is tried several times with other settings.

    Raises:
        MisfitError: there is not.
    """
    if not scheduler_traits(scheduler):
        raise MisfitError(
            "fidelity",
            f"has nothing to check: {scheduler.name} stops no trial; take it out, or write "
            "another scheduler, such as asha",
        )
    if tuned:
        raise MisfitError(
            "fidelity",
            "compares networks, and search.tune tries each several times: tries of one network "
            "are not so many networks; take one out",
        )
    if trials is not None and fidelity.check > trials:
        raise MisfitError(
            "fidelity.check", f"is more than search.trials {trials:,}; write at most that"
        )
