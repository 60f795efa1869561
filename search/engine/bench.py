"""A bench holds what all trials of one process share: recipe, task with its data, device."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from search.engine.transfer import Initial, initial_of
from search.schema.counts import Use
from search.schema.metrics import VALIDATION
from search.schema.study_plan import StudyPlan
from search.schema.training import PlannedTraining
from search.study.events import Started
from search.study.processor import processor, processor_kind
from search.tasks.base import Task, make_task
from search.tasks.memory import keep_freed_memory, keep_to_share


class Bench(NamedTuple):
    """Where trials train.

    `metrics` are the names that the task declares; `share` is how much of the device one trial
    has, 1 for all. `measured` are names of what is measured of a network before its training,
    with images of `image_size`, height and width, which are those of the study's `resolution`;
    `scores` are those of its zero-cost scores. `compared` are the metrics that networks are
    compared by. `about` is what files of weights say of the study; `initial` are the trained
    weights that a trial's backbone begins with.
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
    """Set a process up for the trials of a study.

    Args:
        plan: of the study.
        root: the folder of the data sets.
        device: cuda or cpu, as the plan asks, where not given.
        images: in the place of the study's own, where networks are only timed.
    """
    gpus = plan.resources.gpu
    where = device or torch.device("cuda" if gpus else "cpu")
    keep_freed_memory()
    if where.type == "cuda" and 0 < gpus < 1:
        keep_to_share(where, gpus)
    torch.backends.cudnn.benchmark = True  # it times its algorithms once for each size
    task = make_task(plan, str(root), device=where, images=images)
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
    """The benches of a process: of each trial the one with its recipe and its images.

    Images of one resolution are there at a time, those of the newest trial.

    Args:
        plan: of the study.
        root: the folder of the data sets.
        here: the folder that the study was started in.
    """

    def __init__(self, plan: StudyPlan, root: Path, here: Path = Path()) -> None:
        self._plan, self._root, self._here = plan, root, here
        self._bench = make_bench(plan, root)

    def of(self, started: Started) -> Bench:
        """The bench of a trial."""
        own = started.own
        resolution = own.get("resolution", self._bench.resolution)
        if resolution != self._bench.resolution:
            device = self._bench.device
            del self._bench  # two data sets might not fit
            self._bench = make_bench(self._plan.at(resolution), self._root, device=device)
        recipe = self._bench.recipe.with_settings(own)
        transfer, initial = self._plan.transfer, None
        if transfer is not None:
            taken = transfer.of(started.network().name, started.repeat)
            initial = initial_of(taken, self._here)
        return self._bench._replace(recipe=recipe, initial=initial)


def device_name(device: torch.device) -> str:
    """Name a device for people, as a trial's record does."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({processor()})"


def device_kind(device: torch.device) -> str:
    """Name a device so that two that may round differently have different names."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({processor_kind() or processor()})"
