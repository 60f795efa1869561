"""Measures how many trials should share a GPU, where a space file says `gpu: auto`.

Small networks leave most of a GPU idle; several at once fill it. As many run at once as still
increase the total images/s, and never more than fit into its memory.
"""

from collections.abc import Iterator
from typing import NamedTuple

from res2net.cores import usable_cores
from search.images.stores import RESIDENT_SHARE
from search.profiling.estimate import RehearsalError
from search.profiling.rehearsal import Rehearsals, rehearsed
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.space.survey import Survey
from search.tasks.memory import CUDA_CONTEXT

_WORTH = 1.05  # one more must increase the total images/s by this factor
_SPARE = 0.9  # share of the memory that all trials together may take
_MOST = 8


class Packing(NamedTuple):
    """The measurement: trials on one GPU, and the total images/s by their number."""

    trials: int
    images_per_s: dict[int, float]
    memory: int  # bytes of one trial of the most expensive network


def pack(plan: StudyPlan, survey: Survey, *, place: str) -> Packing:
    """Measure how many trials of this study one GPU takes.

    Args:
        plan: with a whole GPU for each trial, on a machine that has one.
        survey: its candidates; the median one is timed, the most expensive must fit.
        place: place of `resources.gpu`, for messages.

    Raises:
        ConfigError: the most expensive network cannot be trained there.
    """
    import torch  # noqa: PLC0415 - takes seconds that no other study should wait

    order = survey.costs.macs.argsort(kind="stable")
    try:
        with Rehearsals(plan, beside=1) as stage:
            dearest = rehearsed(stage, survey, int(order[-1]))[0]
        total = torch.cuda.get_device_properties(0).total_memory
        memory = dearest.memory + CUDA_CONTEXT + _resident(plan, total)
        cpus = usable_cores() // torch.cuda.device_count() // plan.resources.cpu
        most = min(fitting(memory, total), max(1, cpus))
        median = int(order[len(order) // 2])
        rates = dict(_rates(plan, survey, median, most))
    except RehearsalError as error:
        raise ConfigError(
            f"{place}: resources.gpu: auto could not measure ({error}); write gpu: 1"
        ) from error
    return Packing(max(rates, key=lambda number: rates[number]), rates, memory)


def fitting(memory: int, total: int) -> int:
    """Trials of `memory` bytes that a GPU of `total` bytes holds, at least 1."""
    return max(1, min(_MOST, int(total * _SPARE) // memory))


def _resident(plan: StudyPlan, total: int) -> int:
    """Bytes of the training images, if they will stay on the GPU."""
    side = plan.data.resize + 2 * (plan.training.crop or 0)
    size = (plan.data.train + plan.data.validation) * side**2 * 3
    return size if size <= total * RESIDENT_SHARE else 0


def _rates(
    plan: StudyPlan, survey: Survey, candidate: int, most: int
) -> Iterator[tuple[int, float]]:
    """Total images/s of 1, 2, 4, ... trials at once, as long as it increases enough."""
    number, best, alone = 1, 0.0, 0  # alone: parts of a batch that fit when one trial runs
    while number <= most:
        try:
            with Rehearsals(plan, beside=number) as stage:
                found = rehearsed(stage, survey, candidate)
        except RehearsalError:
            if number == 1:
                raise
            return  # this many do not fit
        rate = sum(plan.training.batch_size / one.step for one in found)
        alone = alone or max(one.parts for one in found)
        if rate < best * _WORTH or max(one.parts for one in found) > alone:
            return
        yield number, rate
        number, best = number * 2, rate
