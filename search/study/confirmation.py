"""Which networks are still to be trained again with fresh seeds."""

import itertools

from res2net import Architecture
from search.schema.study_plan import StudyPlan
from search.study.history import History


def left_to_confirm(plan: StudyPlan, history: History) -> list[tuple[Architecture, int]]:
    """The best networks of the search with the repeats that were not started, seed by seed."""
    confirm = plan.confirm
    if confirm is None:
        return []
    best = [one.started.network() for one in history.ranked()[: confirm.top]]
    done = {
        (started.name, started.repeat)
        for started in history.trials.values()
        if started.phase == "confirm" and started.epochs == confirm.epochs
    }
    every = itertools.product(range(confirm.seeds), best)  # whole seeds first
    return [(one, repeat) for repeat, one in every if (one.name, repeat) not in done]
