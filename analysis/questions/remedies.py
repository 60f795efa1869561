"""Says what to do where a run has too few seeds or networks to answer a question."""

from analysis.runs.networks import failures
from analysis.runs.run import Run
from search.study.events import RETRIED


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
        return _after_failures(run)
    return "run it with more networks, or let the scheduler stop fewer of them"


def _after_failures(run: Run) -> str:
    """State how to get results of what failed."""
    if run.plan.execution.replay:
        return "replay results of more networks"
    ended = set(run.counted["status"])
    again = [f"--retry {status.value}" for status in RETRIED if status.value in ended]
    if again:
        return f"mend what failed, and start the study with {' '.join(again)}"
    return "run it with a recipe that does not diverge, such as a lower lr"
