"""A bench holds what all trials of a process share: recipe, task with its data, device."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from search.engine.transfer import Initial, initial_of
from search.schema.counts import Use
from search.schema.metrics import VALIDATION
from search.schema.study_plan import StudyPlan
from search.schema.training import PlannedTraining
from search.schema.yaml import ConfigError
from search.study.events import Started
from search.study.processor import processor, processor_kind
from search.tasks.base import Task, make_task
from search.tasks.memory import keep_freed_memory, keep_to_share


class Bench(NamedTuple):
    """What trials train on.

    `metrics` are the names that the task declares; `share` is the share of the device that one
    trial has, 1 for all. `measured` names the measurements of a network before its training,
    with images of `image_size` (height, width), which belongs to the study's `resolution`;
    `scores` names its zero-cost scores. `compared` are the metrics by which networks are
    compared. `about` is what weight files record of the study; `initial` are the trained
    weights that a trial's backbone starts from.
    """

    recipe: PlannedTraining
    task: Task
    metrics: tuple[str, ...]
    device: torch.device
    share: float = 1.0
    measured: tuple[str, ...] = ()
    resolution: int = 0
    image_size: tuple[int, int] = (0, 0)
    scores: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    about: Mapping[str, Any] = {}
    initial: Initial | None = None


def make_bench(
    plan: StudyPlan, root: Path, *, device: torch.device | None = None, images: Any = None
) -> Bench:
    """Set up a process for the trials of a study.

    Args:
        plan: plan of the study.
        root: the folder of the data sets.
        device: cuda or cpu; where not given, as the plan asks.
        images: replace the study's own, where networks are only timed.

    Raises:
        ConfigError: the GPU does not support the number format.
    """
    gpus = plan.resources.gpu
    where = device or torch.device("cuda" if gpus else "cpu")
    keep_freed_memory()
    if where.type == "cuda" and 0 < gpus < 1:
        keep_to_share(where, gpus)
    if plan.training.precision == "bf16" and not computes_bf16(where):
        name = device_name(where)
        raise ConfigError(f"{name} does not support bf16; write training.precision: fp32")
    task = make_task(plan, str(root), device=where, images=images)
    # It times its algorithms once for each input size.
    torch.backends.cudnn.benchmark = getattr(task, "one_size", True)
    metrics = tuple(metric.name for metric in plan.metrics)
    return Bench(
        plan.training,
        task,
        metrics,
        where,
        gpus or 1.0,
        tuple(one.name for one in plan.timed),
        plan.data.resolution,
        Use.of(plan.task, plan.data).image_size(plan.data.resolution),
        plan.scores,
        tuple(
            one.name.removeprefix(VALIDATION)
            for one in plan.objectives
            if one.source == "reported"
        ),
        {"task": plan.task.name, "objective": plan.ranking.told},
    )


class Benches:
    """The benches of a process: for each trial the one with its recipe and its images.

    Only images of one resolution are in memory at a time, those of the newest trial.

    Args:
        plan: plan of the study.
        root: the folder of the data sets.
        here: the folder that the study was started in.
    """

    def __init__(self, plan: StudyPlan, root: Path, here: Path = Path()) -> None:
        self._plan, self._root, self._here = plan, root, here
        self._bench = make_bench(plan, root)

    def of(self, started: Started) -> Bench:
        """The bench of a trial.

        Raises:
            ConfigError: the plan's transfer has no weights for its seed.
        """
        own = started.own
        resolution = own.get("resolution", self._bench.resolution)
        if resolution != self._bench.resolution:
            device = self._bench.device
            del self._bench  # two data sets might not fit
            self._bench = make_bench(self._plan.at(resolution), self._root, device=device)
        recipe = self._bench.recipe.with_settings(own)
        transfer, initial = self._plan.transfer, None
        if transfer is not None:
            name = started.network().name
            taken = transfer.of(name, started.repeat)
            if taken is None:
                raise ConfigError(
                    f"transfer: there are no weights of {name} for seed {started.repeat} of "
                    f"trial {started.trial}; write as many search.seeds as the run had before"
                )
            initial = initial_of(taken, self._here)
        return self._bench._replace(recipe=recipe, initial=initial)


def computes_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bf16, or is a CPU, which emulates them."""
    return device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


def device_name(device: torch.device) -> str:
    """The name of a device for people, as in a trial's record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({processor()})"


def device_kind(device: torch.device) -> str:
    """A name that differs between devices which may round differently."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({processor_kind() or processor()})"
