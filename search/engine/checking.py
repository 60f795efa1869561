"""Tries each foreign part once before a study begins, so that none fails in every trial."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from res2net import ArchitectureError
from res2net.blocks.checking import check_block
from res2net.plugins import PluginError, split_plugin
from search.engine.optimizer import make_optimizer
from search.images.sets import load_arrays
from search.samplers.base import make_sampler
from search.schedulers.base import make_scheduler
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.metrics import Objective
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS
from search.space.survey import Survey
from search.tasks.base import make_task


def check_parts(plan: StudyPlan, survey: Survey, root: Path) -> None:
    """Try each foreign part of a study once.

    Args:
        plan: of the study.
        survey: its candidates.
        root: the folder of the data sets.

    Raises:
        PluginError: one cannot be made, lacks a method, or gives what it should not.
    """
    if any(split_plugin(name) for name in (*plan.network.skeleton, plan.network.block)):
        _check_network(plan, survey)
    if split_plugin(plan.search.sampler.name):
        _check_sampler(plan, survey)
    make_scheduler(plan.scheduler, epochs=plan.training.epochs, objective=plan.ranking)
    if split_plugin(plan.training.optimizer):
        _check_optimizer(plan)
    if split_plugin(plan.data.name):
        _check_data(plan.data, root)
    if split_plugin(plan.task.name) and not callable(TASKS.make(plan.task.name)):
        raise PluginError(f"{plan.task.name}: is no task; write a class or function")
    for objective in plan.objectives:
        if objective.counter is not None:
            _check_counter(objective, survey)


def check_task(plan: StudyPlan, root: Path) -> None:
    """Make a foreign task once, on the CPU, when its images are ready.

    Raises:
        PluginError: it cannot be made, or lacks a method.
    """
    try:
        make_task(plan, str(root), device=torch.device("cpu"))
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(
            f"{plan.task.name}: cannot be made ({type(error).__name__}: {error})"
        ) from error


def _check_network(plan: StudyPlan, survey: Survey) -> None:
    """Block and skeleton must count what they make, in the cheapest network and the dearest."""
    order = survey.costs.macs.argsort(kind="stable")
    networks = [survey.architecture(int(order[at])) for at in (0, -1)]
    try:
        check_block(plan.network.block, networks)
    except ArchitectureError as error:
        raise PluginError(f"network: {error.problem}") from error


def _check_counter(objective: Objective, survey: Survey) -> None:
    assert objective.counter is not None, "asked before"
    try:
        value = objective.counter(survey.architecture(0), survey.cost(0))
    except Exception as error:
        raise PluginError(
            f"{objective.name}: failed for a network ({type(error).__name__}: {error})"
        ) from error
    if not isinstance(value, (int, float)) or not np.isfinite(value):
        raise PluginError(
            f"{objective.name}: gave {value!r} of a network; return a finite number"
        )


def _check_sampler(plan: StudyPlan, survey: Survey) -> None:
    name = plan.search.sampler.name
    sampler = make_sampler(
        plan.search.sampler, survey, seed=plan.search.seed, objectives=plan.objectives
    )
    try:
        candidate = sampler.propose(0)
    except Exception as error:
        raise PluginError(
            f"{name}: failed at its first proposal ({type(error).__name__}: {error})"
        ) from error
    whole = isinstance(candidate, (int, np.integer)) and not isinstance(candidate, bool)
    if not whole or not 0 <= candidate < len(survey):
        raise PluginError(
            f"{name}: proposed {candidate!r}; return the number of a candidate, from 0 to "
            f"{len(survey) - 1:,}"
        )


def _check_optimizer(plan: StudyPlan) -> None:
    network = nn.Linear(2, 2)
    optimizer = make_optimizer(network, plan.training)
    try:
        network(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    except Exception as error:
        raise PluginError(
            f"{plan.training.optimizer}: failed at its first step ({type(error).__name__}: "
            f"{error})"
        ) from error


def _check_data(data: PlannedData, root: Path) -> None:
    facts = DATASETS[data.name]
    try:
        splits = load_arrays(data.name, root)
        counts = dict(zip(("train", "test"), splits, strict=True))
    except Exception as error:
        raise PluginError(
            f"{data.name}: cannot be loaded ({type(error).__name__}: {error}); `load(root)` "
            "returns (images, labels) of train and of test"
        ) from error
    for split, (images, labels) in counts.items():
        size: int = getattr(facts, split)
        shape = (size, facts.image_size, facts.image_size, 3)
        if np.shape(images) != shape or np.asarray(images).dtype != np.uint8:
            raise PluginError(
                f"{data.name}: its {split} images are {np.asarray(images).dtype} of shape "
                f"{np.shape(images)}; return uint8 of shape {shape}"
            )
        known = np.asarray(labels)
        if known.shape != (size,) or known.min() < 0 or known.max() >= facts.classes:
            raise PluginError(
                f"{data.name}: its {split} labels are of shape {known.shape}, {known.min()} to "
                f"{known.max()}; return {size} whole numbers from 0 to {facts.classes - 1}"
            )
