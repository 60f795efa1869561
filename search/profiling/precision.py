"""Measures whether bf16 is worth using where trials run, for `training.precision: auto`."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from res2net import Architecture
from search.engine.bench import computes_bf16, make_bench
from search.engine.execution import chosen
from search.engine.training import Trainer
from search.profiling.random_images import random_images
from search.schema.study_plan import StudyPlan
from search.schema.training import ChosenPrecision, Precision
from search.space.survey import Survey
from search.study.processor import processor
from search.tasks.memory import free_memory, in_fewest_pieces

_WORTH = 1.15  # a step must be this much faster in bf16, as fp32 is the safer of the two
_WARM_UP, _TURNS, _STEPS = 2, 5, 2  # steps before timing, turns of each format, steps of a turn


def middling(plan: StudyPlan, survey: Survey) -> tuple[StudyPlan, Architecture]:
    """The candidate of median cost, and the study with images of its resolution."""
    order = survey.costs.macs.argsort(kind="stable")
    candidate = int(order[len(order) // 2])
    resolution = survey.settings(candidate).get("resolution", plan.data.resolution)
    return plan.at(resolution), survey.architecture(candidate)


def choose(plan: StudyPlan, network: Architecture) -> ChosenPrecision:
    """Time training steps in bf16 and fp32, alternating, in this process and on its device.

    Args:
        plan: the recipe, the size of the images, threads and device of a trial.
        network: the network to train, on random images.

    Returns:
        bf16 if it is clearly faster, else fp32; a GPU may lack bf16.
    """
    torch.set_num_threads(plan.resources.cpu)
    if 0 < plan.resources.gpu < 1:
        plan = plan.with_gpu(1.0)  # both are in memory at once, and need more than a share
    device = torch.device("cuda" if plan.resources.gpu else "cpu")
    names: tuple[Precision, ...] = ("fp32", "bf16") if computes_bf16(device) else ("fp32",)
    recipe = plan.training
    medians, _ = in_fewest_pieces(
        lambda pieces: _medians(plan, network, names, device, pieces),
        fewest=recipe.accumulate,
        most=recipe.batch_size,
    )
    free_memory()  # networks with graphs have reference cycles, and the images come next
    fp32, bf16 = medians["fp32"], medians.get("bf16")
    return ChosenPrecision(
        precision="bf16" if bf16 and fp32 >= _WORTH * bf16 else "fp32",
        bf16=bf16,
        fp32=fp32,
        network=network.name,
        device=device_of(plan),
    )


def _medians(
    plan: StudyPlan,
    network: Architecture,
    names: Sequence[Precision],
    device: torch.device,
    pieces: int,
) -> dict[Precision, float]:
    """Seconds of a step in each format, with each batch in so many pieces."""
    sides = {name: _trainer(plan, network, name, device, pieces) for name in names}
    seconds: dict[Precision, list[float]] = {name: [] for name in sides}
    for trainer in sides.values():
        _timed(trainer, _WARM_UP)
    for turn in range(_TURNS):
        for name in names[:: -1 if turn % 2 else 1]:
            seconds[name].append(_timed(sides[name], _STEPS) / _STEPS)
    return {name: statistics.median(each) for name, each in seconds.items()}


def device_of(plan: StudyPlan) -> str:
    """The device that a trial runs on here: the name of the GPU, or of the CPU."""
    return torch.cuda.get_device_name() if plan.resources.gpu else processor()


def _trainer(
    plan: StudyPlan,
    network: Architecture,
    precision: Precision,
    device: torch.device,
    pieces: int,
) -> Trainer:
    recipe = plan.training
    steps = recipe.epochs * recipe.steps(plan.data.train)
    execution = chosen(recipe.execution, device=device, steps=steps)  # as for a complete trial
    training = recipe.model_copy(update={"precision": precision})
    plan = plan.model_copy(update={"training": training})
    # One batch more than used: the last one of an epoch would also score the network.
    images = random_images(plan, batches=_WARM_UP + _TURNS * _STEPS + 1)
    bench = make_bench(plan, Path(), device=device, images=images)
    return Trainer(
        network, bench, epochs=recipe.epochs, seed=0, pieces=pieces, execution=execution
    )


def _timed(trainer: Trainer, steps: int) -> float:
    """Seconds of the next steps."""
    start = time.perf_counter()
    for _ in range(steps):
        trainer.epoch(trial=0, seconds=0.0)
    trainer.wait()
    return time.perf_counter() - start
