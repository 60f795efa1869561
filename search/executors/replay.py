"""The replay executor takes recorded results, in simulated time. No torch, no Ray here.

Each of the simulated workers runs one trial at a time. An epoch takes as many seconds as when
it was trained; everything else takes none.
"""

import heapq
from collections.abc import Callable

from search.replay.results import Cell, Results
from search.study.events import Ended, Epoch, Started, Status
from search.study.study import Study


class SimulatedClock:
    """The clock of a replay: seconds since its start."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The present time."""
        return self.now


def run_replay(
    study: Study, results: Results, clock: SimulatedClock, *, asked: Callable[[], bool]
) -> None:
    """Run every trial that is left, on as many simulated workers as the plan says.

    Args:
        study: gives the trials and takes their reports; its times are those of `clock`.
        results: what trials report.
        clock: set to the time of each event.
        asked: whether the user asked to stop; checked after each event.
    """
    free = study.plan.execution.workers
    due: list[
        tuple[float, int]
    ] = []  # next event of each running trial; the trial's number breaks ties
    cells: dict[int, Cell] = {}
    while not asked():
        while free and (started := study.next()) is not None:
            cell = _cell(study, results, started)
            cells[started.trial] = cell
            heapq.heappush(
                due, (clock.now + _seconds(study, started.trial, cell), started.trial)
            )
            free -= 1
        if not due:
            return
        clock.now, trial = heapq.heappop(due)
        if _goes_on(study, trial, cells[trial], clock):
            seconds = _seconds(study, trial, cells[trial])
            heapq.heappush(due, (clock.now + seconds, trial))
        else:
            del cells[trial]
            free += 1


def _cell(study: Study, results: Results, started: Started) -> Cell:
    network = study.history.networks[started.name].architecture
    return results.cell(network, started.repeat, study.plan.search.seed)


def _seconds(study: Study, trial: int, cell: Cell) -> float:
    """Seconds until a trial's next event: its next epoch, or now if it failed before that."""
    done = study.history.epochs(trial)
    return cell.epochs[done].seconds if done < len(cell.epochs) else 0.0


def _goes_on(study: Study, trial: int, cell: Cell, clock: SimulatedClock) -> bool:
    """Carry out the next event of a trial; return whether its worker continues with it."""
    done = study.history.epochs(trial)
    if not study.runs(trial):  # an event of another trial ended it
        return False
    stops = False
    if done < len(cell.epochs):
        stops = study.report(_epoch(trial, done + 1, cell))
        done += 1
    if trial not in study.history.live:  # stopped early
        return False
    failed = cell.status is not Status.OK
    if done == len(cell.epochs) and not (failed and stops):
        study.end(_end(trial, cell, clock))
        return False
    return not stops


def _epoch(trial: int, number: int, cell: Cell) -> Epoch:
    one = cell.epochs[number - 1]
    return Epoch(
        trial=trial,
        epoch=number,
        metrics=dict(one.metrics),
        images_per_s=one.images_per_s,
        seconds=one.seconds,
    )


def _end(trial: int, cell: Cell, clock: SimulatedClock) -> Ended:
    return Ended(
        trial=trial,
        status=cell.status,
        reason=cell.reason,
        epochs=len(cell.epochs),
        metrics=dict(cell.metrics),
        seconds=sum(one.seconds for one in cell.epochs),
        device=cell.device,
        time=clock.now,
    )
