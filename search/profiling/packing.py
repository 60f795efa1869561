"""How many trials share a GPU: measured once, where a space file says `gpu: auto`.

Small networks leave most of a GPU idle; side by side they fill it. As many run at once as
raise the images/s of all together, and never more than its memory holds.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from search.images.stores import RESIDENT_SHARE
from search.profiling.estimate import RehearsalError
from search.profiling.rehearsal import Stage
from search.schema.config import Config
from search.schema.yaml import ConfigError
from search.space.survey import Survey

_WORTH = 1.05  # one more must raise the images/s of all together by this factor
_SPARE = 0.9  # share of the memory that trials may take together
_CONTEXT = 600 * 2**20  # bytes that CUDA itself takes in every process
_MOST = 8


class Packing(NamedTuple):
    """What was measured: trials on one GPU, and images/s of all together by their number."""

    trials: int
    images_per_s: dict[int, float]
    memory: int  # bytes of one trial of the dearest network


def pack(config: Config, survey: Survey, *, place: str) -> Packing:
    """Measure how many trials of this study one GPU takes.

    Args:
        config: with `resources.gpu` auto, on a machine that has a GPU.
        survey: its candidates; the median one is timed, the dearest one must fit.
        place: where `resources.gpu` stands, for messages.

    Raises:
        ConfigError: the dearest network cannot be trained there.
    """
    import torch  # noqa: PLC0415 - seconds that no other study waits

    whole = with_gpu(config, 1.0)
    order = survey.costs.macs.argsort(kind="stable")
    try:
        with Stage(whole, beside=1) as stage:
            dearest = stage.rehearse(survey.architecture(int(order[-1])))[0]
        total = torch.cuda.get_device_properties(0).total_memory
        memory = dearest.memory + _CONTEXT + _resident(config, total)
        cpus = (os.cpu_count() or 1) // torch.cuda.device_count() // config.resources.cpu
        most = min(fitting(memory, total), max(1, cpus))
        median = int(order[len(order) // 2])
        rates = dict(_rates(whole, survey, median, most))
    except RehearsalError as error:
        raise ConfigError(
            f"{place}: resources.gpu: auto could not measure ({error}); write gpu: 1"
        ) from error
    return Packing(max(rates, key=lambda number: rates[number]), rates, memory)


def fitting(memory: int, total: int) -> int:
    """Trials of `memory` bytes that a GPU of `total` bytes holds, from 1 up."""
    return max(1, min(_MOST, int(total * _SPARE) // memory))


def _resident(config: Config, total: int) -> int:
    """Bytes of the training images, where they will stay on the GPU."""
    side = config.data.side + 2 * (config.training.crop or 0)
    size = config.data.facts.train * side**2 * 3
    return size if size <= total * RESIDENT_SHARE else 0


def with_gpu(config: Config, gpu: float) -> Config:
    """The same study with this much of a GPU for each trial."""
    resources = config.resources.model_copy(update={"gpu": gpu})
    return config.model_copy(update={"resources": resources})


def _rates(
    config: Config, survey: Survey, candidate: int, most: int
) -> Iterator[tuple[int, float]]:
    """Images/s of all together for 1, 2, 4, ... side by side, as long as they rise enough."""
    number, best = 1, 0.0
    while number <= most:
        try:
            with Stage(config, beside=number) as stage:
                steps = [one.step for one in stage.rehearse(survey.architecture(candidate))]
        except RehearsalError:
            if number == 1:
                raise
            return  # so many do not fit
        rate = sum(config.training.batch_size / step for step in steps)
        if rate < best * _WORTH:
            return
        yield number, rate
        number, best = number * 2, rate
