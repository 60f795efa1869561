"""Tries each foreign part once before a study begins, so that none fails in every trial."""

import io
import itertools
import json
from pathlib import Path

import numpy as np
import torch

from res2net import ArchitectureError, build
from res2net.blocks.checking import check_block
from res2net.plugins import PluginError, split_plugin
from search.engine.optimizer import make_optimizer
from search.engine.transfer import NoBackboneError, backbone_in
from search.images.sets import load_arrays
from search.samplers.base import Outcome, make_sampler
from search.schedulers.checked import scheduler_of
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.metrics import COUNTED, VALIDATION, counted_by
from search.schema.samplers import SAMPLERS
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS
from search.space.survey import Survey
from search.tasks.base import DivergedError, checked_scores, make_task, named_losses
from search.tasks.heads import backbone_of


def check_parts(plan: StudyPlan, survey: Survey, root: Path, *, images: bool = True) -> None:
    """Try each foreign part of a study once.

    Args:
        plan: plan of the study.
        survey: its candidates.
        root: the folder of the data sets.
        images: whether to load the images of a foreign data set.

    Raises:
        PluginError: one cannot be made, lacks a method, or gives invalid results.
    """
    if any(split_plugin(name) for name in (*plan.network.skeleton, plan.network.block)):
        _check_network(plan, survey)
    if _is_outside(plan):
        _check_sampler(plan, survey)
    if split_plugin(plan.scheduler.name):
        _check_scheduler(plan)
    if split_plugin(plan.training.optimizer):
        _check_optimizer(plan, survey)
    if split_plugin(plan.data.name) and images:
        check_data(plan.data, root)
    if split_plugin(plan.task.name) and not callable(TASKS.make(plan.task.name)):
        raise PluginError(f"{plan.task.name}: is not a task; name a class or function")
    _check_objectives(plan, survey)


def _is_outside(plan: StudyPlan) -> bool:
    """Whether the sampler of a study is foreign."""
    name = plan.search.sampler.name
    return bool(split_plugin(name)) or "outside" in SAMPLERS[name].traits


def _check_objectives(plan: StudyPlan, survey: Survey) -> None:
    foreign = [one for one in plan.objectives if one.counter is not None]
    for objective, candidate in itertools.product(foreign, _extremes(survey)):
        counted_by(objective, survey.architecture(candidate), survey.cost(candidate))


def _extremes(survey: Survey) -> tuple[int, int]:
    """The candidates with the fewest and with the most multiply-adds."""
    order = survey.costs.macs.argsort(kind="stable")
    return int(order[0]), int(order[-1])


def check_task(plan: StudyPlan, survey: Survey, root: Path) -> None:
    """Make a foreign task once its images are ready, and take one step of it, on the CPU.

    Raises:
        PluginError: it cannot be made, lacks a method, or gives invalid results.
    """
    task = make_task(plan, str(root), device=torch.device("cpu"))
    names = [metric.name for metric in plan.metrics]
    try:
        architecture = survey.architecture(_extremes(survey)[0])
        network = task.network(architecture, seed=0)
        if plan.transfer is not None:
            backbone_in(network, backbone_of(architecture, seed=0).state_dict())
        batch = next(iter(task.batches(torch.Generator().manual_seed(0), start=0)))
        piece, share = next(iter(batch.pieces(1)))
        torch.autograd.backward(named_losses(task.loss(network, piece))["loss"] * share)
        network.eval()
        with torch.no_grad():
            checked_scores(task.scores(network, "validation"), names)
        json.dumps(task.facts(), allow_nan=False)
    except NoBackboneError as error:
        raise PluginError(f"{plan.task.name}: {error}") from error
    except DivergedError:
        return  # not an error for an untrained network
    except Exception as error:
        raise PluginError(
            f"{plan.task.name}: failed at its first step ({type(error).__name__}: {error})"
        ) from error


def _check_network(plan: StudyPlan, survey: Survey) -> None:
    """Check the costs that block and skeleton report, for the cheapest and largest network."""
    networks = [survey.architecture(candidate) for candidate in _extremes(survey)]
    try:
        check_block(plan.network.block, networks)
    except ArchitectureError as error:
        raise PluginError(f"network: {error.problem}") from error


def _check_sampler(plan: StudyPlan, survey: Survey) -> None:
    sampler = make_sampler(
        plan.search.sampler, survey, seed=plan.search.seed, objectives=plan.objectives
    )
    values = tuple(float(place) for place in range(len(plan.objectives)))
    # Twice: a sampler that forgets taken candidates shows it at the second proposal, and one
    # that cannot handle several objectives when it learns from the first trial.
    for trial in range(min(2, plan.search.trials)):
        candidate = sampler.propose(trial)
        sampler.take(candidate)
        sampler.tell(candidate, Outcome("complete", values, plan.training.epochs))


def _check_scheduler(plan: StudyPlan) -> None:
    scheduler = scheduler_of(plan)
    reported = [f"{VALIDATION}{metric.name}" for metric in plan.metrics]
    objectives = [objective.name for objective in plan.objectives]
    scheduler.report(
        0, 1, dict.fromkeys(["train_loss", *reported, *objectives, *COUNTED], 50.0)
    )
    scheduler.resume()


def _check_optimizer(plan: StudyPlan, survey: Survey) -> None:
    """Take a step of the cheapest network; save and load its state as a checkpoint would."""
    architecture = survey.architecture(_extremes(survey)[0])
    network = build(architecture, seed=0)
    optimizer = make_optimizer(network, plan.training)
    side = plan.data.resolution
    try:
        network(torch.zeros(2, architecture.channels, side, side)).sum().backward()
        optimizer.step()
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        optimizer.load_state_dict(torch.load(file, weights_only=True))
    except Exception as error:
        raise PluginError(
            f"{plan.training.optimizer}: failed at its first step, or at saving and loading "
            f"its state ({type(error).__name__}: {error})"
        ) from error


def check_data(data: PlannedData, root: Path) -> None:
    """Load a foreign data set.

    Raises:
        PluginError: it cannot be loaded, or its images or labels are not as it declares.
    """
    facts = DATASETS[data.name]
    try:
        splits = load_arrays(data.name, root)
        counts = dict(zip(("train", "test"), splits, strict=True))
    except Exception as error:
        raise PluginError(
            f"{data.name}: cannot be loaded ({type(error).__name__}: {error}); `load(root)` "
            "must return (images, labels) of train and of test"
        ) from error
    for split, (images, labels) in counts.items():
        size: int = getattr(facts, split)
        shape = (size, facts.image_size, facts.image_size, facts.channels)
        if np.shape(images) != shape or np.asarray(images).dtype != np.uint8:
            raise PluginError(
                f"{data.name}: its {split} images are {np.asarray(images).dtype} of shape "
                f"{np.shape(images)}; return uint8 of shape {shape}"
            )
        known = np.asarray(labels)
        if not np.issubdtype(known.dtype, np.integer):
            raise PluginError(
                f"{data.name}: its {split} labels are {known.dtype}; return int64, whole "
                f"numbers from 0 to {facts.classes - 1}"
            )
        wanted = f"return {size} whole numbers from 0 to {facts.classes - 1}"
        if known.shape != (size,):
            raise PluginError(
                f"{data.name}: its {split} labels are of shape {known.shape}; {wanted}"
            )
        if known.min() < 0 or known.max() >= facts.classes:
            raise PluginError(
                f"{data.name}: its {split} labels are {known.min()} to {known.max()}; {wanted}"
            )
        missing = {*range(facts.classes)} - {*known.tolist()}
        if missing and split == "train":
            raise PluginError(
                f"{data.name}: says it has {facts.classes} classes, but no train label is "
                f"{min(missing)}; correct `classes` or the labels"
            )
