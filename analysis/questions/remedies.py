"""Says what to do where a run has too few seeds or networks to answer a question."""

from analysis.runs.networks import failures
from analysis.runs.run import Run


def for_more_seeds(run: Run, *, wanted: int = 2) -> str:
    """State what gives a run more networks that have seeds in common.

    Args:
        run: finished or not.
        wanted: number of seeds that the question takes.
    """
    if run.plan.search.seeds < wanted:
        return f"run it with --set search.seeds={wanted} or more"
    return for_more_networks(run)


def for_more_networks(run: Run) -> str:
    """State what gives a run more networks that were trained to the end."""
    if not run.finished:
        return "let the run go on"
    if len(failures(run)):
        return "mend what failed, and start the study with --retry failed"
    return "run it with more networks, or let the scheduler stop fewer of them"
